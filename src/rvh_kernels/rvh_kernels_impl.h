/* What the kernels' own files share: tests include it too, callers do not. */
#ifndef RVH_KERNELS_IMPL_H
#define RVH_KERNELS_IMPL_H

#include "rvh_kernels.h"

#include "blake2_simd_impl.h"

/* ---- long work: poll.c -------------------------------------------------------------------- */

enum {
  RVH_POLL_WORK = 1 << 16, /* compressions between two polls: 1.5 ms with AVX-512 */
};

/* Calls the poll, whatever is left. Rare: compilers keep the registers for the other way. */
#if defined(__GNUC__)
__attribute__((cold))
#endif
int rvh_poll_now(rvh_poll *poll);

/* Whether the caller wants the call to end; `work` is counted in compressions of BLAKE2b. */
static inline int rvh_stopped(rvh_poll *poll, size_t work) {
  if (poll == NULL) return 0;
  if (poll->left <= work) return rvh_poll_now(poll);
  poll->left -= work;
  return 0;
}

/* ---- columns: column.c -------------------------------------------------------------------- */

/* Bytes of scratch memory that turning one element into bytes needs; 0 where its bytes are used in
 * place. */
size_t rvh_column_scratch(const rvh_column *column);

/* spans[i]: the bytes of element first + i, i < n; those not in place are written to scratch. */
rvh_status rvh_column_spans(const rvh_column *column, size_t first, size_t n,
                            blake2_simd_bytes *spans, uint8_t *scratch, size_t *bad);

/* The total size of elements first to first + n, padding included. */
size_t rvh_column_bytes(const rvh_column *column, size_t first, size_t n);

enum {
  RVH_BATCH_BYTES = 1 << 20, /* read between two polls: some 2 ms of MD5 */
};

/* How many of the elements first to first + n to work on before the next poll: all of them, or as
 * many, at least one, as have no more than RVH_BATCH_BYTES in total. *bytes: their total. */
size_t rvh_column_batch(const rvh_column *column, size_t first, size_t n, size_t *bytes);

/* Bytes of scratch memory for such a batch of n elements or fewer. */
size_t rvh_column_batch_scratch(const rvh_column *column, size_t n);

/* Elements first to first + n of an RVH_INTEGERS column, each as 64 bits with its sign extended. */
void rvh_column_integers(const rvh_column *column, size_t first, size_t n, uint64_t *out);

/* ---- points of keys: points.c ------------------------------------------------------------- */

/* Uses the points of n keys; the first is `row` rows after the start. */
typedef rvh_status rvh_use_points(void *context, size_t row, const uint64_t *points, size_t n);

/* Passes the points of rows start to stop to `use`, a batch at a time. Using one point takes as
 * long as hashing `cost` short keys. */
rvh_status rvh_each_point(const rvh_isa *isa, rvh_point_kind kind, rvh_tag tag,
                          const rvh_column *keys, size_t start, size_t stop, size_t cost,
                          rvh_use_points *use, void *context, rvh_poll *poll, size_t *bad);

/* The size of an RVH_PADDED element without its padding. One comparison tells where there is none;
 * long padding is skipped eight bytes at a time. */
static inline size_t rvh_without_padding(const uint8_t *p, size_t size) {
  if (size > 0 && p[size - 1] != 0) return size;
  while (size >= 8) {
    uint64_t last;
    memcpy(&last, p + size - 8, 8);
    if (last != 0) break;
    size -= 8;
  }
  while (size > 0 && p[size - 1] == 0) size--;
  return size;
}

/* ---- memory: compose.c -------------------------------------------------------------------- */

/* Makes room for `size` bytes, and for `more` that are expected: memory that is never written to
 * costs nothing. */
rvh_status rvh_reserve(rvh_buffer *out, size_t size, size_t more);

/* ---- top k: topk.c, topk_lanes.h ----------------------------------------------------------- */

enum {
  /* up to here the best k are kept sorted in vectors; above, in a heap for each key */
  RVH_TOPK_SORTED_MAX = 16,
};

