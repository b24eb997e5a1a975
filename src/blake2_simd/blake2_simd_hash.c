/* The shapes of work over an implementation's kernels: parameters, many messages, prepared
 * prefixes, tiles and rows. No instruction set in sight: only its table. */

#include "blake2_simd_impl.h"

#include <stdlib.h>

enum {
  BLOCK = BLAKE2_SIMD_BLOCK,
  BLOCK_WORDS = BLOCK / 8,
  LANES_MAX = BLAKE2_SIMD_LANES_MAX,
  STRIDE_MAX = BLAKE2_SIMD_STRIDE_MAX,
  /* a prefix ends inside a block, so a suffix reaches into one block more than it fills */
  TILE_BLOCKS = BLAKE2_SIMD_SUFFIX_MAX / BLOCK + 1,
  SUFFIX_ROWS = BLAKE2_SIMD_SUFFIX_MAX / 8 + 1,
  STRIPS = BLAKE2_SIMD_GROUPS_MAX, /* of one call of a kernel */
};

static size_t words_of(size_t bytes) { return (bytes + 7) / 8; }

/* Further on in an output that may not be wanted. */
static uint64_t *after(uint64_t *out, size_t n) { return out == NULL ? NULL : out + n; }

/* Blocks that a message's remaining `size` bytes fill; an empty one still takes one. */
static size_t blocks_of(size_t size) { return size == 0 ? 1 : (size + BLOCK - 1) / BLOCK; }

/* ---- parameters --------------------------------------------------------------------------- */

void blake2_simd_wipe(void *memory, size_t size) {
  /* Whatever function it may be by now: the compiler cannot leave the call out. */
  static void *(*const volatile set)(void *, int, size_t) = memset;
  if (size > 0) set(memory, 0, size);
}

BLAKE2_SIMD_NOINLINE void blake2_simd_wipe_stack(void) {
  uint8_t below[16 << 10]; /* twice what any call here has */
  blake2_simd_wipe(below, sizeof below);
}

/* One block on one state, with the portable kernel. */
static void compress_one(uint64_t h[8], const uint8_t block[BLOCK], uint64_t t, uint64_t final) {
  uint64_t m[BLOCK_WORDS];
  for (size_t w = 0; w < BLOCK_WORDS; w++) m[w] = blake2_simd_load64(block + 8 * w);
  blake2_simd_portable.compress(h, m, &t, &final, BLOCK_WORDS);
}

int blake2_simd_params_init(blake2_simd_params *params, size_t digest_size, const uint8_t *key,
                            size_t key_size) {
  uint8_t block[BLOCK] = {0};
  if (digest_size < 1 || digest_size > BLAKE2_SIMD_DIGEST_MAX || key_size > BLAKE2_SIMD_KEY_MAX)
    return -1;
  memcpy(params->h, blake2_simd_iv, sizeof params->h);
  params->h[0] ^= 0x01010000 ^ (uint64_t)key_size << 8 ^ (uint64_t)digest_size;
  params->t = 0;
  params->digest_size = (unsigned)digest_size;
  if (key_size > 0) {
    memcpy(block, key, key_size);
    params->t = BLOCK;
  }
  memcpy(params->empty, params->h, sizeof params->h);
  compress_one(params->empty, block, params->t, ~(uint64_t)0);
  if (key_size > 0) compress_one(params->h, block, params->t, 0);
  return 0;
}

/* ---- any messages, lane by lane ----------------------------------------------------------- */

/* What is left of a message after the state h has absorbed t bytes: one part, then the other. */
typedef struct {
  const uint64_t *h;
  uint64_t t;
  blake2_simd_bytes part[2];
} rest;

static size_t rest_size(const rest *r) { return r->part[0].size + r->part[1].size; }

