/* Every kernel over vectors with AVX2; the fifth key of a tile goes through the scalar registers.
 */

#include "blake2_simd_impl.h"

#if defined(BLAKE2_SIMD_X86)

#include "vec_avx2.h"

#define STREAMS 1
#define SCALAR 1
#define IN_FLIGHT 2
#define VECTORS 2
#define BESIDE 2
#define NAME(kernel) rvh_##kernel##_avx2
#include "lanes.h"

#endif