/* A whole score before any weighting; `murmur` has no low word. */
typedef struct {
  uint64_t hi, lo;
} rvh_score;

/* A score computed a second time, only where the words that rank are equal: at most once in 2^52
 * pairs. So nothing else computes, moves or keeps what only ties need. */
typedef struct rvh_source rvh_source;
typedef rvh_score rvh_rescore(const rvh_source *source, size_t lane, size_t position);

/* Where scores come from: the head of a larger struct. */
struct rvh_source {
  rvh_rescore *rescore;
  rvh_poll *poll; /* for large heaps; once it stops the call, any answer will do */
};

typedef struct {
  uint64_t hi, position;
} rvh_candidate;

/* The running best k of `lanes` keys. */
typedef struct {
  size_t k, lanes, stride; /* words from one row of lanes to the next */
  size_t filled;           /* slots in use, the same in each lane: min(k, nodes seen) */
  const uint32_t *tie;     /* position -> rank among equal scores, the lowest first */
  const rvh_source *source;
  uint64_t *hi, *pos;  /* k <= RVH_TOPK_SORTED_MAX: [k][stride], best first */
  rvh_candidate *heap; /* otherwise: [lanes][k], the worst on top once filled */
} rvh_topk;

/* Adds the nodes at first to first + count by the words that rank them (a score's high word, or the
 * bits of a weighted score), [count][stride]. */
typedef void rvh_topk_tile(rvh_topk *top, const uint64_t *hi, size_t first, size_t count);

/* Adds what `from` has kept; it has as many lanes and the same stride. */
typedef void rvh_topk_merge(rvh_topk *top, const rvh_topk *from);

/* The memory that a top k needs, aligned to 64 bytes. */
size_t rvh_topk_bytes(size_t k, size_t stride);
void rvh_topk_start(rvh_topk *top, size_t k, size_t lanes, size_t stride, const uint32_t *tie,
                    void *memory);

/* One lane's best k, best first; fewer where the poll stops it. The lane cannot be used after. */
void rvh_topk_finish(rvh_topk *top, size_t lane, rvh_candidate *best);

/* Adds one node to one lane of the sorted form, by the whole tie rule; `filled` counts the slots in
 * use before it. */
void rvh_topk_insert(rvh_topk *top, size_t lane, uint64_t hi, size_t position);

/* The same for the heap form; of a merge, where either is a heap. */
rvh_topk_tile rvh_topk_heap;
rvh_topk_merge rvh_topk_merge_heap;

/* ---- hashes of keys: column_hashes.c, hash_lanes.h ---------------------------------------- */

enum { /* keys that are hashed together, and their sizes */
       RVH_HASHED = 64,
       RVH_HASHED_SIZE_MIN = 8,
       RVH_HASHED_SIZE_MAX = 64,
};

/* hashes[i]: MurmurHash64A of the bytes of element first + i, i < n. spans has room for n, scratch
 * as for rvh_column_spans. */
rvh_status rvh_column_hashes(const rvh_isa *isa, const rvh_column *column, size_t first, size_t n,
                             uint64_t *hashes, blake2_simd_bytes *spans, uint8_t *scratch,
                             size_t *bad);

/* ---- murmur without weights: best.c, best_lanes.h ----------------------------------------- */

enum {
  RVH_BEST_GROUP_MAX = 64, /* keys that any set's kernel works on at a time, at most */
  RVH_STEP = 8, /* nodes of a step: murmur_best_step tells where the best node's begins */
};

/* Keys, and the best node of each so far. The arrays have room for whole groups. */
typedef struct {
  size_t keys;
  const uint64_t *hash;      /* of the keys */
  const uint64_t *nodes;     /* hashes by position */
  uint64_t *position, *word; /* the best node's, and its score */
} rvh_best_run;

/* The best node of each of n keys: its position and its score. hash, position and word have room
 * for RVH_BEST_GROUP_MAX more. */
