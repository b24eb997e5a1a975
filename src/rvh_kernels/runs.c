/* Runs of hashed keys x all nodes, where one node is asked for: scores are compared where they are
 * made. */

#include "murmur.h"
#include "work.h"

rvh_status rvh_best_of_batch(rvh_work *w, size_t n, size_t first_row) {
  enum { ROOM = RVH_BATCH + RVH_BEST_GROUP_MAX };
  uint64_t position[ROOM], word[ROOM];
  const uint32_t *order = w->nodes->order;
  intptr_t *chosen = w->chosen + first_row;
  rvh_status status = rvh_best_over(w->isa, w->nodes, w->hashes, n, w->poll, position, word);
  if (status != RVH_OK) return status;
  for (size_t i = 0; i < n; i++) chosen[i] = (intptr_t)order[position[i]];
  if (w->words != NULL) memcpy(w->words + first_row, word, n * sizeof *word);
  return RVH_OK;
}

rvh_status rvh_nearest_of_runs(rvh_work *w, size_t n, size_t first_row) {
  rvh_status status = RVH_OK;
  for (size_t i = 0, m; i < n && status == RVH_OK; i += m) {
    BLAKE2_SIMD_ALIGNED(64) uint64_t position[RVH_RUN];
    m = min_size(RVH_RUN, n - i);
    status = rvh_murmur_run_over(w->isa, w->nodes, w->hashes + i, m, w->poll, position);
    for (size_t l = 0; l < m && status == RVH_OK; l++) {
      const rvh_key key = {.hash = w->hashes[i + l]};
      const size_t row = first_row + i + l;
      if (position[l] == RVH_UNCERTAIN) {
        status = rvh_one_key(w, key, row);
        continue;
      }
      w->chosen[row] = (intptr_t)w->nodes->order[position[l]];
      if (w->words != NULL)
        rvh_score_row(w->isa, w->nodes, &key, (size_t)position[l], 1, &w->words[row], NULL);
    }
  }
  return status;
}
