/* Keys x nodes: batches of keys in order of length, groups of as many keys as the kernel has
 * lanes, strips of nodes whose tile of scores stays in the L1 cache.
 *
 * Where there are too few keys to fill the lanes, lanes hold nodes instead: a row. */

#include "murmur.h"
#include "spread.h"

#include <stdlib.h>

enum {
  BATCH = 1024,          /* keys whose spans are looked up and sorted together */
  STRIP = 32,            /* nodes of a tile: 6 KiB of high words with 17 lanes */
  ROW_STRIP = 128,       /* nodes of a row's scores */
  SCRATCH = 1 << 20,     /* bytes for keys that are not used in place */
  HEAP_BYTES = 4 << 20,  /* for the heaps of one group; above, one key at a time */
  RUN_LEAST = 4,         /* keys below which rows are faster than a run */
  STACK_BYTES = 3 << 10, /* on the stack, which spare a single key the allocation */
  LANES_MAX = BLAKE2_SIMD_LANES_MAX,
  STRIDE_MAX = BLAKE2_SIMD_STRIDE_MAX,
};

/* ---- one thread's memory ------------------------------------------------------------------ */

/* What decides the best k, besides the ranking. */
typedef struct {
  rvh_spreading *spread;   /* or NULL */
  const intptr_t *current; /* [rows][current_count], or NULL */
  size_t current_count;
  const uint32_t *position_of; /* index -> position, for `current` */
} constraints;

typedef struct {
  const rvh_isa *isa;
  const rvh_nodes *nodes;
  rvh_poll *poll;
  size_t lanes, stride, k;
  /* one of them takes the answers: chosen (and words), scores, or high_words */
  intptr_t *chosen;         /* [rows][k] */
  uint64_t *words;          /* [rows][k], or NULL */
  uint64_t *scores;         /* [rows][indices][rvh_score_words] */
  uint64_t *high_words;     /* [rows]: of the only node */
  const constraints *rules; /* or NULL */
  /* pieces of `memory` */
  uint64_t *hi, *lo; /* a tile, or a row; low words only for scores */
  rvh_group *group;
  void *topk;
  rvh_candidate *best; /* [k] */
  blake2_simd_bytes *spans;
  uint64_t *hashes; /* RVH_MURMUR: of the spans */
  uint8_t *scratch;
  size_t batch; /* keys that spans, hashes and scratch have room for */
  void *memory;
} work;

/* The next piece of `base`; with NULL, only adds its size to *used. */
static void *next_piece(uint8_t *base, size_t *used, size_t size) {
  uint8_t *piece = base == NULL ? NULL : base + *used;
  *used += (size + 63) / 64 * 64;
  return piece;
}

/* Divides `base` into the pieces; with NULL, only returns the bytes they need. */
static size_t lay_out(work *w, const rvh_column *keys, uint8_t *base) {
  const size_t tile = STRIP * w->stride > ROW_STRIP ? STRIP * w->stride : ROW_STRIP;
  const size_t stride = rvh_topk_bytes(w->k, w->stride) <= HEAP_BYTES ? w->stride : 1;
  size_t used = 0;
  w->hi = next_piece(base, &used, tile * sizeof *w->hi);
  w->lo = next_piece(base, &used, tile * sizeof *w->lo);
  w->topk = next_piece(base, &used, rvh_topk_bytes(w->k, stride));
  w->best = next_piece(base, &used, w->k * sizeof *w->best);
  if (keys != NULL) {
    const size_t each = rvh_column_scratch(keys);
    w->batch = each * BATCH <= SCRATCH ? BATCH : each < SCRATCH ? SCRATCH / each : 1;
    if (w->batch > w->lanes) w->batch -= w->batch % w->lanes; /* whole groups */
    w->group = next_piece(base, &used, sizeof *w->group);
    w->spans = next_piece(base, &used, w->batch * sizeof *w->spans);
    if (w->nodes->scheme == RVH_MURMUR) {
      w->hashes = next_piece(base, &used, (w->batch + RVH_RUN) * sizeof *w->hashes);
    } else {
      void *suffixes = next_piece(base, &used, blake2_simd_suffixes_size());
      if (base != NULL) w->group->suffixes = suffixes;
    }
    w->scratch = next_piece(base, &used, w->batch * each);
  }
  return used;
}

