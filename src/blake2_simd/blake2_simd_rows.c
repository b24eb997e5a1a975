/* One suffix x prepared prefixes: lanes hold prefixes. */

#include "blake2_simd_shapes.h"

/* The suffix as words behind `tail` bytes of the block; tail + size <= BLOCK. */
static void words_behind(const uint64_t words[BLOCK_WORDS + 1], size_t n, size_t tail,
                         uint64_t out[BLOCK_WORDS]) {
  const size_t before = tail / 8;
  const unsigned bits = 8 * (tail % 8);
  uint64_t carry = 0;
  memset(out, 0, BLOCK_WORDS * sizeof *out);
  for (size_t w = 0; w <= n && before + w < BLOCK_WORDS; w++) {
    out[before + w] = words[w] << bits | carry;
    carry = bits == 0 ? 0 : words[w] >> (64 - bits);
  }
}

static int one_block(const group *g, size_t suffix_size) {
  return g->h_stride == 0 && g->tail + suffix_size <= BLOCK && g->tail + suffix_size > 0;
}

/* One-block messages with a kernel of one lane, whose strips are rows: as many as the group has. */
static size_t row_one_lane(const blake2_simd *impl, const group *g, size_t position, size_t count,
                           const uint64_t words[BLOCK_WORDS + 1], uint64_t suffix_size,
                           uint64_t *hi, uint64_t *lo) {
  const size_t n = min_size(count, g->first + g->count - position);
  const blake2_simd_strip strip = {.group = g,
                                   .skip = position - g->first,
                                   .count = n,
                                   .suffix = words,
                                   .rows = words_of((size_t)suffix_size) + 1,
                                   .size = &suffix_size,
                                   .hi = hi,
                                   .lo = lo};
  impl->strip(&strip, 1, block_words(g, (size_t)suffix_size), lo != NULL);
  return n;
}

/* One-block messages whose state before the block is the same: a strip of one block, in which each
 * lane has a prefix of its own. Returns how many of `count` it took. */
static size_t row_strip(const blake2_simd *impl, const group **at, size_t position, size_t count,
                        const uint64_t words[BLOCK_WORDS + 1], size_t suffix_size, uint64_t *hi,
                        uint64_t *lo) {
  BLAKE2_SIMD_ALIGNED(64) uint64_t m[BLOCK_WORDS * STRIDE_MAX], t[STRIDE_MAX];
  BLAKE2_SIMD_ALIGNED(64) uint64_t out_hi[STRIDE_MAX], out_lo[STRIDE_MAX];
  uint64_t behind[BLOCK_WORDS];
  const size_t lanes = impl->lanes, stride = impl->stride;
  const group *g = *at, *made = NULL;
  size_t n = 0, rows = 0;
  /* Groups are in order of length: the last one tells how many words there are. */
  for (const group *end = g; n < lanes && n < count && one_block(end, suffix_size);) {
    n = min_size(min_size(lanes, count), end->first + end->count - position);
    rows = words_of(end->tail + suffix_size);
    if (n < lanes && n < count) end++;
  }
  for (size_t l = 0; l < lanes; l++) {
    if (l >= n) {
      for (size_t w = 0; w < rows; w++) m[w * stride + l] = 0;
      t[l] = 0;
      continue;
    }
    if (position + l == g->first + g->count) g++;
    if (g != made) {
      words_behind(words, words_of(suffix_size), g->tail, behind);
      made = g;
    }
    const uint64_t *prefix = g->prefix + (position + l - g->first) * g->words;
    for (size_t w = 0; w < rows; w++)
      m[w * stride + l] = w < g->words ? prefix[w] | behind[w] : behind[w];
    t[l] = g->t + g->tail + suffix_size;
  }
  const uint64_t nothing = 0;
  const group in_m = {.words = 1, .count = 1, .prefix = &nothing, .h = (*at)->h};
  const blake2_simd_strip strip = {
      .group = &in_m, .count = 1, .suffix = m, .rows = rows, .size = t, .hi = out_hi, .lo = out_lo};
  /* Not the kernel of six words: strips of one block each gain more from entering the same one. */
  impl->strip(&strip, 1, rows <= 4 || rows > 6 ? rows : 8, lo != NULL);
  memcpy(hi, out_hi, n * sizeof *hi);
  if (lo != NULL) memcpy(lo, out_lo, n * sizeof *lo);
  *at = g;
  return n;
}

