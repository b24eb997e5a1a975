/* Integers to buckets, in strips that stay in the L1 cache. */

#include "rvh_kernels_impl.h"

#include <stdlib.h>

enum {
  STRIP = 1024,
  GROUP = RVH_BUCKETS_GROUP,
};

/* Words to turn into buckets; kernels use whole groups, and STRIP ends with one. */
typedef struct {
  BLAKE2_SIMD_ALIGNED(64) uint64_t words[STRIP];
} strip;

/* Replaces the first n words of a strip by their buckets. */
static void place(rvh_buckets *kernel, strip *s, size_t n, uint32_t buckets) {
  for (size_t i = n; i % GROUP != 0; i++) s->words[i] = 0;
  kernel(s->words, n, buckets);
}

/* ---- one bucket a row --------------------------------------------------------------------- */

static rvh_status one_each(rvh_buckets *kernel, const rvh_column *integers, size_t start,
                           size_t stop, uint32_t buckets, intptr_t *out, rvh_poll *poll) {
  strip s;
  for (size_t row = start, n; row < stop; row += n, out += n) {
    n = stop - row < STRIP ? stop - row : STRIP;
    if (rvh_stopped(poll, n)) return RVH_STOPPED;
    rvh_column_integers(integers, row, n, s.words);
    place(kernel, &s, n, buckets);
    for (size_t i = 0; i < n; i++) out[i] = (intptr_t)s.words[i];
  }
  return RVH_OK;
}

rvh_status rvh_jumpback(const rvh_isa *isa, const rvh_column *integers, size_t start, size_t stop,
                        uint32_t buckets, intptr_t *out, rvh_poll *poll) {
  return one_each(isa->jumpback, integers, start, stop, buckets, out, poll);
}

/* ---- k distinct buckets a row ------------------------------------------------------------- */

/* The word of a row's attempt: its own, then SplitMix64's outputs from it. */
static uint64_t attempt(uint64_t word, uint64_t number) {
  uint64_t z = word + number * 0x9e3779b97f4a7c15u;
  if (number == 0) return word;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

typedef struct {
  intptr_t *chosen;
  size_t filled, k;
  uint8_t *seen; /* a bit for each bucket */
} row_state;

/* Adds those of n buckets that were not seen before, until there are k. */
static void add_buckets(row_state *row, const uint64_t *buckets, size_t n) {
  for (size_t i = 0; i < n && row->filled < row->k; i++) {
    uint8_t *byte = &row->seen[buckets[i] / 8];
    const uint8_t bit = (uint8_t)(1u << buckets[i] % 8);
    if (*byte & bit) continue;
    *byte |= bit;
    row->chosen[row->filled++] = (intptr_t)buckets[i];
  }
}

static void clear_seen(row_state *row) {
  for (size_t j = 0; j < row->k; j++) row->seen[row->chosen[j] / 8] = 0;
}

/* A strip holds the first attempts of several rows; rows that need more go on alone. */
static rvh_status several_each(rvh_buckets *kernel, const rvh_column *integers, size_t start,
                               size_t stop, uint32_t buckets, size_t k, intptr_t *out,
                               rvh_poll *poll, uint8_t *seen) {
  strip s, more;
  uint64_t own[STRIP];
  const size_t tries = k < STRIP ? k : STRIP, rows_per_strip = STRIP / tries;
  for (size_t first = start, rows; first < stop; first += rows) {
    rows = stop - first < rows_per_strip ? stop - first : rows_per_strip;
    if (rvh_stopped(poll, rows * tries)) return RVH_STOPPED;
    rvh_column_integers(integers, first, rows, own);
    for (size_t r = 0; r < rows; r++)
      for (size_t i = 0; i < tries; i++) s.words[r * tries + i] = attempt(own[r], i);
    place(kernel, &s, rows * tries, buckets);
    for (size_t r = 0; r < rows; r++, out += k) {
      row_state row = {.chosen = out, .k = k, .seen = seen};
      add_buckets(&row, s.words + r * tries, tries);
      for (size_t tried = tries; row.filled < k; tried += GROUP) {
        if (rvh_stopped(poll, GROUP)) return RVH_STOPPED;
        for (size_t i = 0; i < GROUP; i++) more.words[i] = attempt(own[r], tried + i);
        place(kernel, &more, GROUP, buckets);
        add_buckets(&row, more.words, GROUP);
      }
      clear_seen(&row);
    }
  }
  return RVH_OK;
}

rvh_status rvh_jump(const rvh_isa *isa, const rvh_column *integers, size_t start, size_t stop,
                    uint32_t buckets, size_t k, intptr_t *out, rvh_poll *poll) {
  if (k == 1) return one_each(isa->jump, integers, start, stop, buckets, out, poll);
  uint8_t *seen = calloc(buckets / 8 + 1, 1);
  if (seen == NULL) return RVH_NO_MEMORY;
  const rvh_status status =
      several_each(isa->jump, integers, start, stop, buckets, k, out, poll, seen);
  free(seen);
  return status;
}
