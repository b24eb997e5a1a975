/* Keys x nodes: batches of keys in order of length, and for each batch the shape that is fastest.
 *
 * Where there are too few keys to fill the lanes, lanes hold nodes instead: a row. */

#include "murmur.h"
#include "work.h"

#include <stdlib.h>

enum {
  RUN_LEAST = 4, /* keys below which rows are faster than a run */
};

/* Whether m keys are scored faster one by one, with nodes in the lanes, than together: a call of
 * the kernel takes 1.3 times as long for a row, which assembles its messages word by word. */
static int better_one_by_one(const rvh_work *w, size_t m) {
  const size_t rows = m * ((w->nodes->n + w->lanes - 1) / w->lanes);
  return rvh_topk_bytes(w->k, w->stride) > RVH_HEAP_BYTES ||
         (w->rules != NULL && w->rules->spread != NULL && w->rules->spread->stride < w->stride) ||
         (m < w->lanes && rows * 13 < w->nodes->n * 10);
}

/* ---- batches ------------------------------------------------------------------------------ */

/* order: the spans' indices by size, shortest first, equal ones as they stand (a counting sort;
 * keys too long for a tile come last, in any order). Keys of like size have the same number of
 * blocks and words, so a group costs what its keys cost. any: all keys cost the same, so any order
 * does. */
static void order_by_size(const blake2_simd_bytes *spans, size_t n, int any, uint16_t *order) {
  enum { SIZES = BLAKE2_SIMD_SUFFIX_MAX + 2 };
  uint16_t start[SIZES];
  size_t i = 1;
  while (!any && i < n && spans[i].size == spans[0].size) i++;
  if (any || i >= n) {
    for (i = 0; i < n; i++) order[i] = (uint16_t)i;
    return;
  }
  memset(start, 0, sizeof start);
  for (i = 0; i < n; i++) start[min_size(spans[i].size, SIZES - 1)]++;
  uint16_t sum = 0;
  for (i = 0; i < SIZES; i++) {
    uint16_t count = start[i];
    start[i] = sum;
    sum = (uint16_t)(sum + count);
  }
  for (i = 0; i < n; i++) order[start[min_size(spans[i].size, SIZES - 1)]++] = (uint16_t)i;
}

static rvh_status one_batch(rvh_work *w, size_t n, size_t first_row) {
  uint16_t order[RVH_BATCH];
  rvh_status status = RVH_OK;
  const int hashes = w->hashes != NULL;
  if (hashes && w->chosen != NULL && w->rules == NULL && n >= RUN_LEAST) {
    if (w->k == 1 && w->nodes->weight == NULL) return rvh_best_of_batch(w, n, first_row);
    if (rvh_ranks_serve(w)) return rvh_best_of_ranks(w, n, first_row);
  }
  order_by_size(w->spans, n, hashes, order);
  size_t short_keys = n; /* that a tile takes */
  while (!hashes && short_keys > 0 && w->spans[order[short_keys - 1]].size > BLAKE2_SIMD_SUFFIX_MAX)
    short_keys--;
  for (size_t i = 0, taken; i < n && status == RVH_OK; i += taken) {
    const size_t left = i < short_keys ? short_keys - i : 0;
    if (left == 0 || better_one_by_one(w, min_size(w->lanes, left))) {
      taken = 1;
      status = rvh_one_key(w, rvh_batch_key(w, order[i]), first_row + order[i]);
    } else {
      status = rvh_groups_of_keys(w, (rvh_batch){order + i, left, first_row}, &taken);
    }
  }
  return status;
}

/* Rows start to stop of a column; w's answers begin at row `start`. */
static rvh_status all_batches(rvh_work *w, const rvh_column *keys, size_t start, size_t stop,
                              size_t *bad) {
  rvh_status status = RVH_OK;
  for (size_t row = start, n; row < stop && status == RVH_OK; row += n) {
    n = min_size(w->batch, stop - row);
    if (w->hashes == NULL) {
      status = rvh_column_spans(keys, row, n, w->spans, w->scratch, bad);
    } else {
      status = rvh_column_hashes(w->isa, keys, row, n, w->hashes, w->spans, w->scratch, bad);
      memset(w->hashes + n, 0, RVH_BEST_GROUP_MAX * sizeof *w->hashes); /* fills the last group */
    }
    if (status == RVH_OK) status = one_batch(w, n, row - start);
  }
  return status;
}

