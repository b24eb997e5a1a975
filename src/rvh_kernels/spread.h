/* Replicas spread over failure domains: spread.c, for work.c. */
#ifndef RVH_SPREAD_H
#define RVH_SPREAD_H

#include "rvh_kernels_impl.h"

/* One thread's best nodes of every domain, for the keys under way. The first list keeps the limits
 * of every level, each next one of a level less, from the outermost in. */
typedef struct {
  const rvh_nodes *nodes;
  size_t k, levels, lists;
  size_t domains[RVH_LEVELS_MAX];
  uint32_t *leaf;                    /* position -> innermost domain */
  uint32_t *parent[RVH_LEVELS_MAX];  /* domain -> that of the next level out */
  rvh_topk *top[RVH_LEVELS_MAX];     /* of each domain; k: how many nodes it may have */
  rvh_topk list[RVH_LEVELS_MAX + 1]; /* k: how many nodes the list has */
  uint8_t *seen;                     /* [positions], all 0 between keys */
  rvh_candidate *more;               /* [k] */
  size_t stride;                     /* the widest that there is memory for */
  int listed;                        /* whether the lists of the keys under way are made */
  rvh_topk_tile *add;
  rvh_topk_merge *merge;
  void *tables, *slots;
} rvh_spreading;

/* stride: that of a tile; where tops of that width would need more than max_bytes, s->stride is 1.
 */
rvh_status rvh_spread_new(rvh_spreading *s, const rvh_nodes *nodes, const rvh_spread *spread,
                          size_t k, size_t stride, size_t max_bytes);
void rvh_spread_free(rvh_spreading *s);

/* Starts a group of keys with the instruction set's kernels, or one key without where isa is NULL;
 * lanes and the tie rule are those of `like`. */
void rvh_spread_start(rvh_spreading *s, const rvh_isa *isa, const rvh_topk *like);
void rvh_spread_add(rvh_spreading *s, const uint64_t *hi, size_t first, size_t count);
/* A lane's best k, after the last node. Once the poll stops the call, the answer is undefined. */
void rvh_spread_finish(rvh_spreading *s, size_t lane, rvh_candidate *best);

#endif
