/* The best k with AVX2, four keys at a time. */

#include "blake2_simd_impl.h"

#if defined(BLAKE2_SIMD_X86)

#include "blake2_simd_vec_avx2.h"

#define STREAMS 1
#define SCALAR 0
#define TOPK_NAME rvh_topk_avx2
#include "topk_lanes.h"

#endif