rvh_status rvh_best_over(const rvh_isa *isa, const rvh_nodes *nodes, const uint64_t *hash, size_t n,
                         rvh_poll *poll, uint64_t *position, uint64_t *word);

/* ---- one key: one_key.c, one_lanes.h ------------------------------------------------------- */

enum {
  RVH_ROW_BEST = 3, /* nodes of one key that are found in registers, at most */
  RVH_ROW_PAD = 7,  /* words behind a row that kernels read as well */
};

/* What ranks the nodes of one key, by position. */
typedef struct {
  const uint64_t *words; /* from position `first` on; RVH_ROW_PAD more can be read */
  uint64_t key;          /* where words are hashes that are mixed with it: the key's */
  uint64_t low;          /* bits that make room for a position */
} rvh_row;

/* ---- ranks: ranks.c, rank_lanes.h, settle_lanes.h ----------------------------------------- */

/* A rank is a word that orders the nodes of a key, the least first. Its low bits, nodes->low, hold
 * the node's position, so minima and maxima alone keep the best nodes, and keep them sorted. The
 * bits above come from the score. Without weights they are the score's, turned round and less a
 * few; where two agree in them, whole scores decide. With weights they are a bound of the weighted
 * score: see settle_lanes.h.
 *
 * Ranks are bits of positive doubles, and no subnormals: most sets have minima of doubles alone. */
#define RVH_RANK_BASE ((uint64_t)1 << 62)       /* which all ranks of scores have */
#define RVH_RANK_HIGH (((uint64_t)1 << 61) - 1) /* where their other bits are */
#define RVH_RANK_NONE 0x7fefffffffffffffu       /* the largest double: where nodes are few */

enum {
  RVH_RANKED_MAX = 16, /* nodes that may be asked for */
  RVH_RANKS_MAX = RVH_RANKED_MAX + 2,
  RVH_RANK_RUN = 128,  /* keys of a run, at most: their ranks stay in the L1 cache */
  RVH_RANK_GROUP = 16, /* keys that the widest kernel has in flight; RVH_BEST_GROUP_MAX is twice as
                          many or more */
};

/* A run of hashed keys. */
typedef struct {
  const rvh_nodes *nodes;
  const uint64_t *hash; /* of the keys; one group more can be read */
  size_t keys;          /* whole groups */
  size_t k;             /* nodes that are asked for */
  uint64_t *rank;       /* [RVH_RANKS_MAX][RVH_RANK_RUN]: the best first, for weights k + 2 or more,
                           otherwise k + 1 or more */
} rvh_ranking;

/* ---- buckets: jump.c, jump_lanes.h --------------------------------------------------------- */

enum {
  /* keys that the widest kernel has in flight; kernels read and write whole groups */
  RVH_BUCKETS_GROUP = 32,
};

/* Replaces each word by its bucket: words[i], i < n, becomes 0 to buckets - 1. `words` is aligned
 * to 64 bytes and filled up to whole groups with any values. */
typedef void rvh_buckets(uint64_t *words, size_t n, uint32_t buckets);

/* ---- rings: hashes.c, md5_lanes.h, ring.c ------------------------------------------------- */

enum { RVH_MD5_GROUP = 16 }; /* messages hashed together: the widest kernel's lanes */

/* words[16][RVH_MD5_GROUP]: messages of one block; out[2][RVH_MD5_GROUP]: the first two words of
 * their digests. Both are aligned to 64 bytes. */
typedef void rvh_md5(const uint32_t *words, uint32_t *out);
extern const uint32_t rvh_md5_sine[64];

/* ---- instruction sets: isa.c -------------------------------------------------------------- */

/* Turns scores into the bits of weighted scores, in place: a tile [count][stride], a row [count].
 */
typedef void rvh_weigh(uint64_t *words, const double *weight, size_t count, rvh_scheme scheme);
/* The scores of `murmur`: a tile [count][stride] of a group's keys, a row [count] of one key. */
typedef void rvh_murmur_tile(const uint64_t *keys, const uint64_t *nodes, size_t count,
                             uint64_t *out);