/* Uses `small` where that is enough, otherwise allocates. rows_only: one key at a time. */
static rvh_status work_start(work *w, const rvh_isa *isa, const rvh_nodes *nodes, int rows_only,
                             const rvh_column *keys, size_t k, rvh_poll *poll, uint8_t *small,
                             size_t small_size) {
  *w = (work){.isa = isa, .nodes = nodes, .poll = poll, .k = k};
  w->lanes = rows_only ? 1 : blake2_simd_lanes(isa->hash);
  w->stride = rows_only ? 1 : blake2_simd_stride(isa->hash);
  const size_t size = lay_out(w, keys, NULL);
  if (size <= small_size) {
    lay_out(w, keys, small);
    return RVH_OK;
  }
  w->memory = malloc(size + 64);
  if (w->memory == NULL) return RVH_NO_MEMORY;
  lay_out(w, keys, (uint8_t *)(((uintptr_t)w->memory + 63) / 64 * 64));
  return RVH_OK;
}

/* ---- answers ------------------------------------------------------------------------------ */

static rvh_status write_chosen(work *w, rvh_topk *top, size_t lane, size_t row) {
  if (w->rules != NULL && w->rules->spread != NULL)
    rvh_spread_finish(w->rules->spread, lane, w->best);
  else
    rvh_topk_finish(top, lane, w->best);
  if (w->poll != NULL && w->poll->stopped) return RVH_STOPPED;
  for (size_t j = 0; j < w->k; j++) {
    w->chosen[row * w->k + j] = (intptr_t)w->nodes->order[w->best[j].position];
    if (w->words != NULL) w->words[row * w->k + j] = w->best[j].hi;
  }
  return RVH_OK;
}

static void write_scores(work *w, size_t lane, size_t stride, size_t first, size_t count,
                         size_t row) {
  const size_t words = rvh_score_words(w->nodes);
  uint64_t *out = w->scores + row * w->nodes->indices * words;
  for (size_t i = 0; i < count; i++) {
    const size_t at = words * w->nodes->order[first + i];
    out[at] = w->hi[i * stride + lane];
    if (words == 2) out[at + 1] = w->lo[i * stride + lane];
  }
}

/* Where low words go; NULL where they are not needed. */
static uint64_t *low_words(const work *w) {
  return w->scores != NULL && rvh_score_words(w->nodes) == 2 ? w->lo : NULL;
}

/* ---- ties --------------------------------------------------------------------------------- */

typedef struct {
  rvh_source head;
  const work *w;
  const rvh_key *keys; /* of the lanes */
} hashed_source;

