/* What the files of the kernels share and nobody else includes. */
#ifndef RVH_KERNELS_IMPL_H
#define RVH_KERNELS_IMPL_H

#include "rvh_kernels.h"

#include "blake2_simd_impl.h"

/* ---- columns: column.c -------------------------------------------------------------------- */

/* Bytes of scratch memory that one element needs to be turned into bytes; 0 where its bytes are
 * used in place. */
size_t rvh_column_scratch(const rvh_column *column);

/* spans[i]: the bytes of element first + i, i < n; those not in place are written to scratch. */
rvh_status rvh_column_spans(const rvh_column *column, size_t first, size_t n,
                            blake2_simd_bytes *spans, uint8_t *scratch, size_t *bad);

/* Elements first to first + n of an RVH_INTEGERS column, each as 64 bits with its sign extended. */
void rvh_column_integers(const rvh_column *column, size_t first, size_t n, uint64_t *out);

/* ---- long work ---------------------------------------------------------------------------- */

enum {
  RVH_POLL_WORK = 1 << 16, /* compressions between two questions: 1.5 ms with AVX-512 */
};

/* Whether the caller wants the call to end, asked now and then. */
static inline int stopped(rvh_poll *poll, size_t work) {
  if (poll == NULL) return 0;
  if (poll->left > work) {
    poll->left -= work;
    return 0;
  }
  poll->left = RVH_POLL_WORK;
  return poll->stop(poll->context) != 0;
}

/* ---- top k: topk.c, topk_lanes.h ----------------------------------------------------------- */

enum {
  /* up to here the best k are kept sorted in vectors, beyond it in a heap for each key */
  RVH_TOPK_SORTED_MAX = 16,
};

/* The low word of a score, computed again: asked only where two high words are equal, which real
 * scores never are (once in 2^64 pairs). So nothing else computes, moves or keeps low words. */
typedef uint64_t rvh_low_word(const void *source, size_t lane, size_t position);

typedef struct {
  uint64_t hi, position;
} rvh_candidate;

/* The running best k of `lanes` keys. */
typedef struct {
  size_t k, lanes, stride; /* words from one row of lanes to the next */
  size_t filled;           /* slots in use, the same in each lane: min(k, nodes seen) */
  const uint32_t *tie;     /* position -> rank among equal scores, the lowest first */
  rvh_low_word *low;       /* how to get a low word, */
  const void *source;      /* and from where */
  uint64_t *hi, *pos;      /* k <= RVH_TOPK_SORTED_MAX: [k][stride], best first */
  rvh_candidate *heap;     /* otherwise: [lanes][k], the worst on top once filled */
} rvh_topk;

/* Takes in the high words of scores, [count][stride], of the nodes at first to first + count. */
typedef void rvh_topk_tile(rvh_topk *top, const uint64_t *hi, size_t first, size_t count);

rvh_topk_tile rvh_topk_portable, rvh_topk_avx2, rvh_topk_avx512, rvh_topk_neon;

/* The memory that a top k needs, aligned to 64 bytes. */
size_t rvh_topk_bytes(size_t k, size_t stride);
void rvh_topk_start(rvh_topk *top, size_t k, size_t lanes, size_t stride, const uint32_t *tie,
                    void *memory);

/* The positions of one lane's best k, best first. Ends the use of that lane. */
void rvh_topk_finish(rvh_topk *top, size_t lane, uint32_t *positions);

/* One node into one lane of the sorted form, by the whole tie rule; `filled` counts the slots in
 * use before it. */
void rvh_topk_insert(rvh_topk *top, size_t lane, uint64_t hi, size_t position);

/* The heap form. */
rvh_topk_tile rvh_topk_heap;

/* ---- buckets: jump.c, jump_lanes.h --------------------------------------------------------- */

enum {
  /* keys that the widest kernel has in flight; it touches whole groups of them */
  RVH_BUCKETS_GROUP = 32,
};

/* Puts the bucket of each word into its place: words[i], i < n, becomes 0 to buckets - 1. `words`
 * is aligned to 64 bytes, with room (and values, no matter which) up to whole groups. */
typedef void rvh_buckets(uint64_t *words, size_t n, uint32_t buckets);

rvh_buckets rvh_jump_portable, rvh_jump_avx2, rvh_jump_avx512, rvh_jump_neon;
rvh_buckets rvh_jumpback_portable, rvh_jumpback_avx2, rvh_jumpback_avx512, rvh_jumpback_neon;

/* ---- instruction sets: isa.c -------------------------------------------------------------- */

struct rvh_isa {
  const blake2_simd *hash;
  rvh_topk_tile *topk; /* its lanes are those of `hash` */
  rvh_buckets *jump;
  rvh_buckets *jumpback;
};

/* ---- nodes: nodes.c ----------------------------------------------------------------------- */

/* A node's position is its place in `prefixes`; its index is what the caller knows it by. */
struct rvh_nodes {
  size_t n;
  blake2_simd_prefixes *prefixes;
  const uint32_t *order; /* position -> index; owned by prefixes */
  uint32_t *tie;         /* position -> rank in descending order of id bytes */
};

#endif