/* Messages of any number of blocks, from the bytes. */
static size_t row_finish(const blake2_simd *impl, const group **at, size_t position, size_t count,
                         blake2_simd_bytes suffix, uint64_t *hi, uint64_t *lo) {
  uint8_t tails[LANES_MAX][BLOCK];
  uint64_t state[8 * STRIDE_MAX] = {0};
  rest r[LANES_MAX] = {{0}};
  const group *g = *at;
  const size_t n = min_size(impl->lanes, count);
  for (size_t l = 0; l < n; l++) {
    if (position + l == g->first + g->count) g++;
    const size_t i = position + l - g->first;
    for (size_t b = 0; b < 8 * g->words; b++)
      tails[l][b] = (uint8_t)(g->prefix[i * g->words + b / 8] >> (8 * (b % 8)));
    r[l] = (rest){g->h + i * g->h_stride, g->t, {{tails[l], g->tail}, suffix}};
  }
  blake2_simd_finish(impl, r, n, state);
  g = *at;
  for (size_t l = 0; l < n; l++) {
    if (position + l == g->first + g->count) g++;
    const uint64_t *alone = suffix.size == 0 ? g->alone : NULL;
    const size_t i = position + l - g->first;
    hi[l] = alone != NULL ? alone[2 * i] : blake2_simd_bswap(state[l]);
    if (lo != NULL)
      lo[l] = alone != NULL ? alone[2 * i + 1] : blake2_simd_bswap(state[impl->stride + l]);
  }
  *at = g;
  return n;
}

/* Whether a position is in an eight whose messages are of one block, none of them empty. */
static int in_eight(const blake2_simd_prefixes *p, size_t position, size_t suffix_size) {
  if (position >= p->in_eights) return 0;
  const blake2_simd_eight *eight = &p->eight[position / 8];
  return eight->longest + suffix_size <= BLOCK && eight->shortest + suffix_size > 0;
}

/* One-block messages of whole eights of prefixes and of the last one, as far as they go. Returns
 * how many of `count` it took. */
static size_t row_eights(const blake2_simd *impl, const blake2_simd_prefixes *p, size_t first,
                         size_t count, blake2_simd_bytes suffix, uint64_t *hi, uint64_t *lo) {
  if (impl->row == NULL || first % 8 != 0 || first >= p->in_eights) return 0;
  const size_t most = min_size(count, p->in_eights - first);
  size_t done = 0;
  for (size_t n; done < most && in_eight(p, first + done, suffix.size); done += n) {
    BLAKE2_SIMD_ALIGNED(64) uint64_t out[2][16];
    const size_t at = first + done;
    const size_t eights = most - done > 8 && in_eight(p, at + 8, suffix.size) ? 2 : 1;
    impl->row(&p->eight[at / 8], eights, p->params.h, p->params.t, suffix, out[0], out[1]);
    n = min_size(8 * eights, most - done);
    memcpy(hi + done, out[0], n * sizeof *hi);
    if (lo != NULL) memcpy(lo + done, out[1], n * sizeof *lo);
  }
  return done;
}

void blake2_simd_row(const blake2_simd *impl, const blake2_simd_prefixes *prefixes, size_t first,
                     size_t count, blake2_simd_bytes suffix, uint64_t *hi, uint64_t *lo) {
  uint64_t words[BLOCK_WORDS + 1] = {0};
  const size_t done = row_eights(impl, prefixes, first, count, suffix, hi, lo);
  first += done;
  count -= done;
  hi += done;
  lo = after(lo, done);
  if (count == 0) return;
  const group *g = blake2_simd_group_at(prefixes, first);
  if (suffix.size <= BLOCK) {
    size_t w = 0;
    for (; w < suffix.size / 8; w++) words[w] = blake2_simd_load64(suffix.data + 8 * w);
    if (suffix.size % 8 != 0)
      words[w] = blake2_simd_load_part(suffix.data + 8 * w, suffix.size % 8);
  }
  while (count > 0) {
    if (first == g->first + g->count) g++;
    size_t n;
    if (!one_block(g, suffix.size))
      n = row_finish(impl, &g, first, count, suffix, hi, lo);
    else if (impl->lanes == 1)
      n = row_one_lane(impl, g, first, count, words, suffix.size, hi, lo);
    else
      n = row_strip(impl, &g, first, count, words, suffix.size, hi, lo);
    first += n;
    count -= n;
    hi += n;
    lo = after(lo, n);
  }
}
