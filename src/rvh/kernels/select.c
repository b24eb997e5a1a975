/* Keys x nodes: batches of keys in order of length, groups of as many keys as the kernel has
 * lanes, strips of nodes whose tile of scores stays in the L1 cache.
 *
 * Where there are too few keys to fill the lanes, lanes hold nodes instead: a row. */

#include "rvh_kernels_impl.h"

#include <stdlib.h>

enum {
  BATCH = 1024,         /* keys whose spans are looked up and put in order together */
  STRIP = 32,           /* nodes of a tile: 6 KiB of high words with 17 lanes */
  ROW_STRIP = 128,      /* nodes of a row's scores */
  SCRATCH = 1 << 20,    /* bytes for keys that are not used in place */
  HEAP_BYTES = 4 << 20, /* the heaps of one group; beyond it, one key at a time */
  SMALL = 3 << 10,      /* bytes on the stack that spare a single key the allocation */
  LANES_MAX = BLAKE2_SIMD_LANES_MAX,
  STRIDE_MAX = BLAKE2_SIMD_STRIDE_MAX,
};

static size_t min_size(size_t a, size_t b) { return a < b ? a : b; }

/* ---- one thread's memory ------------------------------------------------------------------ */

typedef struct {
  const rvh_isa *isa;
  const rvh_nodes *nodes;
  rvh_poll *poll;
  size_t lanes, stride, k;
  /* where answers go: one of the three */
  intptr_t *chosen; /* [rows][k] */
  uint64_t *scores; /* [rows][n][2] */
  uint64_t *words;  /* [rows]: the high word of the one node there is */
  /* pieces of `memory` */
  uint64_t *hi, *lo; /* a tile, or a row; low words only for scores */
  blake2_simd_suffixes *block;
  void *topk;
  uint32_t *positions; /* [k] */
  blake2_simd_bytes *spans;
  uint8_t *scratch;
  size_t batch; /* keys that spans and scratch have room for */
  void *memory;
} work;

/* The next piece of `base`, or where that is NULL only its size. */
static void *carve(uint8_t *base, size_t *used, size_t size) {
  uint8_t *piece = base == NULL ? NULL : base + *used;
  *used += (size + 63) / 64 * 64;
  return piece;
}

/* Divides `base` into the pieces; returns the bytes they need. */
static size_t divide(work *w, const rvh_column *keys, uint8_t *base) {
  const size_t tile = STRIP * w->stride > ROW_STRIP ? STRIP * w->stride : ROW_STRIP;
  const size_t stride = rvh_topk_bytes(w->k, w->stride) <= HEAP_BYTES ? w->stride : 1;
  size_t used = 0;
  w->hi = carve(base, &used, tile * sizeof *w->hi);
  w->lo = carve(base, &used, tile * sizeof *w->lo);
  w->topk = carve(base, &used, rvh_topk_bytes(w->k, stride));
  w->positions = carve(base, &used, w->k * sizeof *w->positions);
  if (keys != NULL) {
    const size_t each = rvh_column_scratch(keys);
    w->batch = each * BATCH <= SCRATCH ? BATCH : each < SCRATCH ? SCRATCH / each : 1;
    if (w->batch > w->lanes) w->batch -= w->batch % w->lanes; /* whole groups */
    w->block = carve(base, &used, blake2_simd_suffixes_size());
    w->spans = carve(base, &used, w->batch * sizeof *w->spans);
    w->scratch = carve(base, &used, w->batch * each);
  }
  return used;
}

