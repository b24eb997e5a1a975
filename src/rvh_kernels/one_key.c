/* One key x all nodes: nodes in the lanes. */

#include "murmur.h"
#include "work.h"

#include <stdlib.h>

enum {
  STACK_BYTES = 3 << 10, /* on the stack, which spare a single key the allocation */
};

rvh_status rvh_one_key(rvh_work *w, rvh_key key, size_t row) {
  const size_t n = w->nodes->n;
  const size_t cost = 1 + key.bytes.size / BLAKE2_SIMD_BLOCK;
  const rvh_hashed_source source = {{rvh_rescore_hashed, w->poll}, w, &key};
  uint64_t *lo = rvh_low_words(w);
  rvh_topk top = rvh_work_topk(w, 1, 1, &source.head);
  if (w->rules != NULL && w->rules->spread != NULL) rvh_spread_start(w->rules->spread, NULL, &top);
  for (size_t first = 0, count; first < n; first += count) {
    count = min_size(RVH_ROW_STRIP, n - first);
    if (rvh_stopped(w->poll, count * cost)) return RVH_STOPPED;
    rvh_score_row(w->isa, w->nodes, &key, first, count, w->hi, lo);
    if (w->scores != NULL)
      rvh_write_scores(w, 0, 1, first, count, row);
    else if (w->high_words != NULL)
      w->high_words[row] = w->hi[0];
    else if (w->rules == NULL)
      rvh_topk_portable(&top, w->hi, first, count);
    else
      rvh_add_tile(w, &top, rvh_topk_portable, &row, 1, first, count);
  }
  return w->chosen == NULL ? RVH_OK : rvh_write_chosen(w, &top, 0, row);
}

rvh_status rvh_select_one(const rvh_isa *isa, const rvh_nodes *nodes, blake2_simd_bytes key,
                          size_t k, intptr_t *out, rvh_poll *poll) {
  BLAKE2_SIMD_ALIGNED(64) uint8_t small[STACK_BYTES];
  rvh_work w;
  rvh_status status = rvh_work_start(&w, isa, nodes, 1, NULL, k, poll, small, sizeof small);
  if (status != RVH_OK) return status;
  w.chosen = out;
  const int hashes = nodes->scheme == RVH_MURMUR;
  status = rvh_one_key(&w, (rvh_key){key, hashes ? rvh_murmur64a(key, RVH_MURMUR_KEY_SEED) : 0}, 0);
  free(w.memory);
  return status;
}
