/* The kernels' C interface. Nothing here knows of Python: callers release the GIL, memory is the
 * caller's or freed before return, and threads can share everything const.
 *
 *   poll.c      whether a long call goes on
 *   column.c    a column of keys -> spans of bytes
 *   protobuf.c, flatbuffers.c  messages -> where their keys stand
 *   compose.c   columns -> composite keys
 *   distinct.c  keys -> the number of each distinct key
 *   nodes.c     node ids -> prepared nodes
 *   column_hashes.c  keys -> hashes for the scheme `murmur`
 *   score.c     a few keys x a strip of nodes -> scores, by scheme, weighted or not
 *   topk.c      tiles of scores -> the best k of each key
 *   spread.c    tiles of scores -> the best k spread over failure domains
 *   select.c    keys x nodes -> rankings and scores, in one of the shapes of work.h:
 *   one_key.c, groups.c  a key or a group of keys x all nodes
 *   runs.c, best.c, ranks.c  a run of hashed keys x all nodes: the best, the best few or by weight
 *   balance.c   rankings of keys, capacities of nodes -> the stable matching
 *   cache.c     keys -> the best k that were selected for them before
 *   hashes.c    MD5, CRC-32, MurmurHash3, XXH64, one_at_a_time
 *   points.c    keys -> their points, by one of these hashes
 *   chains.c    typed columns -> the hashes that engines and databases chain of them
 *   ring.c      keys -> the nodes of the next points on a ring
 *   prefixes.c  keys -> the best nodes by MurmurHash3_x86_32 of a node's prefix and the key
 *   lookup.c    keys -> partitions and their owners
 *   jump.c      integers -> one of n buckets, or several
 *   rows.c      delimited text -> where the fields end, without needless quotes
 *   objects.c   lines of JSON -> whether they are sound, and where a member stands
 *   simd/       the kernels over vectors, and which instruction set runs them
 */
#ifndef RVH_KERNELS_H
#define RVH_KERNELS_H

#include "blake2_simd.h"

typedef enum {
  RVH_OK,
  RVH_NO_MEMORY,
  RVH_STOPPED,      /* the poll said so */
  RVH_BAD_KEY,      /* the element at *bad has no bytes */
  RVH_EMPTY_ID,     /* the id at bad[0] is empty */
  RVH_DUPLICATE_ID, /* the ids at bad[0] < bad[1] are the same */
} rvh_status;

/* ---- instruction sets --------------------------------------------------------------------- */

typedef struct rvh_isa rvh_isa;

/* NULL where the environment variable RVH_ISA names a set that is unknown or not available here. */
const rvh_isa *rvh_isa_active(void);

/* ---- columns ------------------------------------------------------------------------------ */

typedef enum {
  RVH_PADDED,   /* fixed size, trailing NULs are padding (NumPy S) */
  RVH_FIXED,    /* fixed size, every byte counts (Arrow fixed-size binary) */
  RVH_UCS4,     /* fixed number of code points, trailing zeros are padding (NumPy U) */
  RVH_INTEGERS, /* 1, 2, 4 or 8 bytes */
  RVH_OFFSETS,  /* element i is data[offsets[i]] to data[offsets[i + 1]] */
  RVH_VIEWS, /* 16 bytes that hold a short element or say where a long one is (Arrow string view) */
} rvh_layout;

typedef struct {
  rvh_layout layout;
  const uint8_t *data;
  ptrdiff_t stride;        /* bytes from one element to the next; may be negative */
  size_t itemsize;         /* bytes of an element */
  int swapped;             /* whether in the other byte order than this machine's */
  int is_signed;           /* RVH_INTEGERS */
  const void *offsets;     /* RVH_OFFSETS: unsigned integers, ascending, */
  size_t offset_size;      /* of 4 or 8 bytes */
  const uint64_t *buffers; /* RVH_VIEWS: addresses of the buffers that views point into, */
  const uint64_t *sizes;   /* their sizes in bytes, */
  size_t buffer_count;     /* and how many there are */
  /* NULL for all elements in order; otherwise element i is the one at rows[i] */
  const int64_t *rows;
} rvh_column;

/* ---- requests ----------------------------------------------------------------------------- */