/* Bytes `at` to `at` + BLOCK of the rest, zero after its end, into one lane of m. */
static void load_block(const rest *r, size_t at, uint64_t *m, size_t stride) {
  uint8_t block[BLOCK] = {0};
  size_t fill = 0;
  for (int p = 0; p < 2; p++) {
    size_t size = r->part[p].size;
    if (at < size) {
      size_t n = min_size(size - at, BLOCK - fill);
      memcpy(block + fill, r->part[p].data + at, n);
      fill += n;
      at = 0;
    } else {
      at -= size;
    }
  }
  for (size_t w = 0; w < BLOCK_WORDS; w++) m[w * stride] = blake2_simd_load64(block + 8 * w);
}

/* Finishes n <= lanes messages, none of them empty; state: [8][stride]. */
static void finish(const blake2_simd *impl, const rest *r, size_t n, uint64_t *state) {
  BLAKE2_SIMD_ALIGNED(64) uint64_t h[8 * STRIDE_MAX] = {0};
  BLAKE2_SIMD_ALIGNED(64) uint64_t m[BLOCK_WORDS * STRIDE_MAX] = {0};
  BLAKE2_SIMD_ALIGNED(64) uint64_t t[STRIDE_MAX] = {0}, final[STRIDE_MAX] = {0};
  const size_t stride = impl->stride;
  size_t blocks = 0;
  for (size_t l = 0; l < n; l++) {
    size_t own = blocks_of(rest_size(&r[l]));
    if (own > blocks) blocks = own;
    for (size_t i = 0; i < 8; i++) h[i * stride + l] = r[l].h[i];
  }
  for (size_t b = 0; b < blocks; b++) {
    for (size_t l = 0; l < n; l++) {
      size_t size = rest_size(&r[l]), at = b * BLOCK;
      if (b >= blocks_of(size)) continue; /* done: what this lane computes from here on is lost */
      load_block(&r[l], at, m + l, stride);
      t[l] = r[l].t + min_size(size, at + BLOCK);
      final[l] = b + 1 == blocks_of(size) ? ~(uint64_t)0 : 0;
    }
    impl->compress(h, m, t, final, BLOCK_WORDS);
    for (size_t l = 0; l < n; l++)
      if (b + 1 == blocks_of(rest_size(&r[l])))
        for (size_t i = 0; i < 8; i++) state[i * stride + l] = h[i * stride + l];
  }
}

void blake2_simd_many(const blake2_simd *impl, const blake2_simd_params *params,
                      const blake2_simd_bytes *prefix, const blake2_simd_bytes *suffix, size_t n,
                      uint8_t *out) {
  uint64_t state[8 * STRIDE_MAX] = {0};
  const size_t lanes = impl->lanes, stride = impl->stride;
  for (size_t first = 0; first < n; first += lanes) {
    rest r[LANES_MAX];
    size_t count = min_size(lanes, n - first);
    for (size_t l = 0; l < count; l++)
      r[l] = (rest){params->h, params->t, {prefix[first + l], suffix[first + l]}};
    finish(impl, r, count, state);
    for (size_t l = 0; l < count; l++) {
      int empty = rest_size(&r[l]) == 0;
      for (size_t i = 0; i < params->digest_size; i++) {
        uint64_t word = empty ? params->empty[i / 8] : state[i / 8 * stride + l];
        *out++ = (uint8_t)(word >> (8 * (i % 8)));
      }
    }
  }
}

/* ---- prepared prefixes -------------------------------------------------------------------- */

typedef blake2_simd_group group;

struct blake2_simd_prefixes {
  blake2_simd_params params;
  size_t count, groups, words_size;
  uint32_t *order;
  group *group;
  uint64_t *words; /* [words_size]: what the groups point into */
};

typedef struct {
  uint64_t size;
  uint32_t index;
} sized;

