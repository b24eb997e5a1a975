/* Every kernel over vectors with AVX2. */

#include "blake2_simd_impl.h"

#if defined(BLAKE2_SIMD_X86)

#include "vec_avx2.h"

#define STREAMS 1
#define SCALAR 0
#define IN_FLIGHT 2
#define VECTORS 2
#define BESIDE 2
#define NAME(kernel) rvh_##kernel##_avx2
#include "lanes.h"

#endif