/* Memory of its own, or `small` where that is enough. rows_only: one key at a time, no column. */
static rvh_status work_start(work *w, const rvh_isa *isa, const rvh_nodes *nodes, int rows_only,
                             const rvh_column *keys, size_t k, rvh_poll *poll, uint8_t *small,
                             size_t small_size) {
  *w = (work){.isa = isa, .nodes = nodes, .poll = poll, .k = k};
  w->lanes = rows_only ? 1 : blake2_simd_lanes(isa->hash);
  w->stride = rows_only ? 1 : blake2_simd_stride(isa->hash);
  const size_t size = divide(w, keys, NULL);
  if (size <= small_size) {
    divide(w, keys, small);
    return RVH_OK;
  }
  w->memory = malloc(size + 64);
  if (w->memory == NULL) return RVH_NO_MEMORY;
  divide(w, keys, (uint8_t *)(((uintptr_t)w->memory + 63) / 64 * 64));
  return RVH_OK;
}

/* ---- answers ------------------------------------------------------------------------------ */

static void write_chosen(work *w, rvh_topk *top, size_t lane, size_t row) {
  rvh_topk_finish(top, lane, w->positions);
  for (size_t j = 0; j < w->k; j++)
    w->chosen[row * w->k + j] = (intptr_t)w->nodes->order[w->positions[j]];
}

static void write_scores(work *w, size_t lane, size_t stride, size_t first, size_t count,
                         size_t row) {
  uint64_t *out = w->scores + row * w->nodes->n * 2;
  for (size_t i = 0; i < count; i++) {
    const size_t index = w->nodes->order[first + i];
    out[2 * index] = w->hi[i * stride + lane];
    out[2 * index + 1] = w->lo[i * stride + lane];
  }
}

/* ---- ties --------------------------------------------------------------------------------- */

typedef struct {
  const work *w;
  const blake2_simd_bytes *keys; /* of the lanes */
} hashed;

static uint64_t low_of_hash(const void *source, size_t lane, size_t position) {
  const hashed *from = source;
  uint64_t hi, lo;
  blake2_simd_row(from->w->isa->hash, from->w->nodes->prefixes, position, 1, from->keys[lane], &hi,
                  &lo);
  return lo;
}

typedef struct {
  const uint64_t *scores; /* [rows][n][2] from the lanes' first row on */
  const rvh_nodes *nodes;
  size_t rows;
} given;

static const uint64_t *given_score(const given *from, size_t lane, size_t position) {
  const size_t row = min_size(lane, from->rows - 1); /* a lane without a row repeats the last */
  return from->scores + 2 * (row * from->nodes->n + from->nodes->order[position]);
}

static uint64_t low_of_given(const void *source, size_t lane, size_t position) {
  return given_score(source, lane, position)[1];
}

static rvh_topk start_topk(work *w, size_t lanes, size_t stride, rvh_low_word *low,
                           const void *source) {
  rvh_topk top;
  rvh_topk_start(&top, w->k, lanes, stride, w->nodes->tie, w->topk);
  top.low = low;
  top.source = source;
  return top;
}

/* ---- one key x all nodes ------------------------------------------------------------------ */

static rvh_status one_key(work *w, blake2_simd_bytes key, size_t row) {
  const size_t n = w->nodes->n;
  const size_t cost = 1 + key.size / BLAKE2_SIMD_BLOCK;
  const hashed source = {w, &key};
  uint64_t *lo = w->scores != NULL ? w->lo : NULL;
  rvh_topk top = start_topk(w, 1, 1, low_of_hash, &source);
  for (size_t first = 0, count; first < n; first += count) {
    count = min_size(ROW_STRIP, n - first);
    if (stopped(w->poll, count * cost)) return RVH_STOPPED;
    blake2_simd_row(w->isa->hash, w->nodes->prefixes, first, count, key, w->hi, lo);
    if (w->scores != NULL)
      write_scores(w, 0, 1, first, count, row);
    else if (w->words != NULL)
      w->words[row] = w->hi[0];
    else
      rvh_topk_portable(&top, w->hi, first, count);
  }
  if (w->chosen != NULL) write_chosen(w, &top, 0, row);
  return RVH_OK;
}

/* ---- a group of keys x all nodes ---------------------------------------------------------- */