/* By size, equal ones as they stand: a pass for each byte that sizes differ in. */
static sized *sort_by_size(sized *items, sized *spare, size_t n) {
  uint64_t differ = 0;
  for (size_t i = 1; i < n; i++) differ |= items[i].size ^ items[0].size;
  for (unsigned shift = 0; shift < 64 && differ >> shift != 0; shift += 8) {
    size_t start[256] = {0}, sum = 0;
    for (size_t i = 0; i < n; i++) start[items[i].size >> shift & 255]++;
    for (size_t b = 0; b < 256; b++) {
      const size_t count = start[b];
      start[b] = sum;
      sum += count;
    }
    for (size_t i = 0; i < n; i++) spare[start[items[i].size >> shift & 255]++] = items[i];
    sized *sorted = spare;
    spare = items;
    items = sorted;
  }
  return items;
}

/* Words that the prepared form of a prefix of that size takes. */
static size_t prepared_words(size_t size) {
  size_t tail = size % BLOCK;
  return tail / 8 + 1 + (size >= BLOCK ? 8 : 0) + (tail == 0 ? 2 : 0);
}

static void absorb(const blake2_simd_params *params, const uint8_t *data, size_t blocks,
                   uint64_t h[8]) {
  memcpy(h, params->h, 8 * sizeof *h);
  for (size_t b = 0; b < blocks; b++)
    compress_one(h, data + b * BLOCK, params->t + (b + 1) * BLOCK, 0);
}

static void digest_alone(const blake2_simd_params *params, const uint8_t *data, size_t size,
                         uint64_t out[2]) {
  uint64_t state[8];
  rest r = {params->h, params->t, {{data, size}, {NULL, 0}}};
  if (size == 0)
    memcpy(state, params->empty, sizeof state);
  else
    finish(&blake2_simd_portable, &r, 1, state);
  out[0] = blake2_simd_bswap(state[0]);
  out[1] = blake2_simd_bswap(state[1]);
}

/* Fills one group of equally long prefixes; returns the memory after it, or NULL to give up. */
static uint64_t *fill_group(group *g, const blake2_simd_params *params, const uint8_t *data,
                            const uint64_t *offsets, const uint32_t *order, uint64_t *memory,
                            blake2_simd_stop *stop, void *context) {
  uint64_t *words = memory, *h = words + g->count * g->words;
  uint64_t *alone = h + (g->size >= BLOCK ? g->count * 8 : 0);
  g->prefix = words;
  g->h = g->size >= BLOCK ? h : params->h;
  g->h_stride = g->size >= BLOCK ? 8 : 0;
  g->alone = g->tail == 0 ? alone : NULL;
  g->t = params->t + (g->size - g->tail);
  for (size_t i = 0; i < g->count; i++) {
    const uint8_t *bytes = data + offsets[order[g->first + i]];
    const uint8_t *tail = bytes + (g->size - g->tail);
    for (size_t w = 0; w < g->words; w++)
      *words++ = blake2_simd_load_part(tail + 8 * w, min_size(8, g->tail - 8 * w));
    if (g->h_stride > 0) absorb(params, bytes, g->size / BLOCK, h + 8 * i);
    if (g->alone != NULL) digest_alone(params, bytes, g->size, alone + 2 * i);
    if (stop != NULL && stop(context, 1 + 2 * (g->size / BLOCK)) != 0) return NULL;
  }
  return alone + (g->tail == 0 ? g->count * 2 : 0);
}

blake2_simd_prefixes *blake2_simd_prefixes_new(const blake2_simd_params *params,
                                               const uint8_t *data, const uint64_t *offsets,
                                               size_t n) {
  return blake2_simd_prefixes_until(params, data, offsets, n, NULL, NULL);
}

