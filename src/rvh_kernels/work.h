/* One thread's work on keys x nodes, and the shapes it is done in: work.c, for one_key.c, groups.c,
 * runs.c and select.c. */
#ifndef RVH_WORK_H
#define RVH_WORK_H

#include "spread.h"

enum {
  RVH_BATCH = 1024,         /* keys whose spans are looked up and sorted together */
  RVH_STRIP = 32,           /* nodes x groups of a tile: 6 KiB of high words with 17 lanes */
  RVH_ROW_STRIP = 128,      /* nodes of a row's scores */
  RVH_HEAP_BYTES = 4 << 20, /* for the heaps of one group; above, one key at a time */
};

/* What decides the best k, besides the ranking. */
typedef struct {
  rvh_spreading *spread;   /* or NULL */
  const intptr_t *current; /* [rows][current_count], or NULL */
  size_t current_count;
  const uint32_t *position_of; /* index -> position, for `current` */
} rvh_constraints;

typedef struct {
  const rvh_isa *isa;
  const rvh_nodes *nodes;
  rvh_poll *poll;
  size_t lanes, stride, k;
  /* one of them takes the answers: chosen (and words), scores, or high_words */
  intptr_t *chosen;             /* [rows][k] */
  uint64_t *words;              /* [rows][k], or NULL */
  uint64_t *scores;             /* [rows][indices][rvh_score_words] */
  uint64_t *high_words;         /* [rows]: of the only node */
  const rvh_constraints *rules; /* or NULL */
  /* pieces of `memory` */
  uint64_t *hi, *lo; /* a tile, or a row; low words only for scores */
  rvh_groups *groups;
  void *topk;
  rvh_candidate *best; /* [k] */
  blake2_simd_bytes *spans;
  uint64_t *hashes; /* RVH_MURMUR: of the spans */
  uint8_t *scratch;
  size_t batch; /* keys that spans, hashes and scratch have room for */
  void *memory;
} rvh_work;

/* Uses `small` where that is enough, otherwise allocates. rows_only: one key at a time. */
rvh_status rvh_work_start(rvh_work *w, const rvh_isa *isa, const rvh_nodes *nodes, int rows_only,
                          const rvh_column *keys, size_t k, rvh_poll *poll, uint8_t *small,
                          size_t small_size);

/* Frees the memory, and wipes what a secret left on the stack: a thread that ends keeps its own. */
void rvh_work_end(rvh_work *w);

/* ---- answers ------------------------------------------------------------------------------ */

rvh_status rvh_write_chosen(rvh_work *w, rvh_topk *top, size_t lane, size_t row);

/* The words of the nodes at first to first + count. */
typedef struct {
  uint64_t *hi, *lo;
  size_t first, count;
} rvh_tile;

void rvh_write_scores(const rvh_work *w, const rvh_tile *tile, size_t lane, size_t stride,
                      size_t row);

/* Where low words go; NULL where they are not needed. */
uint64_t *rvh_low_words(const rvh_work *w);

/* ---- ranking ------------------------------------------------------------------------------ */

rvh_topk rvh_work_topk(rvh_work *w, size_t lanes, size_t stride, const rvh_source *source);

/* Adds a tile, under constraints, with the kernel `topk`; rows: of the first `keys` lanes. */
void rvh_add_tile(const rvh_work *w, rvh_topk *top, rvh_topk_tile *topk, const size_t *rows,
                  size_t keys, const rvh_tile *tile);

/* ---- shapes -------------------------------------------------------------------------------- */

/* One key x all nodes: one_key.c. */
rvh_status rvh_one_key(rvh_work *w, rvh_key key, size_t row);

/* Keys that are looked up, in order of size: order[i] is the place of the i-th. */
typedef struct {
  const uint16_t *order;
  size_t n, first_row;
} rvh_batch;

static inline rvh_key rvh_batch_key(const rvh_work *w, size_t place) {
  return w->hashes != NULL ? (rvh_key){.hash = w->hashes[place]}
                           : (rvh_key){.bytes = w->spans[place]};
}

/* Keys in the lanes x all nodes: groups.c. Takes the first of at least one key, none of them too
 * long for a tile. */
rvh_status rvh_groups_of_keys(rvh_work *w, rvh_batch batch, size_t *taken);

/* The best node alone, of hashed keys without weights: runs.c. */
rvh_status rvh_best_of_batch(rvh_work *w, size_t n, size_t first_row);

/* The best k of hashed keys by ranks, and whether that is faster than groups: ranks.c. */
int rvh_ranks_serve(const rvh_work *w);
rvh_status rvh_best_of_ranks(rvh_work *w, size_t n, size_t first_row);

#endif
