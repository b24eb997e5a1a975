/* Prefixes of less than a block that stand side by side, a lane each, for one suffix behind them.
 */

#include "blake2_simd_shapes.h"

#include <stdlib.h>

enum {
  LANES = 8,
  EIGHTS_MAX = 4096 / LANES, /* 600 KB at the most; a row of more takes a millisecond anyway */
};

/* Puts prefixes `first` to first + n side by side, from `memory` on. */
static void fill_eight(blake2_simd_eight *eight, const blake2_simd_prefixes *p, size_t first,
                       size_t n, uint64_t *memory) {
  const group *g = blake2_simd_group_at(p, first), *last = blake2_simd_group_at(p, first + n - 1);
  uint64_t *tail = memory, *word = memory + LANES;
  *eight = (blake2_simd_eight){tail, word, last->words, g->tail, last->tail};
  for (size_t l = 0; l < n; l++) {
    if (first + l == g->first + g->count) g++;
    const uint64_t *prefix = g->prefix + (first + l - g->first) * g->words;
    tail[l] = g->tail;
    for (size_t w = 0; w < g->words; w++) word[LANES * w + l] = prefix[w];
  }
}

int blake2_simd_make_eights(blake2_simd_prefixes *p) {
  size_t n = 0, rows = 0;
  for (const group *g = p->group; g < p->group + p->groups && g->size < BLOCK; g++) n += g->count;
  const size_t eights = (n + LANES - 1) / LANES;
  if (eights == 0 || eights > EIGHTS_MAX) return 1;
  for (size_t e = 0; e < eights; e++)
    rows += 1 + blake2_simd_group_at(p, min_size(LANES * (e + 1), n) - 1)->words;
  p->eight = malloc(eights * sizeof *p->eight);
  p->eight_memory = calloc(rows + 1, LANES * sizeof(uint64_t));
  if (p->eight == NULL || p->eight_memory == NULL) return 0;
  uint64_t *memory = (uint64_t *)(((uintptr_t)p->eight_memory + 63) / 64 * 64);
  for (size_t e = 0; e < eights; e++) {
    fill_eight(&p->eight[e], p, LANES * e, min_size(LANES, n - LANES * e), memory);
    memory += LANES * (1 + p->eight[e].words);
  }
  p->in_eights = n;
  return 1;
}
