/* One thread's memory, and what every shape of the work does with the words that rank. */

#include "murmur.h"
#include "work.h"

#include <stdlib.h>

enum {
  SCRATCH = 1 << 20, /* bytes for keys that are not used in place */
};

/* ---- memory ------------------------------------------------------------------------------- */

/* The next piece of `base`; with NULL, only adds its size to *used. */
static void *next_piece(uint8_t *base, size_t *used, size_t size) {
  uint8_t *piece = base == NULL ? NULL : base + *used;
  *used += (size + 63) / 64 * 64;
  return piece;
}

/* Divides `base` into the pieces; with NULL, only returns the bytes they need. */
static size_t lay_out(rvh_work *w, const rvh_column *keys, uint8_t *base) {
  const size_t tile = RVH_STRIP * w->stride > RVH_ROW_STRIP ? RVH_STRIP * w->stride : RVH_ROW_STRIP;
  const size_t stride = rvh_topk_bytes(w->k, w->stride) <= RVH_HEAP_BYTES ? w->stride : 1;
  size_t used = 0;
  w->hi = next_piece(base, &used, tile * sizeof *w->hi);
  w->lo = next_piece(base, &used, tile * sizeof *w->lo);
  w->topk = next_piece(base, &used, rvh_topk_bytes(w->k, stride));
  w->best = next_piece(base, &used, w->k * sizeof *w->best);
  if (keys != NULL) {
    const size_t each = rvh_column_scratch(keys);
    w->batch = each * RVH_BATCH <= SCRATCH ? RVH_BATCH : each < SCRATCH ? SCRATCH / each : 1;
    const int best = w->nodes->scheme == RVH_MURMUR && w->nodes->weight == NULL && w->k == 1;
    const size_t group = best ? *w->isa->best_group : w->lanes;
    if (w->batch > group) w->batch -= w->batch % group; /* whole groups */
    w->groups = next_piece(base, &used, sizeof *w->groups);
    w->spans = next_piece(base, &used, w->batch * sizeof *w->spans);
    if (w->nodes->scheme == RVH_MURMUR) {
      w->hashes = next_piece(base, &used, (w->batch + RVH_BEST_GROUP_MAX) * sizeof *w->hashes);
    } else {
      void *suffixes = next_piece(base, &used, blake2_simd_suffixes_size());
      if (base != NULL) w->groups->suffixes = suffixes;
    }
    w->scratch = next_piece(base, &used, w->batch * each);
  }
  return used;
}

rvh_status rvh_work_start(rvh_work *w, const rvh_isa *isa, const rvh_nodes *nodes, int rows_only,
                          const rvh_column *keys, size_t k, rvh_poll *poll, uint8_t *small,
                          size_t small_size) {
  *w = (rvh_work){.isa = isa, .nodes = nodes, .poll = poll, .k = k};
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

void rvh_work_end(rvh_work *w) {
  free(w->memory);
  if (w->nodes->prefixes != NULL && blake2_simd_prefixes_keyed(w->nodes->prefixes))
    blake2_simd_wipe_stack();
}

/* ---- answers ------------------------------------------------------------------------------ */

rvh_status rvh_write_chosen(rvh_work *w, rvh_topk *top, size_t lane, size_t row) {
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

void rvh_write_scores(const rvh_work *w, const rvh_tile *tile, size_t lane, size_t stride,
                      size_t row) {
  /* by themselves: else they would be read anew after each write */
  const uint32_t *order = w->nodes->order + tile->first;
  const size_t count = tile->count;
  const size_t words = rvh_score_words(w->nodes);
  uint64_t *out = w->scores + row * w->nodes->indices * words;
  const uint64_t *hi = tile->hi + lane, *lo = words == 2 ? tile->lo + lane : NULL;
  if (words == 1)
    for (size_t i = 0; i < count; i++, hi += stride) out[order[i]] = *hi;
  else
    for (size_t i = 0; i < count; i++, hi += stride, lo += stride) {
      out[2 * order[i]] = *hi;
      out[2 * order[i] + 1] = *lo;
    }
}

uint64_t *rvh_low_words(const rvh_work *w) {
  return w->scores != NULL && rvh_score_words(w->nodes) == 2 ? w->lo : NULL;
}

/* ---- ranking ------------------------------------------------------------------------------ */

rvh_topk rvh_work_topk(rvh_work *w, size_t lanes, size_t stride, const rvh_source *source) {
  rvh_topk top;
  rvh_topk_start(&top, w->k, lanes, stride, w->nodes->tie, w->topk);
  top.source = source;
  return top;
}

/* ---- constraints -------------------------------------------------------------------------- */

/* Changes the words of a tile so that a key's current nodes rank before all others. The highest bit
 * marks them: weighted scores do not use it, and others give up their lowest bit, since a tie
 * compares whole scores. rows: of the first `keys` lanes. */
static void prefer_current(const rvh_work *w, const size_t *rows, size_t keys, size_t stride,
                           const rvh_tile *tile) {
  uint64_t *hi = tile->hi; /* by themselves: else they would be read anew after each write */
  const size_t first = tile->first, count = tile->count;
  if (w->nodes->weight == NULL)
    for (size_t i = 0; i < count * stride; i++) hi[i] >>= 1;
  for (size_t l = 0; l < keys; l++) {
    const intptr_t *current = w->rules->current + rows[l] * w->rules->current_count;
    for (size_t j = 0; j < w->rules->current_count; j++) {
      if (current[j] < 0) continue;
      const size_t at = w->rules->position_of[current[j]] - first; /* wraps to far above count */
      if (at < count) hi[at * stride + l] |= (uint64_t)1 << 63;
    }
  }
}

void rvh_add_tile(const rvh_work *w, rvh_topk *top, rvh_topk_tile *topk, const size_t *rows,
                  size_t keys, const rvh_tile *tile) {
  if (w->rules->current != NULL) prefer_current(w, rows, keys, top->stride, tile);
  if (w->rules->spread != NULL)
    rvh_spread_add(w->rules->spread, tile->hi, tile->first, tile->count);
  else
    topk(top, tile->hi, tile->first, tile->count);
}
