/* The best node of each of a block of keys, by weighted scores of the scheme `murmur`.
 *
 * It has the least -ln(u) / w, and four terms of a series tell which that is: with d = 1 - u,
 *
 *     d + d^2/2 + d^3/3 + d^4/4 < -ln(u) = d + d^2/2 + ... < (the same) * (1 + d^4 / (5 (1 - d)))
 *
 * so a node whose upper bound is below every other's lower bound has the highest weighted score,
 * also in the contract's rounded arithmetic. The best node's d is small; where bounds do overlap,
 * the key is scored by the contract's sequence: 7 in 100 with two nodes, 2 in 1,000 with eight,
 * hardly any with 64. */

#include "murmur.h"

#include <math.h>

enum {
  NODES = 4096,        /* of a strip: at most 2^20 pairs between two polls */
  PAIRS_PER_WORK = 16, /* that take as long as a compression */
};

static double series(double d) { return d + d * d * (1.0 / 2 + d * (1.0 / 3 + d * (1.0 / 4))); }

/* Whether the node's upper bound is below `next`, the least lower bound of the others. Both sides
 * are multiplied by 5 (1 - d). 2^-40 covers every rounding here, in the kernel (below 2^-47) and in
 * the contract's weighted scores (below 2^-50). */
static int is_certain(const rvh_nodes *nodes, uint64_t key, uint64_t position, double next) {
  const uint64_t score = rvh_murmur_pair(key, nodes->hash[position]);
  const double u = (double)(score & (((uint64_t)1 << 53) - 1)) * 0x1p-53, d = 1 - u;
  const double lower = series(d) * nodes->inverse[position];
  const double upper = lower * (5 * u + d * d * (d * d));
  return upper * (1 + 0x1p-40) < next * (5 * u);
}

rvh_status rvh_murmur_run_over(const rvh_isa *isa, const rvh_nodes *nodes, uint64_t *hash, size_t n,
                               rvh_poll *poll, uint64_t *position) {
  BLAKE2_SIMD_ALIGNED(64) double least[RVH_RUN], next[RVH_RUN];
  const size_t keys = (n + 31) / 32 * 32;
  const rvh_murmur_run run = {.keys = keys,
                              .hash = hash,
                              .nodes = nodes->hash,
                              .position = position,
                              .inverse = nodes->inverse,
                              .least = least,
                              .next = next};
  for (size_t i = 0; i < keys; i++) {
    position[i] = 0; /* the first node, if no score is above 0 */
    least[i] = next[i] = HUGE_VAL;
  }
  for (size_t first = 0, count; first < nodes->n; first += count) {
    count = nodes->n - first < NODES ? nodes->n - first : NODES;
    if (rvh_stopped(poll, keys * count / PAIRS_PER_WORK)) return RVH_STOPPED;
    isa->murmur_nearest(&run, first, count);
  }
  for (size_t i = 0; i < n; i++)
    if (!is_certain(nodes, hash[i], position[i], next[i])) position[i] = RVH_UNCERTAIN;
  return RVH_OK;
}
