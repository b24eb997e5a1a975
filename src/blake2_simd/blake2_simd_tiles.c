/* Groups of suffixes x prepared prefixes: lanes hold suffixes. */

#include "blake2_simd_shapes.h"

enum {
  /* a prefix ends inside a block, so a suffix reaches into one block more than it fills */
  TILE_BLOCKS = BLAKE2_SIMD_SUFFIX_MAX / BLOCK + 1,
  SUFFIX_ROWS = BLAKE2_SIMD_SUFFIX_MAX / 8 + 1,
  STRIPS = BLAKE2_SIMD_GROUPS_MAX, /* of one call of a kernel */
};

struct blake2_simd_suffixes {
  /* [rows][stride]: each group's words, then a row of zeros */
  BLAKE2_SIMD_ALIGNED(64) uint64_t words[SUFFIX_ROWS * STRIDE_MAX];
  /* [TILE_BLOCKS * BLOCK_WORDS][stride]: of one group, moved to where a prefix ends */
  BLAKE2_SIMD_ALIGNED(64) uint64_t shifted[TILE_BLOCKS * BLOCK_WORDS * STRIDE_MAX];
  BLAKE2_SIMD_ALIGNED(64) uint64_t size[BLAKE2_SIMD_GROUPS_MAX][STRIDE_MAX];
  struct {
    size_t row, longest; /* the first of its rows, and bytes */
  } group[BLAKE2_SIMD_GROUPS_MAX + 1];
  size_t groups;
  int any_empty; /* whether any suffix is */
};

size_t blake2_simd_suffixes_size(void) { return sizeof(blake2_simd_suffixes); }

void blake2_simd_suffixes_clear(blake2_simd_suffixes *block) {
  block->groups = block->group[0].row = 0;
  block->any_empty = 0;
}

int blake2_simd_suffixes_add(const blake2_simd *impl, blake2_simd_suffixes *block,
                             const blake2_simd_bytes *suffix, size_t n) {
  const size_t g = block->groups, row = block->group[g].row;
  if (g == BLAKE2_SIMD_GROUPS_MAX) return 0;
  uint64_t *size = block->size[g];
  size_t longest = 0;
  int any_empty = n < impl->lanes;
  for (size_t l = 0; l < n; l++) {
    size[l] = suffix[l].size;
    any_empty |= suffix[l].size == 0;
    if (suffix[l].size > longest) longest = suffix[l].size;
  }
  const size_t rows = words_of(longest) + 1;
  if (row + rows > SUFFIX_ROWS) return 0;
  for (size_t l = n; l < impl->lanes; l++) size[l] = 0;
  block->any_empty |= any_empty;
  impl->load(block->words + row * impl->stride, suffix, n, rows);
  block->group[g].longest = longest;
  block->group[g + 1].row = row + rows;
  block->groups++;
  return 1;
}

/* A group's words. */
static const uint64_t *words_at(const blake2_simd *impl, const blake2_simd_suffixes *block,
                                size_t g) {
  return block->words + block->group[g].row * impl->stride;
}

/* Moves a group of suffixes to behind `tail` bytes, with zeros around them. */
static void move_behind(const blake2_simd *impl, blake2_simd_suffixes *block, size_t s,
                        size_t tail) {
  const size_t row = impl->stride * sizeof(uint64_t), longest = block->group[s].longest;
  const size_t before = tail / 8, rows = words_of(longest) + 1;
  const size_t total = blocks_of(tail + longest) * BLOCK_WORDS;
  uint8_t *shifted = (uint8_t *)block->shifted;
  memset(shifted, 0, before * row);
  impl->shift(block->shifted + before * impl->stride, words_at(impl, block, s), rows,
              8 * (tail % 8));
  if (before + rows < total)
    memset(shifted + (before + rows) * row, 0, (total - before - rows) * row);
}

/* Messages of more than one block: `count` prefixes of a group from its i-th on, and one group of
 * suffixes. With its memory to itself: strips go without. */
