/* Runs of hashed keys x all nodes, where one node is asked for and there are no weights: scores are
 * compared where they are made. */

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