/* rows[l]: the row of keys[l] */
static rvh_status group_of_keys(work *w, const blake2_simd_bytes *keys, const size_t *rows,
                                size_t count_keys) {
  const size_t n = w->nodes->n, lanes = w->lanes;
  blake2_simd_bytes all_lanes[LANES_MAX];
  const size_t longest = keys[count_keys - 1].size;
  const size_t cost = lanes * (1 + longest / BLAKE2_SIMD_BLOCK);
  const hashed source = {w, all_lanes};
  uint64_t *lo = w->scores != NULL ? w->lo : NULL;
  rvh_topk top = start_topk(w, lanes, w->stride, low_of_hash, &source);
  for (size_t l = 0; l < lanes; l++)
    all_lanes[l] = l < count_keys ? keys[l] : (blake2_simd_bytes){NULL, 0};
  blake2_simd_suffixes_load(w->isa->hash, w->block, keys, count_keys);
  for (size_t first = 0, count; first < n; first += count) {
    count = min_size(STRIP, n - first);
    if (stopped(w->poll, count * cost)) return RVH_STOPPED;
    blake2_simd_tile(w->isa->hash, w->nodes->prefixes, first, count, w->block, w->hi, lo);
    if (w->scores != NULL)
      for (size_t l = 0; l < count_keys; l++) write_scores(w, l, w->stride, first, count, rows[l]);
    else if (w->words != NULL)
      for (size_t l = 0; l < count_keys; l++) w->words[rows[l]] = w->hi[l];
    else
      w->isa->topk(&top, w->hi, first, count);
  }
  if (w->chosen != NULL)
    for (size_t l = 0; l < count_keys; l++) write_chosen(w, &top, l, rows[l]);
  return RVH_OK;
}

/* Whether m keys are scored faster one by one, nodes in the lanes, than together: a row takes 1.3
 * times as long for each call of the kernel (it puts messages together word by word). */
static int better_one_by_one(const work *w, size_t m) {
  const size_t rows = m * ((w->nodes->n + w->lanes - 1) / w->lanes);
  return rvh_topk_bytes(w->k, w->stride) > HEAP_BYTES ||
         (m < w->lanes && rows * 13 < w->nodes->n * 10);
}

/* ---- batches ------------------------------------------------------------------------------ */

/* order: the spans' places by size, shortest first, equal ones as they stand (a counting sort;
 * what a tile does not take comes last, in any order). Keys of like size share their blocks and
 * their words, so a group costs what its keys cost. */
