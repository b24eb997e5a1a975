/* Replicas spread over failure domains: what select.c asks of spread.c. */
#ifndef RVH_SPREAD_H
#define RVH_SPREAD_H

#include "rvh_kernels_impl.h"

/* One thread's best nodes of every domain, for the keys under way. Lists: the first holds to every
 * level, each next one to a level less, from the outermost in. */
typedef struct {
  const rvh_nodes *nodes;
  size_t k, levels, lists;
  size_t domains[RVH_LEVELS_MAX];
  uint32_t *leaf;                    /* position -> innermost domain */
  uint32_t *parent[RVH_LEVELS_MAX];  /* domain -> that of the next level out */
  rvh_topk *top[RVH_LEVELS_MAX];     /* of each domain; its k is how many it may have */
  rvh_topk list[RVH_LEVELS_MAX + 1]; /* its k is at most how many it can have */
  uint8_t *seen;                     /* [positions], all 0 between keys */
  rvh_candidate *more;               /* [k] */
  size_t stride;                     /* the widest that there is memory for */
  int made;                          /* whether the lists are, of the keys under way */
  rvh_topk_tile *take;
  rvh_topk_merge *merge;
  void *tables, *slots;
} rvh_spreading;

/* `stride`: as wide as a tile, or 1 where tops so wide would need more than most_bytes. */
rvh_status rvh_spread_new(rvh_spreading *s, const rvh_nodes *nodes, const rvh_spread *spread,
                          size_t k, size_t stride, size_t most_bytes);
void rvh_spread_free(rvh_spreading *s);

/* A group of keys with the instruction set's kernels, or one key without, where isa is NULL; lanes
 * and the tie rule are those of `like`. */
void rvh_spread_start(rvh_spreading *s, const rvh_isa *isa, const rvh_topk *like);
void rvh_spread_take(rvh_spreading *s, const uint64_t *hi, size_t first, size_t count);
/* A lane's best k, after the last node; nothing of use, now or later, where the poll stops it. */
void rvh_spread_finish(rvh_spreading *s, size_t lane, rvh_candidate *best);

#endif