/* What is wrong with a message; rvh._columns.requests.Fault has the same numbers, and the words. */
typedef enum {
  RVH_SOUND,
  RVH_CUT,     /* the message ends inside of a field */
  RVH_VARINT,  /* a number of more than 64 bits */
  RVH_TAG,     /* no field begins there */
  RVH_WIRE,    /* `value` is not the field's wire type */
  RVH_PACKED,  /* `value` bytes are not a whole number of elements */
  RVH_OFFSET,  /* an offset or a size leads outside of the message */
  RVH_UNKNOWN, /* no such field */
  RVH_TWICE,   /* not a repeated field */
  RVH_RANGE,   /* `value` has more than 32 bits */
  RVH_UTF8,    /* no UTF-8 from byte `value` of element `at` on */
} rvh_fault;

/* The numbers of fields in selection.proto. In SelectRequest the first three come once. */
enum {
  RVH_KEYS = 1,
  RVH_TEXTS,
  RVH_INTEGERS_FIELD,
  RVH_DATA,
  RVH_ENDS,
  RVH_K,
  RVH_WITH_IDS,
  RVH_KNOWN,
  RVH_PINNED,
  RVH_FIELDS
};

typedef struct {
  size_t pieces;   /* how often it came */
  size_t count;    /* its elements */
  size_t at, size; /* the last piece in the message; not kept of many keys or texts */
  uint64_t value;  /* of a number that is not an element */
} rvh_field;

/* What is in a message, by the numbers of fields. */
typedef struct {
  rvh_field fields[RVH_FIELDS];
  rvh_fault fault;
  uint32_t field; /* the number of the field that is wrong */
  size_t at;      /* where it begins */
  uint64_t value;
} rvh_request;

/* Read a message without following it outside of its bytes; the answer is request->fault. Nothing
 * is known of the keys yet but how many there are: those of several forms may be there.
 *   protobuf     SelectBatchRequest; with `one`, SelectRequest
 *   flatbuffer   SelectBatchRequest: every offset is verified; it needs no alignment */
rvh_fault rvh_scan_protobuf(const uint8_t *message, size_t size, int one, rvh_request *request);
rvh_fault rvh_scan_flatbuffer(const uint8_t *message, size_t size, rvh_request *request);

/* Write the elements of a field of a protobuf SelectBatchRequest that was scanned: as many as its
 * `count`. Keys and texts become views of 16 bytes (RVH_VIEWS) into the message, buffer 0, which
 * has fewer than 2^31 bytes; integers and ends their bytes as they are. */
void rvh_fill_views(const uint8_t *message, size_t size, uint32_t number, uint8_t *views);
void rvh_fill_packed(const uint8_t *message, size_t size, uint32_t number, uint8_t *out);

/* How many bytes at the front are UTF-8: n, or where the first other sequence begins. */
size_t rvh_utf8(const uint8_t *p, size_t n);

/* ---- long work ---------------------------------------------------------------------------- */

/* Called every few milliseconds; anything but 0 stops the call. A call may be given NULL: it is
 * never stopped. */
typedef struct {
  int (*stop)(void *context);
  void *context;
  size_t left; /* work until the next poll; starts at 0 */
  int stopped; /* whether `stop` has said so; starts at 0 */
} rvh_poll;

/* ---- composite keys ----------------------------------------------------------------------- */

typedef enum {
  RVH_BARE,  /* as it is: an integer, or an element that has its length already */
  RVH_SIZED, /* its length in 4 bytes, then itself */
  RVH_SAME,  /* element 0, as it is, in every row */
} rvh_framing;

typedef struct {
  rvh_column column;
  rvh_framing framing;
  size_t first; /* the element of row 0 */
} rvh_part;

/* Bytes that grow as they are written; `data` comes from malloc and is the caller's to free. */
typedef struct {
  uint8_t *data;
  size_t size, capacity;
} rvh_buffer;

/* Appends the composite keys of n rows; ends[row]: where the row's key ends in `out`. With
 * RVH_BAD_KEY, *bad is the lowest row with a part that has no bytes, or 2^32 and more of them. */
rvh_status rvh_compose(const rvh_part *parts, size_t count, size_t n, rvh_buffer *out,
                       uint64_t *ends, rvh_poll *poll, size_t *bad);

/* ---- repeated keys ------------------------------------------------------------------------ */