blake2_simd_prefixes *blake2_simd_prefixes_until(const blake2_simd_params *params,
                                                 const uint8_t *data, const uint64_t *offsets,
                                                 size_t n, blake2_simd_stop *stop, void *context) {
  blake2_simd_prefixes *p = calloc(1, sizeof *p);
  sized *items = malloc(2 * (n + 1) * sizeof *items);
  size_t words = 0, groups = 0;
  if (p == NULL || items == NULL) goto failed;
  for (size_t i = 0; i < n; i++) {
    items[i].size = offsets[i + 1] - offsets[i];
    items[i].index = (uint32_t)i;
    words += prepared_words((size_t)items[i].size);
  }
  const sized *sorted = sort_by_size(items, items + n, n);
  for (size_t i = 0; i < n; i++) groups += i == 0 || sorted[i].size != sorted[i - 1].size;

  p->params = *params;
  p->count = n;
  p->groups = groups;
  p->words_size = words;
  p->order = malloc((n + 1) * sizeof *p->order);
  p->group = malloc((groups + 1) * sizeof *p->group);
  p->words = malloc((words + 1) * sizeof *p->words);
  if (p->order == NULL || p->group == NULL || p->words == NULL) goto failed;

  group *g = p->group - 1;
  for (size_t i = 0; i < n; i++) {
    size_t size = (size_t)sorted[i].size;
    if (i == 0 || size != g->size) {
      g++;
      *g = (group){.size = size, .tail = size % BLOCK, .first = i};
      g->words = g->tail / 8 + 1;
    }
    g->count++;
    p->order[i] = sorted[i].index;
  }
  uint64_t *memory = p->words;
  for (size_t i = 0; i < groups && memory != NULL; i++)
    memory = fill_group(&p->group[i], &p->params, data, offsets, p->order, memory, stop, context);
  if (memory == NULL) goto failed;
  free(items);
  return p;

failed:
  free(items);
  blake2_simd_prefixes_free(p);
  return NULL;
}

void blake2_simd_prefixes_free(blake2_simd_prefixes *p) {
  if (p == NULL) return;
  if (p->params.t > 0) { /* there is a key */
    if (p->words != NULL) blake2_simd_wipe(p->words, p->words_size * sizeof *p->words);
    blake2_simd_wipe(&p->params, sizeof p->params);
    blake2_simd_wipe_stack(); /* what scoring left there */
  }
  free(p->order);
  free(p->group);
  free(p->words);
  free(p);
}

size_t blake2_simd_prefixes_count(const blake2_simd_prefixes *p) { return p->count; }

const uint32_t *blake2_simd_prefixes_order(const blake2_simd_prefixes *p) { return p->order; }

/* Words of a block with suffixes of that size: the one that they begin in is there also where they
 * are empty. */
static size_t block_words(const group *g, size_t suffix_size) {
  const size_t words = words_of(g->tail + suffix_size);
  return words < g->words ? g->words : words;
}

/* The group that holds a position. */
static const group *group_at(const blake2_simd_prefixes *p, size_t position) {
  size_t low = 0, high = p->groups - 1;
  while (low < high) {
    size_t middle = (low + high + 1) / 2;
    if (p->group[middle].first <= position)
      low = middle;
    else
      high = middle - 1;
  }
  return &p->group[low];
}

/* ---- tiles -------------------------------------------------------------------------------- */

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
 * suffixes. */
static void tile_blocks(const blake2_simd *impl, const group *g, size_t i, size_t count,
                        blake2_simd_suffixes *block, size_t s, uint64_t *hi, uint64_t *lo) {
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
  const group *g = group_at(prefixes, first);
  const tile of = {g, first - g->first, count, hi, lo};
  strips all;
  all.n = all.words = 0;
  all.with_lo = lo != NULL;
  for (size_t s = 0; s < block->groups; s++) tile_suffixes(impl, &of, block, s, &all);
  run_strips(impl, &all);
  if (block->any_empty) put_alone(impl, &of, block);
}

/* ---- rows --------------------------------------------------------------------------------- */

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
  impl->strip(&strip, 1, rows, lo != NULL);
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
  finish(impl, r, n, state);
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

void blake2_simd_row(const blake2_simd *impl, const blake2_simd_prefixes *prefixes, size_t first,
                     size_t count, blake2_simd_bytes suffix, uint64_t *hi, uint64_t *lo) {
  uint64_t words[BLOCK_WORDS + 1] = {0};
  if (count == 0) return;
  const group *g = group_at(prefixes, first);
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
