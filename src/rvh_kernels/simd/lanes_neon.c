/* Every kernel over vectors with NEON. */

#include "blake2_simd_impl.h"

#if defined(BLAKE2_SIMD_ARM64)

#include "vec_neon.h"

#define STREAMS 1
#define SCALAR 0
#ifndef IN_FLIGHT
#define IN_FLIGHT 2
#endif
#ifndef BESIDE
#define BESIDE 2
#endif
#define NAME(kernel) rvh_##kernel##_neon
#include "lanes.h"

#endif