/* Distinct keys so far, in order of first appearance: key c is bytes.data[offsets[c]] to
 * bytes.data[offsets[c + 1]], with the uint64_t offsets in offsets.data. All zeros before the first
 * piece, when there are no offsets yet; rvh_distinct_free() frees what it holds. */
typedef struct {
  rvh_buffer bytes, offsets;
  size_t count;
  uint64_t *slots; /* 1 << bits of them, `used` in use */
  size_t used;
  unsigned bits;
} rvh_distinct;

/* codes[i]: the number of the key at first + i, i < n; fewer than 2^32 keys in all. Keys of one
 * number have the same bytes. Keys of the same bytes have one number, unless many keys were chosen
 * to have equal hashes. */
rvh_status rvh_distinct_add(rvh_distinct *distinct, const rvh_column *column, size_t first,
                            size_t n, uint32_t *codes, rvh_poll *poll, size_t *bad);
void rvh_distinct_free(rvh_distinct *distinct);

/* ---- nodes -------------------------------------------------------------------------------- */

typedef enum { RVH_BLAKE2B, RVH_MURMUR } rvh_scheme;

typedef struct rvh_nodes rvh_nodes;

/* Prepares n ids, 0 < n < 2^32; id i is data[offsets[i]] to data[offsets[i + 1]]. weights: NULL, or
 * one for each node, 0 or 2^-1016 to 2^970 (so that no weighted score overflows), at least one
 * above 0. The secret is for RVH_BLAKE2B alone. */
rvh_status rvh_nodes_new(rvh_nodes **nodes, rvh_scheme scheme, const uint8_t *data,
                         const uint64_t *offsets, size_t n, const double *weights,
                         const uint8_t *secret, size_t secret_size, rvh_poll *poll, size_t bad[2]);
void rvh_nodes_free(rvh_nodes *nodes);

/* out[n]: the indices of byte strings in the order of their bytes, a shorter one before its
 * continuations, equal ones in the order given; n < 2^32. */
rvh_status rvh_ascending(const uint8_t *data, const uint64_t *offsets, size_t n, intptr_t *out,
                         rvh_poll *poll);

/* ---- answers ------------------------------------------------------------------------------ */

/* out[row - start][j]: index of the j-th best node of key `row`, start <= row < stop; k is at least
 * 1 and at most the number of nodes of a weight above 0. words: NULL, or in the same shape the
 * words that rank: the high word of each score, or the bits of the weighted score. With
 * RVH_BAD_KEY, *bad is the lowest row without bytes. */
rvh_status rvh_argselect(const rvh_isa *isa, const rvh_nodes *nodes, const rvh_column *keys,
                         size_t start, size_t stop, size_t k, intptr_t *out, uint64_t *words,
                         rvh_poll *poll, size_t *bad);

/* Failure domains: nested levels, from the innermost out. Nodes of one domain are in one domain of
 * every level further out. */
enum { RVH_LEVELS_MAX = 8 };
typedef struct {
  const uint32_t *domain; /* of each node, by index, 0 to domains - 1 */
  size_t domains;
  size_t limit; /* nodes of a key in one domain, at least 1 */
} rvh_level;
typedef struct {
  rvh_level levels[RVH_LEVELS_MAX];
  size_t count; /* at least 1 */
} rvh_spread;

/* rvh_argselect under constraints. spread: NULL, or the ranking is walked and a node chosen while
 * none of its domains is full; where that gives fewer than k, more walks over the rest leave out
 * the outermost level, then the next one in, and finally all. current: NULL, or
 * [rows][current_count] indices of nodes that rank before all others for that key, among themselves
 * as usual; -1 is none. */
rvh_status rvh_argselect_spread(const rvh_isa *isa, const rvh_nodes *nodes, const rvh_column *keys,
                                size_t start, size_t stop, size_t k, const rvh_spread *spread,
                                const intptr_t *current, size_t current_count, intptr_t *out,
                                rvh_poll *poll, size_t *bad);

/* Words in a score: 2 for RVH_BLAKE2B (high, low), 1 for RVH_MURMUR, and with weights 1, the bits
 * of a double. */
size_t rvh_score_words(const rvh_nodes *nodes);

