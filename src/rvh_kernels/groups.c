/* Groups of keys x all nodes: keys in the lanes, strips of nodes whose tile of scores stays in the
 * L1 cache. Where nodes are few, a tile takes several groups: a kernel that hashes is slow when it
 * is entered after other code, so each entry gets as many pairs. */

#include "work.h"

/* A group's running best nodes, and where its scores come from. */
typedef struct {
  rvh_source head;
  const rvh_work *w;
  rvh_batch batch; /* whose first keys are in the lanes */
  size_t count;
  rvh_topk top;
  uint64_t *rank; /* where ranks serve, instead: [RVH_RANKED_MAX + 1][stride] */
} group;

/* Whether a few nodes alone are asked for, which minima and maxima of ranks find. */
static int ranks_serve(const rvh_work *w) {
  return w->nodes->prefixes != NULL && w->chosen != NULL && w->words == NULL && w->rules == NULL &&
         w->k <= RVH_RANKED_MAX;
}

static rvh_batch after(rvh_batch batch, size_t keys) {
  return (rvh_batch){batch.order + keys, batch.n - keys, batch.first_row};
}

/* Adds the first keys of a batch, one for each lane; returns 0 where there is no room for them. */
static int add_group(rvh_work *w, rvh_batch batch) {
  const size_t lanes = w->lanes, n = min_size(lanes, batch.n);
  rvh_groups *groups = w->groups;
  if (w->hashes != NULL) { /* one group: its kernel is small */
    if (groups->count > 0) return 0;
    for (size_t l = 0; l < lanes; l++) groups->hash[l] = w->hashes[batch.order[min_size(l, n - 1)]];
  } else {
    blake2_simd_bytes bytes[BLAKE2_SIMD_LANES_MAX];
    for (size_t l = 0; l < n; l++) bytes[l] = w->spans[batch.order[l]];
    if (groups->count == 0) blake2_simd_suffixes_clear(groups->suffixes);
    if (!blake2_simd_suffixes_add(w->isa->hash, groups->suffixes, bytes, n)) return 0;
  }
  groups->count++;
  return 1;
}

/* Loads as many full groups as a tile has room for with all nodes, at least one group of any size.
 * Returns how many keys. */
static size_t load(rvh_work *w, rvh_batch batch) {
  const size_t lanes = w->lanes, most = min_size(RVH_STRIP / w->nodes->n, batch.n / lanes);
  size_t taken = 0;
  w->groups->count = 0;
  do {
    if (!add_group(w, after(batch, taken))) break;
    taken += lanes;
  } while (w->groups->count < most);
  return min_size(taken, batch.n);
}

static rvh_score rescore(const rvh_source *source, size_t lane, size_t position) {
  const group *g = (const group *)source;
  const rvh_key key = rvh_batch_key(g->w, g->batch.order[min_size(lane, g->count - 1)]);
  return rvh_score_pair(g->w->isa, g->w->nodes, &key, position);
}

/* Many domains take a while. */
static rvh_status start(rvh_work *w, rvh_batch batch, uint64_t *rank, group *g) {
  *g = (group){.head = {rescore, w->poll},
               .w = w,
               .batch = batch,
               .count = min_size(w->lanes, batch.n),
               .rank = rank};
  if (rank != NULL) return RVH_OK;
  g->top = rvh_work_topk(w, w->lanes, w->stride, &g->head);
  if (w->rules != NULL && w->rules->spread != NULL)
    rvh_spread_start(w->rules->spread, w->isa, &g->top);
  return w->poll != NULL && w->poll->stopped ? RVH_STOPPED : RVH_OK;
}

/* Uses a group's part of a tile. */
static void use(rvh_work *w, group *g, const rvh_tile *tile) {
  size_t rows[BLAKE2_SIMD_LANES_MAX];
  if (g->rank != NULL) {
    w->isa->rank_tile(tile->hi, tile->first, tile->count, w->nodes->low, g->rank, w->k);
    return;
  }
  if (w->rules == NULL && w->chosen != NULL) {
    w->isa->topk(&g->top, tile->hi, tile->first, tile->count);
    return;
  }
  for (size_t l = 0; l < g->count; l++) rows[l] = g->batch.first_row + g->batch.order[l];
  if (w->chosen != NULL)
    rvh_add_tile(w, &g->top, w->isa->topk, rows, g->count, tile);
  else if (w->scores != NULL)
    for (size_t l = 0; l < g->count; l++) rvh_write_scores(w, tile, l, w->stride, rows[l]);
  else
    for (size_t l = 0; l < g->count; l++) w->high_words[rows[l]] = tile->hi[l];
}

/* Keys whose ranks leave two nodes open are asked one by one, with memory of their own: the tile
 * can have other groups. */
static rvh_status write_ranked(const rvh_work *w, const group *g) {
  BLAKE2_SIMD_ALIGNED(64) uint64_t unsure[BLAKE2_SIMD_STRIDE_MAX];
  const size_t k = w->k, stride = w->stride;
  rvh_status status = RVH_OK;
  w->isa->settle_ties(g->rank, stride, stride, k, w->nodes->low, unsure);
  for (size_t l = 0; l < g->count && status == RVH_OK; l++) {
    const size_t place = g->batch.order[l];
    intptr_t *out = w->chosen + (g->batch.first_row + place) * k;
    for (size_t j = 0; j < k; j++)
      out[j] = (intptr_t)w->nodes->order[g->rank[j * stride + l] & w->nodes->low];
    if (unsure[l])
      status = rvh_select_one(w->isa, w->nodes, rvh_batch_key(w, place).bytes, k, out, w->poll);
  }
  return status;
}

static rvh_status finish(rvh_work *w, group *g) {
  rvh_status status = RVH_OK;
  if (g->rank != NULL) return write_ranked(w, g);
  for (size_t l = 0; w->chosen != NULL && l < g->count && status == RVH_OK; l++)
    status = rvh_write_chosen(w, &g->top, l, g->batch.first_row + g->batch.order[l]);
  return status;
}

rvh_status rvh_groups_of_keys(rvh_work *w, rvh_batch batch, size_t *taken) {
  const size_t n = w->nodes->n, lanes = w->lanes;
  uint64_t *lo = rvh_low_words(w);
  BLAKE2_SIMD_ALIGNED(64) uint64_t rank[(RVH_RANKED_MAX + 1) * BLAKE2_SIMD_STRIDE_MAX];
  uint64_t *ranks = ranks_serve(w) ? rank : NULL;
  group g;
  *taken = load(w, batch);
  const size_t groups = w->groups->count;
  const size_t longest = rvh_batch_key(w, batch.order[*taken - 1]).bytes.size;
  const size_t cost = groups * lanes * (1 + longest / BLAKE2_SIMD_BLOCK);
  rvh_status status = RVH_OK;
  for (size_t first = 0, count; first < n; first += count) {
    count = min_size(RVH_STRIP, n - first);
    if (rvh_stopped(w->poll, count * cost)) return RVH_STOPPED;
    rvh_score_tile(w->isa, w->nodes, w->groups, first, count, w->hi, lo);
    /* Either one group or one tile, so one `g` at a time. */
    for (size_t i = 0; i < groups; i++) {
      const size_t at = i * count * w->stride;
      if (first == 0) status = start(w, after(batch, i * lanes), ranks, &g);
      const rvh_tile tile = {w->hi + at, lo == NULL ? NULL : lo + at, first, count};
      if (status == RVH_OK) use(w, &g, &tile);
      if (status == RVH_OK && first + count == n) status = finish(w, &g);
      if (status != RVH_OK) return status;
    }
  }
  return RVH_OK;
}
