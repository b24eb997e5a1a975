/* The best k with AVX-512, seventeen keys at a time. */

#include "blake2_simd_impl.h"

#if defined(BLAKE2_SIMD_X86)

#include "blake2_simd_vec_avx512.h"

#define STREAMS 2
#define SCALAR 1
#define TOPK_NAME rvh_topk_avx512
#include "topk_lanes.h"

#endif
