/* The best k with NEON, two keys at a time. */

#include "blake2_simd_impl.h"

#if defined(BLAKE2_SIMD_ARM64)

#include "blake2_simd_vec_neon.h"

#define STREAMS 1
#define SCALAR 0
#define TOPK_NAME rvh_topk_neon
#include "topk_lanes.h"

#endif