static BLAKE2_SIMD_NOINLINE void tile_blocks(const blake2_simd *impl, const group *g, size_t i,
                                             size_t count, blake2_simd_suffixes *block, size_t s,
                                             uint64_t *hi, uint64_t *lo) {
  BLAKE2_SIMD_ALIGNED(64) uint64_t h[8 * STRIDE_MAX], m[BLOCK_WORDS * STRIDE_MAX];
  BLAKE2_SIMD_ALIGNED(64) uint64_t t[TILE_BLOCKS * STRIDE_MAX], final[TILE_BLOCKS * STRIDE_MAX];
  const size_t lanes = impl->lanes, stride = impl->stride;
  const size_t longest = g->tail + block->group[s].longest, blocks = blocks_of(longest);
  size_t last[STRIDE_MAX];
  move_behind(impl, block, s, g->tail);
  for (size_t l = 0; l < lanes; l++) {
    const size_t size = g->tail + block->size[s][l];
    last[l] = blocks_of(size) - 1;
    for (size_t b = 0; b < blocks; b++) {
      t[b * stride + l] = g->t + min_size(size, (b + 1) * BLOCK);
      final[b * stride + l] = b == last[l] ? ~(uint64_t)0 : 0;
    }
  }
  for (; count > 0; count--, i++, hi += stride, lo = after(lo, stride)) {
    const uint64_t *prefix = g->prefix + i * g->words, *state = g->h + i * g->h_stride;
    memcpy(m, block->shifted, BLOCK_WORDS * stride * sizeof *m);
    for (size_t w = 0; w < g->words; w++)
      for (size_t l = 0; l < lanes; l++) m[w * stride + l] |= prefix[w];
    for (size_t w = 0; w < 8; w++)
      for (size_t l = 0; l < lanes; l++) h[w * stride + l] = state[w];
    for (size_t b = 0; b < blocks; b++) {
      const uint64_t *words = b == 0 ? m : block->shifted + b * BLOCK_WORDS * stride;
      impl->compress(h, words, t + b * stride, final + b * stride, words_of(longest - b * BLOCK));
      for (size_t l = 0; l < lanes; l++) {
        if (last[l] != b) continue;
        hi[l] = blake2_simd_bswap(h[l]);
        if (lo != NULL) lo[l] = blake2_simd_bswap(h[stride + l]);
      }
    }
  }
}

/* Strips of one-block messages, for one call of the kernel: to enter another for those of fewer
 * words costs as much as it spares in some 30 messages (6 or 8 words) or 15 (8 or 16). */
typedef struct {
  blake2_simd_strip strip[STRIPS];
  size_t n, words; /* words: the most that any of them needs */
  int with_lo;
} strips;

static void run_strips(const blake2_simd *impl, strips *all) {
  if (all->n > 0) impl->strip(all->strip, all->n, all->words, all->with_lo);
  all->n = all->words = 0;
}

/* A tile: `count` prefixes from the skip-th of a group on. */
typedef struct {
  const group *group;
  size_t skip, count;
  uint64_t *hi, *lo; /* [groups of suffixes][count][stride] */
} tile;

/* One group of suffixes x a tile's prefixes: one-block messages into strips, the others at once. */
static void tile_suffixes(const blake2_simd *impl, const tile *of, blake2_simd_suffixes *block,
                          size_t s, strips *all) {
  const size_t longest = block->group[s].longest;
  const group *g = of->group;
  size_t skip = of->skip, at = s * of->count * impl->stride;
  blake2_simd_strip *open = NULL; /* the strip that the next group belongs to */
  for (size_t left = of->count, n; left > 0; left -= n, g++, skip = 0, at += n * impl->stride) {
    const size_t words = block_words(g, longest);
    n = min_size(left, g->count - skip);
    if (words > BLOCK_WORDS) {
      tile_blocks(impl, g, skip, n, block, s, of->hi + at, after(of->lo, at));
      open = NULL;
      continue;
    }
    if (open == NULL) {
      if (all->n == STRIPS) run_strips(impl, all);
      open = &all->strip[all->n++];
      *open = (blake2_simd_strip){.group = g,
                                  .skip = skip,
                                  .suffix = words_at(impl, block, s),
                                  .rows = words_of(longest) + 1,
                                  .size = block->size[s],
                                  .hi = of->hi + at,
                                  .lo = after(of->lo, at)};
    }
    open->count += n;
    if (words > all->words) all->words = words;
  }
}

/* Without a suffix, the last whole block of a prefix is the final one: its digest is known. */
static void put_alone(const blake2_simd *impl, const tile *of, const blake2_simd_suffixes *block) {
  const group *g = of->group;
  size_t skip = of->skip;
  for (size_t done = 0, n; done < of->count; done += n, g++, skip = 0) {
    n = min_size(of->count - done, g->count - skip);
    for (size_t i = 0; g->alone != NULL && i < n; i++)
      for (size_t s = 0; s < block->groups; s++)
        for (size_t l = 0; l < impl->lanes; l++) {
          if (block->size[s][l] > 0) continue;
          const size_t at = (s * of->count + done + i) * impl->stride + l;
          of->hi[at] = g->alone[2 * (skip + i)];
          if (of->lo != NULL) of->lo[at] = g->alone[2 * (skip + i) + 1];
        }
  }
}

void blake2_simd_tile(const blake2_simd *impl, const blake2_simd_prefixes *prefixes, size_t first,
                      size_t count, blake2_simd_suffixes *block, uint64_t *hi, uint64_t *lo) {
  if (count == 0) return;
  const group *g = blake2_simd_group_at(prefixes, first);
  const tile of = {g, first - g->first, count, hi, lo};
  strips all;
  all.n = all.words = 0;
  all.with_lo = lo != NULL;
  for (size_t s = 0; s < block->groups; s++) tile_suffixes(impl, &of, block, s, &all);
  run_strips(impl, &all);
  if (block->any_empty) put_alone(impl, &of, block);
}