/* out[row - start][node][rvh_score_words]; a node of weight 0 scores 0. */
rvh_status rvh_scores(const rvh_isa *isa, const rvh_nodes *nodes, const rvh_column *keys,
                      size_t start, size_t stop, uint64_t *out, rvh_poll *poll, size_t *bad);

/* out[j]: index of the j-th best node of one key. */
rvh_status rvh_select_one(const rvh_isa *isa, const rvh_nodes *nodes, blake2_simd_bytes key,
                          size_t k, intptr_t *out, rvh_poll *poll);

/* The ranking alone, of unweighted scores that the caller gives: scores[rows][n][2], or [1] for
 * RVH_MURMUR. */
rvh_status rvh_rank_scores(const rvh_isa *isa, const rvh_nodes *nodes, const uint64_t *scores,
                           size_t rows, size_t k, intptr_t *out);

/* ---- bounded load ------------------------------------------------------------------------- */

typedef struct rvh_matching rvh_matching;

/* What decides between keys whose words are equal on a node: the whole score, then the key's bytes,
 * then its size, the higher first, then the lower row. Row i's key is number codes[i] of those at
 * offsets. */
typedef struct {
  const rvh_nodes *nodes;
  const uint32_t *codes;
  const uint8_t *data;
  const uint64_t *offsets;
} rvh_ties;

/* A node is full once the sizes of its keys are capacity[index] or more; of `rows` keys, rows <
 * 2^32. sizes: at least 1, less than 2^63 together; NULL for 1 each, where no node gets more than
 * its capacity. owner[row] is the index of a key's node once all keys have one. ties: NULL where
 * none are expected. Returns NULL when memory runs out. */
rvh_matching *rvh_matching_new(const rvh_isa *isa, const uint64_t *capacity, size_t nodes,
                               const uint64_t *sizes, size_t rows, intptr_t *owner,
                               const rvh_ties *ties);
void rvh_matching_free(rvh_matching *matching);

/* First, with rows NULL and k 1, the best node of every key; then longer lists for keys that are
 * still free. A key goes on where its last list ended. lists[i][0] to [k - 1] are indices of nodes,
 * lists[i][k] to [2 * k - 1] the words that ranked them; lists stay in place until the matching is
 * freed. free_rows[0] to free_rows[*free_count - 1]: the rows that are free at the end, having
 * proposed to all in their lists; at most `count`, or with sizes `rows`. If keys tied and there are
 * no `ties`, rvh_matching_tied() says so and nothing else is defined. */
rvh_status rvh_matching_offer(rvh_matching *matching, const int64_t *rows, size_t count, size_t k,
                              const uint64_t *lists, int64_t *free_rows, size_t *free_count,
                              rvh_poll *poll);
int rvh_matching_tied(const rvh_matching *matching);

/* ---- a memo of selections ----------------------------------------------------------------- */

typedef struct rvh_cache rvh_cache;

typedef struct {
  uint64_t hits, misses, evictions;
  size_t entries, ghosts, bytes;
  double target; /* ARC's, for the number of entries used once */
} rvh_cache_info;

/* At most so many entries (1 to 2^31) and bytes; ARC, or LRU. seed: secret random numbers. All
 * calls but rvh_cache_free() are safe from several threads. Returns NULL when memory runs out. */
rvh_cache *rvh_cache_new(size_t max_entries, size_t max_bytes, int arc, const uint64_t seed[3]);
void rvh_cache_free(rvh_cache *cache);

/* Forgets all entries. From then on, calls with an older epoch than the one returned find nothing,
 * and what they put is dropped. */
uint64_t rvh_cache_clear(rvh_cache *cache);

/* Whether the best k nodes of a key are known; if so, out[k]. Either way the key counts as used,
 * and if not its entry waits for rvh_cache_put_one(). alone: no other call can be under way, so the
 * lock (a tenth of the time of a hit) is not needed. */
int rvh_cache_get_one(rvh_cache *cache, uint64_t epoch, blake2_simd_bytes key, size_t k, int alone,
                      intptr_t *out);
void rvh_cache_put_one(rvh_cache *cache, uint64_t epoch, blake2_simd_bytes key, size_t k,
                       const intptr_t *chosen);

/* The same for rows start to stop, in order: missing[0] to missing[*missing_count - 1] are the
 * rows, counted from start, whose out[row][k] is not filled in. */
