/* What the shapes of work share: the parts of a message, and prepared prefixes. */
#ifndef BLAKE2_SIMD_SHAPES_H
#define BLAKE2_SIMD_SHAPES_H

#include "blake2_simd_impl.h"

enum {
  BLOCK = BLAKE2_SIMD_BLOCK,
  BLOCK_WORDS = BLOCK / 8,
  LANES_MAX = BLAKE2_SIMD_LANES_MAX,
  STRIDE_MAX = BLAKE2_SIMD_STRIDE_MAX,
};

static inline size_t words_of(size_t bytes) { return (bytes + 7) / 8; }

/* Further on in an output that may not be wanted. */
static inline uint64_t *after(uint64_t *out, size_t n) { return out == NULL ? NULL : out + n; }

/* Blocks that a message's remaining `size` bytes fill; an empty one still takes one. */
static inline size_t blocks_of(size_t size) { return size == 0 ? 1 : (size + BLOCK - 1) / BLOCK; }

/* ---- any messages: blake2_simd_hash.c ------------------------------------------------------- */

/* What is left of a message after the state h has absorbed t bytes: one part, then the other. */
typedef struct {
  const uint64_t *h;
  uint64_t t;
  blake2_simd_bytes part[2];
} rest;

/* Finishes n <= lanes messages, none of them empty; state: [8][stride]. */
void blake2_simd_finish(const blake2_simd *impl, const rest *r, size_t n, uint64_t *state);

/* One block on one state, with the portable kernel. */
void blake2_simd_compress_one(uint64_t h[8], const uint8_t block[BLOCK], uint64_t t,
                              uint64_t final);

/* ---- prepared prefixes: blake2_simd_prefixes.c ---------------------------------------------- */

typedef blake2_simd_group group;

struct blake2_simd_prefixes {
  blake2_simd_params params;
  size_t count, groups, words_size;
  uint32_t *order;
  group *group;
  uint64_t *words; /* [words_size]: what the groups point into */
  /* the first `in_eights`, of less than a block, once more; 0 where there are many */
  size_t in_eights;
  blake2_simd_eight *eight;
  void *eight_memory;
};

/* Makes the eights: blake2_simd_eights.c. Returns 0 when memory runs out. */
int blake2_simd_make_eights(blake2_simd_prefixes *p);

/* The group that holds a position. */
const group *blake2_simd_group_at(const blake2_simd_prefixes *p, size_t position);

/* Words of a block with suffixes of that size: the one that they begin in is there also where they
 * are empty. */
static inline size_t block_words(const group *g, size_t suffix_size) {
  const size_t words = words_of(g->tail + suffix_size);
  return words < g->words ? g->words : words;
}

#endif