typedef struct {
  rvh_source head;
  const uint64_t *scores; /* [rows][indices][words] from the lanes' first row on */
  const rvh_nodes *nodes;
  size_t rows, words;
} given_source;

static rvh_score rescore_given(const rvh_source *source, size_t lane, size_t position) {
  const given_source *from = (const given_source *)source;
  const size_t row = min_size(lane, from->rows - 1); /* spare lanes repeat the last row */
  const size_t at = row * from->nodes->indices + from->nodes->order[position];
  const uint64_t *score = from->scores + at * from->words;
  return (rvh_score){score[0], from->words == 2 ? score[1] : 0};
}

/* ---- the calls ---------------------------------------------------------------------------- */

size_t rvh_score_words(const rvh_nodes *nodes) {
  return nodes->scheme == RVH_BLAKE2B && nodes->weight == NULL ? 2 : 1;
}

rvh_status rvh_argselect(const rvh_isa *isa, const rvh_nodes *nodes, const rvh_column *keys,
                         size_t start, size_t stop, size_t k, intptr_t *out, uint64_t *words,
                         rvh_poll *poll, size_t *bad) {
  rvh_work w;
  rvh_status status = rvh_work_start(&w, isa, nodes, 0, keys, k, poll, NULL, 0);
  if (status != RVH_OK) return status;
  w.chosen = out;
  w.words = words;
  status = all_batches(&w, keys, start, stop, bad);
  rvh_work_end(&w);
  return status;
}

rvh_status rvh_argselect_spread(const rvh_isa *isa, const rvh_nodes *nodes, const rvh_column *keys,
                                size_t start, size_t stop, size_t k, const rvh_spread *spread,
                                const intptr_t *current, size_t current_count, intptr_t *out,
                                rvh_poll *poll, size_t *bad) {
  rvh_work w;
  rvh_spreading spreading;
  rvh_constraints rules = {0};
  uint32_t *position_of = NULL;
  rvh_status status = rvh_work_start(&w, isa, nodes, 0, keys, k, poll, NULL, 0);
  if (status != RVH_OK) return status;
  w.chosen = out;
  if (spread != NULL) {
    status = rvh_spread_new(&spreading, nodes, spread, k, w.stride, RVH_HEAP_BYTES);
    if (status == RVH_OK) rules.spread = &spreading;
  }
  if (current != NULL && status == RVH_OK) {
    position_of = malloc(nodes->indices * sizeof *position_of);
    if (position_of == NULL) status = RVH_NO_MEMORY;
  }
  if (position_of != NULL) {
    memset(position_of, 0xff, nodes->indices * sizeof *position_of);
    for (size_t p = 0; p < nodes->n; p++) position_of[nodes->order[p]] = (uint32_t)p;
    rules.position_of = position_of;
    rules.current = current;
    rules.current_count = current_count;
  }
  if (spread != NULL || current != NULL) w.rules = &rules;
  if (status == RVH_OK) status = all_batches(&w, keys, start, stop, bad);
  if (rules.spread != NULL) rvh_spread_free(&spreading);
  free(position_of);
  rvh_work_end(&w);
  return status;
}

rvh_status rvh_scores(const rvh_isa *isa, const rvh_nodes *nodes, const rvh_column *keys,
                      size_t start, size_t stop, uint64_t *out, rvh_poll *poll, size_t *bad) {
  rvh_work w;
  rvh_status status = rvh_work_start(&w, isa, nodes, 0, keys, 1, poll, NULL, 0);
  if (status != RVH_OK) return status;
  w.scores = out;
  if (nodes->n < nodes->indices) /* nodes of weight 0 */
    memset(out, 0, (stop - start) * nodes->indices * rvh_score_words(nodes) * sizeof *out);
  status = all_batches(&w, keys, start, stop, bad);
  rvh_work_end(&w);
  return status;
}

