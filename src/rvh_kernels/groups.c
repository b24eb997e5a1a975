/* A group of keys x all nodes: keys in the lanes, strips of nodes whose tile of scores stays in the
 * L1 cache. */

#include "work.h"

rvh_status rvh_group_of_keys(rvh_work *w, const rvh_key *keys, const size_t *rows,
                             size_t count_keys) {
  const size_t n = w->nodes->n, lanes = w->lanes;
  rvh_key all_lanes[BLAKE2_SIMD_LANES_MAX];
  const size_t longest = keys[count_keys - 1].bytes.size;
  const size_t cost = lanes * (1 + longest / BLAKE2_SIMD_BLOCK);
  const rvh_hashed_source source = {{rvh_rescore_hashed, w->poll}, w, all_lanes};
  uint64_t *lo = rvh_low_words(w);
  rvh_topk top = rvh_work_topk(w, lanes, w->stride, &source.head);
  if (w->rules != NULL && w->rules->spread != NULL)
    rvh_spread_start(w->rules->spread, w->isa, &top);
  for (size_t l = 0; l < lanes; l++) all_lanes[l] = l < count_keys ? keys[l] : (rvh_key){0};
  rvh_group_load(w->isa, w->nodes, w->group, all_lanes, count_keys);
  for (size_t first = 0, count; first < n; first += count) {
    count = min_size(RVH_STRIP, n - first);
    if (rvh_stopped(w->poll, count * cost)) return RVH_STOPPED;
    rvh_score_tile(w->isa, w->nodes, w->group, first, count, w->hi, lo);
    if (w->scores != NULL)
      for (size_t l = 0; l < count_keys; l++)
        rvh_write_scores(w, l, w->stride, first, count, rows[l]);
    else if (w->high_words != NULL)
      for (size_t l = 0; l < count_keys; l++) w->high_words[rows[l]] = w->hi[l];
    else if (w->rules == NULL)
      w->isa->topk(&top, w->hi, first, count);
    else
      rvh_add_tile(w, &top, w->isa->topk, rows, count_keys, first, count);
  }
  rvh_status status = RVH_OK;
  for (size_t l = 0; w->chosen != NULL && l < count_keys && status == RVH_OK; l++)
    status = rvh_write_chosen(w, &top, l, rows[l]);
  return status;
}
