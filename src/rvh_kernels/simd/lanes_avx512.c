/* Every kernel over vectors with AVX-512; the seventeenth key of a tile goes through the scalar
 * registers. */

#include "blake2_simd_impl.h"

#if defined(BLAKE2_SIMD_X86)

#include "vec_avx512.h"

#define STREAMS 2
#define SCALAR 1
#ifndef IN_FLIGHT
#define IN_FLIGHT 4
#endif
#ifndef BESIDE
#define BESIDE 3
#endif
#define NAME(kernel) rvh_##kernel##_avx512
#include "lanes.h"

#endif
