/* Prepared prefixes: in order of length, each with what is absorbed of it and its tail as words. */

#include "blake2_simd_shapes.h"

#include <stdlib.h>

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
    blake2_simd_compress_one(h, data + b * BLOCK, params->t + (b + 1) * BLOCK, 0);
}

static void digest_alone(const blake2_simd_params *params, const uint8_t *data, size_t size,
                         uint64_t out[2]) {
  uint64_t state[8];
  const rest r = {params->h, params->t, {{data, size}, {NULL, 0}}};
  if (size == 0)
    memcpy(state, params->empty, sizeof state);
  else
    blake2_simd_finish(&blake2_simd_portable, &r, 1, state);
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
  if (memory == NULL || !blake2_simd_make_eights(p)) goto failed;
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
  free(p->eight);
  free(p->eight_memory);
  free(p);
}

size_t blake2_simd_prefixes_count(const blake2_simd_prefixes *p) { return p->count; }

int blake2_simd_prefixes_keyed(const blake2_simd_prefixes *p) { return p->params.t > 0; }

const uint32_t *blake2_simd_prefixes_order(const blake2_simd_prefixes *p) { return p->order; }

const group *blake2_simd_group_at(const blake2_simd_prefixes *p, size_t position) {
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
