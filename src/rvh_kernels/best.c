/* The best node of each key by scores of the scheme `murmur`, without weights: the highest score.
 * Nodes come in descending order of their ids, so the first of equal scores is the contract's. */

#include "murmur.h"

enum {
  NODES = 4096,        /* of a strip: some 2^22 pairs between two polls */
  MANY = 80,           /* from here on it is worth looking for the best in its step */
  PAIRS_PER_WORK = 16, /* that take as long as a compression */
};

rvh_status rvh_best_over(const rvh_isa *isa, const rvh_nodes *nodes, const uint64_t *hash, size_t n,
                         rvh_poll *poll, uint64_t *position, uint64_t *word) {
  const rvh_best_run run = {n, hash, nodes->hash, position, word};
  const size_t group = *isa->best_group, whole = (n + group - 1) / group * group;
  const int in_steps = nodes->n >= MANY;
  rvh_best_scan *scan = in_steps ? isa->best_step : isa->best;
  memset(position, 0, whole * sizeof *position);
  memset(word, 0, whole * sizeof *word); /* the first node, if all scores are 0 */
  if (nodes->n == 1) {
    for (size_t i = 0; i < n; i++) word[i] = rvh_murmur_pair(hash[i], nodes->hash[0]);
    return RVH_OK;
  }
  for (size_t first = 0, count; first < nodes->n; first += count) {
    count = nodes->n - first;
    if (count > NODES + 1) count = NODES; /* at least two are left */
    if (rvh_stopped(poll, n * count / PAIRS_PER_WORK)) return RVH_STOPPED;
    scan(&run, first, count);
  }
  if (in_steps) isa->best_find(&run, nodes->n);
  return RVH_OK;
}
