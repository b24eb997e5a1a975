/* The kernels over vectors: included by one file for each instruction set, after its vec_*.h, with
 * STREAMS (vectors in a row of a tile), SCALAR (1: a lane more behind them), IN_FLIGHT (vectors of
 * keys that are worked on at a time where there is no tile), VECTORS and BESIDE (the same in
 * best_lanes.h, and keys in the scalar registers beside them) and NAME defined. */

#include "rvh_kernels_impl.h"

#if defined(__GNUC__)
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#elif defined(_MSC_VER)
#define ALWAYS_INLINE static __forceinline
#else
#define ALWAYS_INLINE static inline
#endif

/* The number of the lowest bit that is set; one is. */
static inline size_t lowest_bit(unsigned bits) {
#if defined(__GNUC__)
  return (size_t)__builtin_ctz(bits);
#else
  size_t i = 0;
  while ((bits >> i & 1) == 0) i++;
  return i;
#endif
}

#define WHOLE (V_LANES * STREAMS)
#define STRIDE ((WHOLE + SCALAR + V_LANES - 1) / V_LANES * V_LANES)

#include "hash_lanes.h"
#include "jump_lanes.h"
#include "md5_lanes.h"
#include "murmur_lanes.h"
/* those that mix: */
#include "best_lanes.h"
#include "one_lanes.h"
#include "rank_lanes.h"
#include "topk_lanes.h"
#include "weigh_lanes.h"
/* over what those define */
#include "settle_lanes.h"