typedef void rvh_murmur_row(uint64_t key, const uint64_t *nodes, size_t count, uint64_t *out);
/* hashes[i], i < n <= RVH_HASHED: MurmurHash64A of the `size` bytes at p + i * stride;
 * RVH_HASHED_SIZE_MIN <= size <= RVH_HASHED_SIZE_MAX. */
typedef void rvh_murmur_hashes(const uint8_t *p, ptrdiff_t stride, size_t size, size_t n,
                               uint64_t *hashes);
/* Scans the nodes at first to first + count, count >= 2, for the highest score of each key. In
 * steps, a position may be that of the step's first node, until murmur_find puts the node's own in
 * its place; n >= RVH_STEP: of all nodes. */
typedef void rvh_best_scan(const rvh_best_run *run, size_t first, size_t count);
typedef void rvh_best_find(const rvh_best_run *run, size_t n);
/* Adds the nodes at first to first + count to top[0] to top[k], the highest words so far, each
 * with its node's position in the low bits; 1 <= k <= RVH_ROW_BEST. A 0 is not a node. */
typedef void rvh_rank(const rvh_row *row, size_t first, size_t count, uint64_t *top, size_t k);
/* Adds the nodes at first to first + count, count > 1, to the best of those before. */
typedef void rvh_rank_nodes(const rvh_ranking *r, size_t first, size_t count);
/* The same for a tile of high words, [count][stride]. rank: [k + 1][stride], all lanes of it;
 * 1 <= k <= RVH_RANKED_MAX */
typedef void rvh_rank_tile(const uint64_t *hi, size_t first, size_t count, uint64_t low,
                           uint64_t *rank, size_t k);
/* unsure[keys]: whether two of a key's best k + 1 ranks agree in the bits above `low`. rank:
 * [k + 1][stride] */
typedef void rvh_settle_ties(const uint64_t *rank, size_t stride, size_t keys, size_t k,
                             uint64_t low, uint64_t *unsure);
/* With weights: the best k ranks become positions in the order of the weighted scores, which go to
 * word, [k + 1][RVH_RANK_RUN]. unsure[keys]: whether a node is missing among them, or scores are
 * equal. */
typedef void rvh_settle_weighted(const rvh_ranking *r, uint64_t *word, uint64_t *unsure);
/* With weights and k = 1: whether the bounds leave open which node is the best. */
typedef void rvh_settle_nearest(const rvh_ranking *r, uint64_t *unsure);
/* out[i] = -ln(m[i] * 2^-53), 0 < m[i] < 2^53 */
typedef void rvh_log(const uint64_t *m, size_t count, double *out);

struct rvh_isa {
  const blake2_simd *hash;
  rvh_topk_tile *topk; /* its lanes, as those of every tile, are those of `hash` */
  rvh_topk_merge *topk_merge;
  rvh_weigh *weigh_tile, *weigh_row;
  rvh_murmur_tile *murmur_tile;
  rvh_murmur_row *murmur_row;
  rvh_murmur_hashes *murmur_hashes; /* or NULL, where one by one is faster */
  rvh_best_scan *best, *best_step;
  rvh_best_find *best_find;
  const size_t *best_group;        /* keys that `best` works on at a time */
  rvh_rank *rank_row, *rank_mixed; /* of words; of hashes, by the scores of `murmur` */
  rvh_rank_nodes *rank_nodes;
  rvh_rank_tile *rank_tile;
  rvh_settle_ties *settle_ties;
  rvh_settle_nearest *settle_nearest;
  rvh_settle_weighted *settle_weighted;
  rvh_buckets *jump, *jumpback;
  rvh_md5 *md5;
  rvh_log *neg_log;
};

/* Every compiled set, whether this processor supports it or not. Returns their number. */
size_t rvh_isa_all(const rvh_isa **sets);