rvh_status rvh_cache_get(rvh_cache *cache, uint64_t epoch, const rvh_column *keys, size_t start,
                         size_t stop, size_t k, intptr_t *out, int64_t *missing,
                         size_t *missing_count, rvh_poll *poll, size_t *bad);
rvh_status rvh_cache_put(rvh_cache *cache, uint64_t epoch, const rvh_column *keys, size_t start,
                         size_t stop, size_t k, const intptr_t *chosen, rvh_poll *poll,
                         size_t *bad);
void rvh_cache_figures(rvh_cache *cache, rvh_cache_info *info);

/* ---- points ------------------------------------------------------------------------------- */

/* A key's place on a ring, for example, as a number. Tokens that are signed elsewhere have their
 * highest bit flipped, so that points ascend as tokens do. */
typedef enum {
  RVH_POINT_KETAMA,  /* the first 4 bytes of MD5, little-endian */
  RVH_POINT_MD5,     /* the first 8, big-endian */
  RVH_POINT_MD5_LOW, /* the last 8, big-endian */
  RVH_POINT_CRC32,   /* CRC-32, as zlib's */
  RVH_POINT_MURMUR3, /* the token of Cassandra's Murmur3Partitioner, signed */
  RVH_POINT_XXH64,   /* seed 0 */
  RVH_POINT_OAAT,    /* Jenkins's one_at_a_time, as libmemcached's */
  RVH_POINT_MURMUR2, /* the hash of partitions: MurmurHash64A, seed 2718281828 */
  RVH_POINT_GEOHASH, /* of a geohash: five bits a character from the top, then the number of
                      * characters, 1 to 12, in four; 0 for a key that is not a geohash */
  /* and those of hashes.h by their names: */
  RVH_POINT_MURMUR2_32,
  RVH_POINT_XXH64_1,
  RVH_POINT_HASHKIT_MURMUR,
  RVH_POINT_CRC16,
  RVH_POINT_NUTCRACKER_CRC16,
  RVH_POINT_HASHKIT_CRC32,
  RVH_POINT_HASHKIT_CRC32_OR_1,
  RVH_POINT_FNV1A_32,
  RVH_POINT_HASHKIT_FNV1_32,
  RVH_POINT_HASHKIT_FNV1A_32,
  RVH_POINT_HASHKIT_FNV1_64,
  RVH_POINT_HASHKIT_FNV1A_64,
  RVH_POINT_HASHKIT_HSIEH,
  RVH_POINT_HASHKIT_JENKINS,
  RVH_POINT_FARM_FINGERPRINT64,
  RVH_POINT_CODE_POINTS, /* the sum of the code points of UTF-8 */
  RVH_POINT_MURMUR2_64,  /* MurmurHash64A, seed 0xc70f6907 */
  RVH_POINT_SDBM,
  RVH_POINT_DJB2,
  RVH_POINT_WT6,
  RVH_POINT_SDBM_AVALANCHE,
  RVH_POINT_DJB2_AVALANCHE,
  RVH_POINT_WT6_AVALANCHE,
  RVH_POINT_CRC32_AVALANCHE,
  RVH_POINT_COUNT,
} rvh_point_kind;

/* One of `contract.POINTS`. */
const char *rvh_point_name(rvh_point_kind kind);
/* Its points are below 2^bits: 16, 32 or 64. */
unsigned rvh_point_bits(rvh_point_kind kind);

uint64_t rvh_point(rvh_point_kind kind, blake2_simd_bytes key);

/* Where a key has `open` and `close` behind it, what is between the first of each is hashed, if
 * that is not empty. {0}: always the whole key. */
typedef struct {
  uint8_t open, close;
} rvh_tag;

blake2_simd_bytes rvh_tagged(rvh_tag tag, blake2_simd_bytes key);
/* The points of rows start to stop. */
rvh_status rvh_points(const rvh_isa *isa, rvh_point_kind kind, rvh_tag tag, const rvh_column *keys,
                      size_t start, size_t stop, uint64_t *points, rvh_poll *poll, size_t *bad);

/* ---- hashes of typed columns -------------------------------------------------------------- */