static rvh_score rescore_hashed(const rvh_source *source, size_t lane, size_t position) {
  const hashed_source *from = (const hashed_source *)source;
  return rvh_score_pair(from->w->isa, from->w->nodes, &from->keys[lane], position);
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

static rvh_topk start_topk(work *w, size_t lanes, size_t stride, const rvh_source *source) {
  rvh_topk top;
  rvh_topk_start(&top, w->k, lanes, stride, w->nodes->tie, w->topk);
  top.source = source;
  return top;
}

/* ---- constraints -------------------------------------------------------------------------- */

/* Changes the words of the nodes at first to first + count so that a key's current nodes rank
 * before all others. The highest bit marks them: weighted scores do not use it, and others give up
 * their lowest bit, since a tie compares whole scores. rows: of the first `keys` lanes. */
static void prefer_current(work *w, const size_t *rows, size_t keys, size_t stride, size_t first,
                           size_t count) {
  if (w->nodes->weight == NULL)
    for (size_t i = 0; i < count * stride; i++) w->hi[i] >>= 1;
  for (size_t l = 0; l < keys; l++) {
    const intptr_t *current = w->rules->current + rows[l] * w->rules->current_count;
    for (size_t j = 0; j < w->rules->current_count; j++) {
      if (current[j] < 0) continue;
      const size_t at = w->rules->position_of[current[j]] - first; /* wraps to far above count */
      if (at < count) w->hi[at * stride + l] |= (uint64_t)1 << 63;
    }
  }
}

/* Adds a tile, under constraints, with the kernel `topk`; rows: of the first `keys` lanes. */
static void add_tile(work *w, rvh_topk *top, rvh_topk_tile *topk, const size_t *rows, size_t keys,
                     size_t first, size_t count) {
  if (w->rules->current != NULL) prefer_current(w, rows, keys, top->stride, first, count);
  if (w->rules->spread != NULL)
    rvh_spread_add(w->rules->spread, w->hi, first, count);
  else
    topk(top, w->hi, first, count);
}

/* ---- one key x all nodes ------------------------------------------------------------------ */

static rvh_status one_key(work *w, rvh_key key, size_t row) {
  const size_t n = w->nodes->n;
  const size_t cost = 1 + key.bytes.size / BLAKE2_SIMD_BLOCK;
  const hashed_source source = {{rescore_hashed, w->poll}, w, &key};
  uint64_t *lo = low_words(w);
  rvh_topk top = start_topk(w, 1, 1, &source.head);
  if (w->rules != NULL && w->rules->spread != NULL) rvh_spread_start(w->rules->spread, NULL, &top);
  for (size_t first = 0, count; first < n; first += count) {
    count = min_size(ROW_STRIP, n - first);
    if (rvh_stopped(w->poll, count * cost)) return RVH_STOPPED;
    rvh_score_row(w->isa, w->nodes, &key, first, count, w->hi, lo);
    if (w->scores != NULL)
      write_scores(w, 0, 1, first, count, row);
    else if (w->high_words != NULL)
      w->high_words[row] = w->hi[0];
    else if (w->rules == NULL)
      rvh_topk_portable(&top, w->hi, first, count);
    else
      add_tile(w, &top, rvh_topk_portable, &row, 1, first, count);
  }
  return w->chosen == NULL ? RVH_OK : write_chosen(w, &top, 0, row);
}

/* ---- a group of keys x all nodes ---------------------------------------------------------- */

/* rows[l]: the row of keys[l]; the last key is the longest. */
static rvh_status group_of_keys(work *w, const rvh_key *keys, const size_t *rows,
                                size_t count_keys) {
  const size_t n = w->nodes->n, lanes = w->lanes;
  rvh_key all_lanes[LANES_MAX];
  const size_t longest = keys[count_keys - 1].bytes.size;
  const size_t cost = lanes * (1 + longest / BLAKE2_SIMD_BLOCK);
  const hashed_source source = {{rescore_hashed, w->poll}, w, all_lanes};
  uint64_t *lo = low_words(w);
  rvh_topk top = start_topk(w, lanes, w->stride, &source.head);
  if (w->rules != NULL && w->rules->spread != NULL)
    rvh_spread_start(w->rules->spread, w->isa, &top);
  for (size_t l = 0; l < lanes; l++) all_lanes[l] = l < count_keys ? keys[l] : (rvh_key){0};
  rvh_group_load(w->isa, w->nodes, w->group, all_lanes, count_keys);
  for (size_t first = 0, count; first < n; first += count) {
    count = min_size(STRIP, n - first);
    if (rvh_stopped(w->poll, count * cost)) return RVH_STOPPED;
    rvh_score_tile(w->isa, w->nodes, w->group, first, count, w->hi, lo);
    if (w->scores != NULL)
      for (size_t l = 0; l < count_keys; l++) write_scores(w, l, w->stride, first, count, rows[l]);
    else if (w->high_words != NULL)
      for (size_t l = 0; l < count_keys; l++) w->high_words[rows[l]] = w->hi[l];
    else if (w->rules == NULL)
      w->isa->topk(&top, w->hi, first, count);
    else
      add_tile(w, &top, w->isa->topk, rows, count_keys, first, count);
  }
  rvh_status status = RVH_OK;
  for (size_t l = 0; w->chosen != NULL && l < count_keys && status == RVH_OK; l++)
    status = write_chosen(w, &top, l, rows[l]);
  return status;
}

/* Whether m keys are scored faster one by one, with nodes in the lanes, than together: a call of
 * the kernel takes 1.3 times as long for a row, which assembles its messages word by word. */
static int better_one_by_one(const work *w, size_t m) {
  const size_t rows = m * ((w->nodes->n + w->lanes - 1) / w->lanes);
  return rvh_topk_bytes(w->k, w->stride) > HEAP_BYTES ||
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

/* The best node alone, of hashed keys: scores are compared where they are made. */
static rvh_status best_of_runs(work *w, size_t n, size_t first_row) {
  rvh_status status = RVH_OK;
  for (size_t i = 0, m; i < n && status == RVH_OK; i += m) {
    BLAKE2_SIMD_ALIGNED(64) uint64_t position[RVH_RUN], word[RVH_RUN];
    m = min_size(RVH_RUN, n - i);
    status = rvh_murmur_run_over(w->isa, w->nodes, w->hashes + i, m, w->poll, position, word);
    for (size_t l = 0; l < m && status == RVH_OK; l++) {
      const rvh_key key = {.hash = w->hashes[i + l]};
      const size_t row = first_row + i + l;
      if (position[l] == RVH_UNCERTAIN) {
        status = one_key(w, key, row);
        continue;
      }
      w->chosen[row] = (intptr_t)w->nodes->order[position[l]];
      if (w->words == NULL) continue;
      w->words[row] = word[l];
      if (w->nodes->weight != NULL)
        rvh_score_row(w->isa, w->nodes, &key, (size_t)position[l], 1, &w->words[row], NULL);
    }
  }
  return status;
}

static rvh_status one_batch(work *w, size_t n, size_t first_row) {
  uint16_t order[BATCH];
  rvh_status status = RVH_OK;
  const int hashes = w->hashes != NULL;
  if (hashes && w->chosen != NULL && w->k == 1 && w->rules == NULL && n >= RUN_LEAST)
    return best_of_runs(w, n, first_row);
  order_by_size(w->spans, n, hashes, order);
  for (size_t i = 0; i < n && status == RVH_OK;) {
    rvh_key keys[LANES_MAX];
    size_t rows[LANES_MAX], m = 0;
    for (; m < w->lanes && i + m < n; m++) {
      const size_t at = order[i + m];
      keys[m] = hashes ? (rvh_key){.hash = w->hashes[at]} : (rvh_key){.bytes = w->spans[at]};
      rows[m] = first_row + at;
      if (keys[m].bytes.size > BLAKE2_SIMD_SUFFIX_MAX && !hashes) break;
    }
    if (m == 0) {
      status = one_key(w, keys[0], rows[0]);
      m = 1;
    } else if (better_one_by_one(w, m)) {
      for (size_t l = 0; l < m && status == RVH_OK; l++) status = one_key(w, keys[l], rows[l]);
    } else {
      status = group_of_keys(w, keys, rows, m);
    }
    i += m;
  }
  return status;
}

/* Rows start to stop of a column; w's answers begin at row `start`. */
static rvh_status all_batches(work *w, const rvh_column *keys, size_t start, size_t stop,
                              size_t *bad) {
  rvh_status status = RVH_OK;
  for (size_t row = start, n; row < stop && status == RVH_OK; row += n) {
    n = min_size(w->batch, stop - row);
    if (w->hashes == NULL) {
      status = rvh_column_spans(keys, row, n, w->spans, w->scratch, bad);
    } else {
      status = rvh_column_hashes(keys, row, n, w->hashes, w->spans, w->scratch, bad);
      memset(w->hashes + n, 0, RVH_RUN * sizeof *w->hashes); /* fills up the last run */
    }
    if (status == RVH_OK) status = one_batch(w, n, row - start);
  }
  return status;
}

/* ---- the calls ---------------------------------------------------------------------------- */

size_t rvh_score_words(const rvh_nodes *nodes) {
  return nodes->scheme == RVH_BLAKE2B && nodes->weight == NULL ? 2 : 1;
}

rvh_status rvh_argselect(const rvh_isa *isa, const rvh_nodes *nodes, const rvh_column *keys,
                         size_t start, size_t stop, size_t k, intptr_t *out, uint64_t *words,
                         rvh_poll *poll, size_t *bad) {
  work w;
  rvh_status status = work_start(&w, isa, nodes, 0, keys, k, poll, NULL, 0);
  if (status != RVH_OK) return status;
  w.chosen = out;
  w.words = words;
  status = all_batches(&w, keys, start, stop, bad);
  free(w.memory);
  return status;
}

rvh_status rvh_argselect_spread(const rvh_isa *isa, const rvh_nodes *nodes, const rvh_column *keys,
                                size_t start, size_t stop, size_t k, const rvh_spread *spread,
                                const intptr_t *current, size_t current_count, intptr_t *out,
                                rvh_poll *poll, size_t *bad) {
  work w;
  rvh_spreading spreading;
  constraints rules = {0};
  uint32_t *position_of = NULL;
  rvh_status status = work_start(&w, isa, nodes, 0, keys, k, poll, NULL, 0);
  if (status != RVH_OK) return status;
  w.chosen = out;
  if (spread != NULL) {
    status = rvh_spread_new(&spreading, nodes, spread, k, w.stride, HEAP_BYTES);
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
  free(w.memory);
  return status;
}

rvh_status rvh_scores(const rvh_isa *isa, const rvh_nodes *nodes, const rvh_column *keys,
                      size_t start, size_t stop, uint64_t *out, rvh_poll *poll, size_t *bad) {
  work w;
  rvh_status status = work_start(&w, isa, nodes, 0, keys, 1, poll, NULL, 0);
  if (status != RVH_OK) return status;
  w.scores = out;
  if (nodes->n < nodes->indices) /* nodes of weight 0 */
    memset(out, 0, (stop - start) * nodes->indices * rvh_score_words(nodes) * sizeof *out);
  status = all_batches(&w, keys, start, stop, bad);
  free(w.memory);
  return status;
}

/* Hashes a key's bytes alone: the only node has an empty id, which no caller's node has. */
rvh_status rvh_key_words(const rvh_isa *isa, const rvh_column *keys, size_t start, size_t stop,
                         uint64_t *out, rvh_poll *poll, size_t *bad) {
  const uint64_t offsets[2] = {0, 0};
  const uint8_t nothing = 0;
  blake2_simd_params params;
  work w;
  blake2_simd_params_init(&params, 16, NULL, 0);
  rvh_nodes none = {.scheme = RVH_BLAKE2B,
                    .n = 1,
                    .prefixes = blake2_simd_prefixes_new(&params, &nothing, offsets, 1)};
  if (none.prefixes == NULL) return RVH_NO_MEMORY;
  rvh_status status = work_start(&w, isa, &none, 0, keys, 1, poll, NULL, 0);
  if (status == RVH_OK) {
    w.high_words = out;
    status = all_batches(&w, keys, start, stop, bad);
    free(w.memory);
  }
  blake2_simd_prefixes_free(none.prefixes);
  return status;
}

rvh_status rvh_select_one(const rvh_isa *isa, const rvh_nodes *nodes, blake2_simd_bytes key,
                          size_t k, intptr_t *out, rvh_poll *poll) {
  BLAKE2_SIMD_ALIGNED(64) uint8_t small[STACK_BYTES];
  work w;
  rvh_status status = work_start(&w, isa, nodes, 1, NULL, k, poll, small, sizeof small);
  if (status != RVH_OK) return status;
  w.chosen = out;
  const int hashes = nodes->scheme == RVH_MURMUR;
  status = one_key(&w, (rvh_key){key, hashes ? rvh_murmur64a(key, RVH_MURMUR_KEY_SEED) : 0}, 0);
  free(w.memory);
  return status;
}

rvh_status rvh_rank_scores(const rvh_isa *isa, const rvh_nodes *nodes, const uint64_t *scores,
                           size_t rows, size_t k, intptr_t *out) {
  work w;
  rvh_status status = work_start(&w, isa, nodes, 0, NULL, k, NULL, NULL, 0);
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
    rvh_topk top = start_topk(&w, lanes, stride, &source.head);
    for (size_t first = 0, count; first < n; first += count) {
      count = min_size(STRIP, n - first);
      for (size_t i = 0; i < count; i++)
        for (size_t l = 0; l < lanes; l++)
          w.hi[i * stride + l] = rescore_given(&source.head, l, first + i).hi;
      if (nodes->weight != NULL) weigh(w.hi, nodes->weight + first, count, nodes->scheme);
      topk(&top, w.hi, first, count);
    }
    for (size_t l = 0; l < count_keys; l++) write_chosen(&w, &top, l, row + l);
  }
  free(w.memory);
  return RVH_OK;
}

uint64_t rvh_bare_hashes(const rvh_isa *isa, size_t words, size_t n) {
  BLAKE2_SIMD_ALIGNED(64) uint64_t m[16 * STRIDE_MAX] = {0}, t[STRIDE_MAX] = {0};
  BLAKE2_SIMD_ALIGNED(64) uint64_t hi[STRIP * STRIDE_MAX] = {0}, lo[STRIP * STRIDE_MAX];
  uint64_t prefix[STRIP] = {0};
  const size_t lanes = blake2_simd_lanes(isa->hash);
  const blake2_simd_strip strip = {.prefix = prefix,
                                   .prefix_words = 1,
                                   .h = blake2_simd_iv,
                                   .count = STRIP,
                                   .suffix = m,
                                   .t = t,
                                   .words = words,
                                   .hi = hi,
                                   .lo = lo};
  for (size_t done = 0; done < n; done += STRIP * lanes) {
    m[0] ^= hi[0];
    isa->hash->strip(&strip);
  }
  return hi[0];
}