/* Hashes a key's bytes alone: the only node has an empty id, which no caller's node has. */
rvh_status rvh_key_words(const rvh_isa *isa, const rvh_column *keys, size_t start, size_t stop,
                         uint64_t *out, rvh_poll *poll, size_t *bad) {
  const uint64_t offsets[2] = {0, 0};
  const uint8_t nothing = 0;
  blake2_simd_params params;
  rvh_work w;
  blake2_simd_params_init(&params, 16, NULL, 0);
  rvh_nodes none = {.scheme = RVH_BLAKE2B,
                    .n = 1,
                    .prefixes = blake2_simd_prefixes_new(&params, &nothing, offsets, 1)};
  if (none.prefixes == NULL) return RVH_NO_MEMORY;
  rvh_status status = rvh_work_start(&w, isa, &none, 0, keys, 1, poll, NULL, 0);
  if (status == RVH_OK) {
    w.high_words = out;
    status = all_batches(&w, keys, start, stop, bad);
    rvh_work_end(&w);
  }
  blake2_simd_prefixes_free(none.prefixes);
  return status;
}

rvh_status rvh_rank_scores(const rvh_isa *isa, const rvh_nodes *nodes, const uint64_t *scores,
                           size_t rows, size_t k, intptr_t *out) {
  rvh_work w;
  rvh_status status = rvh_work_start(&w, isa, nodes, 0, NULL, k, NULL, NULL, 0);
  if (status != RVH_OK) return status;
  const size_t n = nodes->n, words = nodes->scheme == RVH_BLAKE2B ? 2 : 1;
  w.chosen = out;
  const int one_by_one = better_one_by_one(&w, w.lanes);
  const size_t lanes = one_by_one ? 1 : w.lanes, stride = one_by_one ? 1 : w.stride;
  rvh_topk_tile *topk = one_by_one ? rvh_topk_portable : isa->topk;
  rvh_weigh *weigh = one_by_one ? isa->weigh_row : isa->weigh_tile;
  for (size_t row = 0; row < rows; row += lanes) {
    const size_t count_keys = min_size(lanes, rows - row);
    const given_source source = {
        {rescore_given, NULL}, scores + words * row * nodes->indices, nodes, count_keys, words};
    rvh_topk top = rvh_work_topk(&w, lanes, stride, &source.head);
    for (size_t first = 0, count; first < n; first += count) {
      count = min_size(RVH_STRIP, n - first);
      for (size_t i = 0; i < count; i++)
        for (size_t l = 0; l < lanes; l++)
          w.hi[i * stride + l] = rescore_given(&source.head, l, first + i).hi;
      if (nodes->weight != NULL) weigh(w.hi, nodes->weight + first, count, nodes->scheme);
      topk(&top, w.hi, first, count);
    }
    for (size_t l = 0; l < count_keys; l++) rvh_write_chosen(&w, &top, l, row + l);
  }
  rvh_work_end(&w);
  return RVH_OK;
}

uint64_t rvh_bare_hashes(const rvh_isa *isa, size_t words, size_t n) {
  BLAKE2_SIMD_ALIGNED(64)
  uint64_t m[16 * BLAKE2_SIMD_STRIDE_MAX] = {0}, size[BLAKE2_SIMD_STRIDE_MAX] = {0};
  BLAKE2_SIMD_ALIGNED(64)
  uint64_t hi[RVH_STRIP * BLAKE2_SIMD_STRIDE_MAX] = {0}, lo[RVH_STRIP * BLAKE2_SIMD_STRIDE_MAX];
  uint64_t prefix[RVH_STRIP] = {0};
  const size_t lanes = blake2_simd_lanes(isa->hash);
  const blake2_simd_group group = {
      .words = 1, .count = RVH_STRIP, .prefix = prefix, .h = blake2_simd_iv};
  const blake2_simd_strip strip = {.group = &group,
                                   .count = RVH_STRIP,
                                   .suffix = m,
                                   .rows = words,
                                   .size = size,
                                   .hi = hi,
                                   .lo = lo};
  for (size_t done = 0; done < n; done += RVH_STRIP * lanes) {
    m[0] ^= hi[0];
    isa->hash->strip(&strip, 1, words, 1);
  }
  return hi[0];
}