/* Of `contract.SYSTEMS`. */
typedef enum {
  RVH_CHAIN_SPARK,      /* signed 32 bits, as are all but PostgreSQL's */
  RVH_CHAIN_ICEBERG,    /* of one column */
  RVH_CHAIN_HIVE1,      /* bucketing version 1 */
  RVH_CHAIN_HIVE2,      /* and 2 */
  RVH_CHAIN_POSTGRESQL, /* unsigned 64 bits */
  RVH_CHAIN_ELASTICSEARCH,
} rvh_chain_system;

/* Of `contract.PARTS`. */
typedef enum {
  RVH_PART_NULL, /* no bytes */
  RVH_PART_INT8,
  RVH_PART_INT16,
  RVH_PART_INT32,
  RVH_PART_INT64,
  RVH_PART_BYTES,
  RVH_PART_TEXT, /* UTF-8 */
} rvh_part_kind;

/* The columns of a key: the only one's value, or the parts of a composite key. */
enum { RVH_CHAIN_PARTS = 32 };
typedef struct {
  rvh_chain_system system;
  uint32_t spread; /* RVH_CHAIN_ELASTICSEARCH: shards of one routing, at least 1 */
  size_t count;
  uint8_t parts[RVH_CHAIN_PARTS];
} rvh_chain;

/* Returns 0 for a key that does not have these parts. */
int rvh_chain_point(const rvh_chain *chain, blake2_simd_bytes key, uint64_t *point);
/* The hashes of rows start to stop. With RVH_BAD_KEY, *bad is the lowest row without bytes, or that
 * does not have these parts. */
rvh_status rvh_chain_points(const rvh_chain *chain, const rvh_column *keys, size_t start,
                            size_t stop, uint64_t *points, rvh_poll *poll, size_t *bad);

/* ---- rings -------------------------------------------------------------------------------- */

typedef struct rvh_ring rvh_ring;

/* Points in ascending order, 0 < count < 2^32, and the node of each, by index; the caller keeps
 * both until the ring is freed. They are below 2^rvh_point_bits(kind). */
rvh_status rvh_ring_new(rvh_ring **ring, rvh_point_kind kind, const uint64_t *points,
                        const uint32_t *owners, size_t count, rvh_poll *poll);
void rvh_ring_free(rvh_ring *ring);
void rvh_ring_set_tag(rvh_ring *ring, rvh_tag tag);

/* out[k]: the nodes of the first point at or after a key's and of those that follow, each once; k
 * is at most the number of nodes that have a point. */
rvh_status rvh_ring_lookup_one(const rvh_ring *ring, blake2_simd_bytes key, size_t k, intptr_t *out,
                               rvh_poll *poll);
/* About how many points are passed for k nodes. */
size_t rvh_ring_cost(const rvh_ring *ring, size_t k);
/* The same for rows start to stop, [rows][k]. */
rvh_status rvh_ring_lookup(const rvh_isa *isa, const rvh_ring *ring, const rvh_column *keys,
                           size_t start, size_t stop, size_t k, intptr_t *out, rvh_poll *poll,
                           size_t *bad);
/* The same for n points, [n][k]; they are in the range of the kind's points. */
rvh_status rvh_ring_nodes(const rvh_ring *ring, const uint64_t *points, size_t n, size_t k,
                          intptr_t *out, rvh_poll *poll);

/* ---- rendezvous by prefixes ---------------------------------------------------------------- */

typedef struct rvh_prefixes rvh_prefixes;

/* Texts that keys are put behind, from n + 1 offsets into data, 0 < n < 2^32; NULL where there is
 * no memory. With code_points, of each text and key not the bytes of its UTF-8 are hashed, but the
 * lowest byte of each code point. */
rvh_prefixes *rvh_prefixes_new(const uint8_t *data, const uint64_t *offsets, size_t n,
                               uint32_t seed, int code_points);
void rvh_prefixes_free(rvh_prefixes *prefixes);

/* out[rows][k], for rows start to stop: the k prefixes, at most n, of the highest
 * MurmurHash3_x86_32 of the prefix and the key behind it; of equal ones the earlier comes first. */
rvh_status rvh_prefixes_select(const rvh_prefixes *prefixes, const rvh_column *keys, size_t start,
                               size_t stop, size_t k, intptr_t *out, rvh_poll *poll, size_t *bad);

/* ---- partition tables --------------------------------------------------------------------- */