static void order_by_size(const blake2_simd_bytes *spans, size_t n, uint16_t *order) {
  enum { SIZES = BLAKE2_SIMD_SUFFIX_MAX + 2 };
  uint16_t start[SIZES];
  size_t i = 1;
  while (i < n && spans[i].size == spans[0].size) i++;
  if (i >= n) {
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

static rvh_status one_batch(work *w, size_t n, size_t first_row) {
  uint16_t order[BATCH];
  rvh_status status = RVH_OK;
  order_by_size(w->spans, n, order);
  for (size_t i = 0; i < n && status == RVH_OK;) {
    blake2_simd_bytes keys[LANES_MAX];
    size_t rows[LANES_MAX], m = 0;
    for (; m < w->lanes && i + m < n; m++) {
      keys[m] = w->spans[order[i + m]];
      rows[m] = first_row + order[i + m];
      if (keys[m].size > BLAKE2_SIMD_SUFFIX_MAX) break;
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

/* Rows start to stop of a column, with w's answers starting at row `start`. */
static rvh_status all_batches(work *w, const rvh_column *keys, size_t start, size_t stop,
                              size_t *bad) {
  rvh_status status = RVH_OK;
  for (size_t row = start, n; row < stop && status == RVH_OK; row += n) {
    n = min_size(w->batch, stop - row);
    status = rvh_column_spans(keys, row, n, w->spans, w->scratch, bad);
    if (status == RVH_OK) status = one_batch(w, n, row - start);
  }
  return status;
}

/* ---- the calls ---------------------------------------------------------------------------- */

rvh_status rvh_argselect(const rvh_isa *isa, const rvh_nodes *nodes, const rvh_column *keys,
                         size_t start, size_t stop, size_t k, intptr_t *out, rvh_poll *poll,
                         size_t *bad) {
  work w;
  rvh_status status = work_start(&w, isa, nodes, 0, keys, k, poll, NULL, 0);
  if (status != RVH_OK) return status;
  w.chosen = out;
  status = all_batches(&w, keys, start, stop, bad);
  free(w.memory);
  return status;
}

rvh_status rvh_scores(const rvh_isa *isa, const rvh_nodes *nodes, const rvh_column *keys,
                      size_t start, size_t stop, uint64_t *out, rvh_poll *poll, size_t *bad) {
  work w;
  rvh_status status = work_start(&w, isa, nodes, 0, keys, 1, poll, NULL, 0);
  if (status != RVH_OK) return status;
  w.scores = out;
  status = all_batches(&w, keys, start, stop, bad);
  free(w.memory);
  return status;
}

/* A key's bytes alone are hashed: the one node has an empty id, which no set of a caller has. */
rvh_status rvh_key_words(const rvh_isa *isa, const rvh_column *keys, size_t start, size_t stop,
                         uint64_t *out, rvh_poll *poll, size_t *bad) {
  const uint64_t offsets[2] = {0, 0};
  const uint8_t nothing = 0;
  blake2_simd_params params;
  work w;
  blake2_simd_params_init(&params, 16, NULL, 0);
  rvh_nodes none = {.n = 1, .prefixes = blake2_simd_prefixes_new(&params, &nothing, offsets, 1)};
  if (none.prefixes == NULL) return RVH_NO_MEMORY;
  rvh_status status = work_start(&w, isa, &none, 0, keys, 1, poll, NULL, 0);
  if (status == RVH_OK) {
    w.words = out;
    status = all_batches(&w, keys, start, stop, bad);
    free(w.memory);
  }
  blake2_simd_prefixes_free(none.prefixes);
  return status;
}

rvh_status rvh_select_one(const rvh_isa *isa, const rvh_nodes *nodes, blake2_simd_bytes key,
                          size_t k, intptr_t *out, rvh_poll *poll) {
  BLAKE2_SIMD_ALIGNED(64) uint8_t small[SMALL];
  work w;
  rvh_status status = work_start(&w, isa, nodes, 1, NULL, k, poll, small, sizeof small);
  if (status != RVH_OK) return status;
  w.chosen = out;
  status = one_key(&w, key, 0);
  free(w.memory);
  return status;
}

rvh_status rvh_rank_scores(const rvh_isa *isa, const rvh_nodes *nodes, const uint64_t *scores,
                           size_t rows, size_t k, intptr_t *out) {
  work w;
  rvh_status status = work_start(&w, isa, nodes, 0, NULL, k, NULL, NULL, 0);
  if (status != RVH_OK) return status;
  const size_t n = nodes->n;
  w.chosen = out;
  const int one_by_one = better_one_by_one(&w, w.lanes);
  const size_t lanes = one_by_one ? 1 : w.lanes, stride = one_by_one ? 1 : w.stride;
  rvh_topk_tile *topk = one_by_one ? rvh_topk_portable : isa->topk;
  for (size_t row = 0; row < rows; row += lanes) {
    const size_t count_keys = min_size(lanes, rows - row);
    const given source = {scores + 2 * row * n, nodes, count_keys};
    rvh_topk top = start_topk(&w, lanes, stride, low_of_given, &source);
    for (size_t first = 0, count; first < n; first += count) {
      count = min_size(STRIP, n - first);
      for (size_t i = 0; i < count; i++)
        for (size_t l = 0; l < lanes; l++)
          w.hi[i * stride + l] = given_score(&source, l, first + i)[0];
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
