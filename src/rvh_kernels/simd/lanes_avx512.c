/* Every kernel over vectors with AVX-512; the seventeenth key of a tile goes through the scalar
 * registers. */

#include "blake2_simd_impl.h"

#if defined(BLAKE2_SIMD_X86)

#include "vec_avx512.h"

#define STREAMS 2
#define SCALAR 1
#define IN_FLIGHT 4
#define VECTORS 4
#define BESIDE 3
#define NAME(kernel) rvh_##kernel##_avx512
#include "lanes.h"

#endif