typedef struct {
  size_t partitions;      /* 1 to 2^24 */
  const uint32_t *owners; /* [partitions][k] indices of nodes, or NULL */
  size_t k;
  const uint8_t *names; /* [nodes][name_size], or NULL */
  size_t name_size;
} rvh_table;

size_t rvh_partition(size_t partitions, blake2_simd_bytes key);

/* For each key: without owners its partition, intptr_t[rows]; without names its owners' indices,
 * intptr_t[rows][k]; otherwise their names, [rows][k][name_size]. */
rvh_status rvh_lookup(const rvh_isa *isa, const rvh_table *table, const rvh_column *keys,
                      size_t start, size_t stop, void *out, rvh_poll *poll, size_t *bad);

/* ---- buckets ----------------------------------------------------------------------------- */

/* out[row - start]: the first 8 bytes of the BLAKE2b-128 digest of key `row`, big-endian. Integers
 * are hashed too, as their 8 bytes. */
rvh_status rvh_key_words(const rvh_isa *isa, const rvh_column *keys, size_t start, size_t stop,
                         uint64_t *out, rvh_poll *poll, size_t *bad);

/* out[row - start][j]: the j-th distinct bucket of the integer at `row` by jump hash, 0 < k <=
 * buckets < 2^31 (`docs/reference/contract.md`, "Buckets"). */
rvh_status rvh_jump(const rvh_isa *isa, const rvh_column *integers, size_t start, size_t stop,
                    uint32_t buckets, size_t k, intptr_t *out, rvh_poll *poll);

/* out[row - start]: the bucket of the integer at `row` by JumpBackHash. */
rvh_status rvh_jumpback(const rvh_isa *isa, const rvh_column *integers, size_t start, size_t stop,
                        uint32_t buckets, intptr_t *out, rvh_poll *poll);

/* ---- rows of files ------------------------------------------------------------------------ */

typedef struct {
  int32_t *ends;    /* [size]: where newlines and delimiters are in what is to be written */
  size_t end_count; /* 1 + rows * columns, the newline before each row and the last one too */
  size_t passed;    /* where the last newline is in the data */
  size_t written;   /* bytes in `out`; 0 where the data is to be written as it is */
} rvh_row_texts;

/* The whole rows in delimited text: a newline, then rows from the start of one. What is to be
 * written lacks quotes that need not be, carriage returns before newlines, and empty lines. Returns
 * 0 where the text needs a closer look: quotes within a value, rows of another number of columns or
 * longer than `limit`. `out` has `size` bytes; 0 < size < 2^31. */
int rvh_rows(const uint8_t *data, size_t size, uint8_t delimiter, int quoted, size_t columns,
             size_t limit, uint8_t *out, rvh_row_texts *rows);

enum { RVH_MEMBERS = 256 }; /* the most members of an object, or of all together */

typedef struct {
  size_t count;
  blake2_simd_bytes names[RVH_MEMBERS];
} rvh_members;

/* Whether line i, data[ends[i] + 1] to data[ends[i + 1]], is one JSON object in UTF-8, for each i <
 * lines; `members` gets the names of their members. Strict: no member twice, no escape in a name,
 * no NaN, no nesting beyond 100; what it does not pass may still be JSON. */
int rvh_objects(const uint8_t *data, const intptr_t *ends, size_t lines, rvh_members *members);

/* Where the values of a member stand in lines that `rvh_objects` has passed: bounds[2 * i] to
 * bounds[2 * i + 1]. Returns 0 where an object has no such member. */
int rvh_values(const uint8_t *data, const intptr_t *ends, size_t lines, blake2_simd_bytes name,
               int32_t *bounds);

/* ---- for measurements and proofs ---------------------------------------------------------- */

/* The compression alone: n hashes of one-block messages that are zero after `words` words; each
 * message depends on the digest before. */
uint64_t rvh_bare_hashes(const rvh_isa *isa, size_t words, size_t n);

/* What comes before any hash: the spans of rows start to stop; *bytes: their total size. */
rvh_status rvh_bare_spans(const rvh_column *column, size_t start, size_t stop, uint64_t *bytes);

/* The weighted ranking's logarithm alone: out[i] = -ln(m[i] * 2^-53), 0 < m[i] < 2^53. */
void rvh_neg_log(const rvh_isa *isa, const uint64_t *m, size_t n, double *out);

#endif