#define RVH_DECLARE(isa)                                      \
  extern rvh_topk_tile rvh_topk_##isa;                        \
  extern rvh_topk_merge rvh_topk_merge_##isa;                 \
  extern rvh_weigh rvh_weigh_tile_##isa, rvh_weigh_row_##isa; \
  extern rvh_murmur_tile rvh_murmur_tile_##isa;               \
  extern rvh_murmur_row rvh_murmur_row_##isa;                 \
  extern rvh_murmur_hashes rvh_murmur_hashes_##isa;           \
  extern rvh_best_scan rvh_best_##isa, rvh_best_step_##isa;   \
  extern rvh_best_find rvh_best_find_##isa;                   \
  extern const size_t rvh_best_group_##isa;                   \
  extern rvh_rank rvh_rank_row_##isa, rvh_rank_mixed_##isa;   \
  extern rvh_rank_nodes rvh_rank_nodes_##isa;                 \
  extern rvh_rank_tile rvh_rank_tile_##isa;                   \
  extern rvh_settle_ties rvh_settle_ties_##isa;               \
  extern rvh_settle_nearest rvh_settle_nearest_##isa;         \
  extern rvh_settle_weighted rvh_settle_weighted_##isa;       \
  extern rvh_buckets rvh_jump_##isa, rvh_jumpback_##isa;      \
  extern rvh_md5 rvh_md5_##isa;                               \
  extern rvh_log rvh_neg_log_##isa;
RVH_DECLARE(portable)
RVH_DECLARE(avx2)
RVH_DECLARE(avx512)
RVH_DECLARE(neon)
#undef RVH_DECLARE

/* ---- nodes: nodes.c ----------------------------------------------------------------------- */

/* A node's position is its place among the prepared nodes; nodes of weight 0 have none. Its index
 * is its place in the caller's list. */
struct rvh_nodes {
  rvh_scheme scheme;
  size_t n;                       /* positions */
  size_t indices;                 /* all nodes, also those of weight 0 */
  uint64_t low;                   /* low bits that hold any position; tests set more of them */
  uint32_t *order;                /* position -> index */
  uint32_t *tie;                  /* position -> rank in descending order of id bytes */
  blake2_simd_prefixes *prefixes; /* RVH_BLAKE2B */
  uint64_t *hash;                 /* RVH_MURMUR, RVH_ROW_PAD more; in the order of `tie` */
  double *weight;                 /* NULL without weights */
  double *inverse;                /* RVH_MURMUR with weights: just below 1 / weight */
};

/* ---- scores: score.c ---------------------------------------------------------------------- */

/* A key ready to be scored. */
typedef struct {
  blake2_simd_bytes bytes;
  uint64_t hash; /* RVH_MURMUR */
} rvh_key;

/* Groups of keys that are scored together. */
typedef struct {
  size_t count;
  blake2_simd_suffixes *suffixes;                                /* RVH_BLAKE2B */
  BLAKE2_SIMD_ALIGNED(64) uint64_t hash[BLAKE2_SIMD_STRIDE_MAX]; /* RVH_MURMUR */
} rvh_groups;

/* The words that rank the nodes at first to first + count: [groups][count][stride], [count] for one
 * key. lo: the low words, or NULL; only for RVH_BLAKE2B without weights. */
void rvh_score_tile(const rvh_isa *isa, const rvh_nodes *nodes, const rvh_groups *groups,
                    size_t first, size_t count, uint64_t *hi, uint64_t *lo);
void rvh_score_row(const rvh_isa *isa, const rvh_nodes *nodes, const rvh_key *key, size_t first,
                   size_t count, uint64_t *hi, uint64_t *lo);

/* The whole score of one pair, before weighting. */
rvh_score rvh_score_pair(const rvh_isa *isa, const rvh_nodes *nodes, const rvh_key *key,
                         size_t position);
/* The same for a key's bytes and the node at an index; slow, for ties. */
rvh_score rvh_score_bytes(const rvh_isa *isa, const rvh_nodes *nodes, blake2_simd_bytes bytes,
                          size_t index);

#endif
