/* The best k in portable C, one key at a time. */

#include "blake2_simd_vec_portable.h"

#define STREAMS 1
#define SCALAR 0
#define TOPK_NAME rvh_topk_portable
#include "topk_lanes.h"
