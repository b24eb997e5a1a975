/* blake2_simd: BLAKE2b (RFC 7693) of many messages at once, each message a prefix || a suffix.
 *
 * Three shapes of work over one set of kernels:
 *   blake2_simd_many   n messages, any lengths, any digest size
 *   blake2_simd_tile   a block of suffixes x a run of prepared prefixes (lanes hold suffixes)
 *   blake2_simd_row    one suffix x a run of prepared prefixes (lanes hold prefixes)
 * tile and row give the first 16 bytes of each digest as two big-endian words, so that comparing
 * words is comparing digests.
 *
 * An implementation (one instruction set) is a value that callers pass on; only
 * blake2_simd_active() looks at the processor and the environment. Nothing here allocates but
 * blake2_simd_prefixes_new(), and nothing keeps state: everything const may be shared by threads.
 * Prefixes that a key went into are wiped, and the stack, where they are freed; until then both,
 * and parameters, are the caller's to wipe.
 */
#ifndef BLAKE2_SIMD_H
#define BLAKE2_SIMD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  BLAKE2_SIMD_BLOCK = 128,       /* bytes of a BLAKE2b block */
  BLAKE2_SIMD_DIGEST_MAX = 64,   /* bytes */
  BLAKE2_SIMD_KEY_MAX = 64,      /* bytes */
  BLAKE2_SIMD_LANES_MAX = 17,    /* messages the widest implementation takes in one call */
  BLAKE2_SIMD_STRIDE_MAX = 24,   /* words from one row of lanes to the next, at the most */
  BLAKE2_SIMD_ISA_MAX = 4,       /* implementations a build can hold */
  BLAKE2_SIMD_GROUPS_MAX = 32,   /* groups of suffixes that blake2_simd_tile takes */
  BLAKE2_SIMD_SUFFIX_MAX = 1024, /* bytes of a suffix that blake2_simd_tile takes */
};

typedef struct blake2_simd blake2_simd;

/* ---- which implementation ---------------------------------------------------------------- */

/* The implementations that this build has and this processor and system support, slowest first;
 * "portable" is always one of them. Returns how many. */
size_t blake2_simd_available(const blake2_simd *list[BLAKE2_SIMD_ISA_MAX]);

/* The implementation of that name ("portable", "avx2", "avx512", "neon"), or NULL where it is
 * unknown or not available here. */
const blake2_simd *blake2_simd_find(const char *name);

/* The one to use: what the environment variable RVH_ISA names, otherwise the fastest. NULL where
 * RVH_ISA names one that is unknown or not available here. Chosen at the first call, then kept. */
const blake2_simd *blake2_simd_active(void);

const char *blake2_simd_name(const blake2_simd *impl);

/* Messages that one call of the kernel takes: 1 to BLAKE2_SIMD_LANES_MAX. */
size_t blake2_simd_lanes(const blake2_simd *impl);

/* Words from one row of lanes to the next: lanes, rounded up to whole vectors. */
size_t blake2_simd_stride(const blake2_simd *impl);

/* ---- parameters: digest size and key ------------------------------------------------------ */

typedef struct {
  uint64_t h[8];     /* state before the message: parameter block, key absorbed */
  uint64_t t;        /* bytes absorbed so far: 0, or one block for a key */
  uint64_t empty[8]; /* final state of the empty message */
  unsigned digest_size;
} blake2_simd_params;

/* digest_size 1 to 64, key_size 0 to 64 (key may be NULL when it is 0). Returns 0, or -1 where a
 * size is out of range. */
int blake2_simd_params_init(blake2_simd_params *params, size_t digest_size, const uint8_t *key,
                            size_t key_size);

/* Writes zeros, also where a compiler sees that nobody reads them. */
void blake2_simd_wipe(void *memory, size_t size);

/* The same for the stack below the caller, where calls had their variables. */
void blake2_simd_wipe_stack(void);

/* ---- many messages ------------------------------------------------------------------------ */

typedef struct {
  const uint8_t *data; /* may be NULL when size is 0 */
  size_t size;
} blake2_simd_bytes;

/* Digests of prefix[i] || suffix[i], i < n, into out: digest_size bytes each, one after another. */
void blake2_simd_many(const blake2_simd *impl, const blake2_simd_params *params,
                      const blake2_simd_bytes *prefix, const blake2_simd_bytes *suffix, size_t n,
                      uint8_t *out);

/* ---- prepared prefixes -------------------------------------------------------------------- */

typedef struct blake2_simd_prefixes blake2_simd_prefixes;

/* Prepares n prefixes: prefix i is data[offsets[i]] to data[offsets[i + 1]]. They are kept in
 * order of length (equal lengths in the order given); `order` below tells which is where.
 * n < 2^32, params->digest_size >= 16. Returns NULL when memory runs out. */
blake2_simd_prefixes *blake2_simd_prefixes_new(const blake2_simd_params *params,
                                               const uint8_t *data, const uint64_t *offsets,
                                               size_t n);

/* Whether to give up, asked again and again: after about as much work as so many compressions. */
typedef int blake2_simd_stop(void *context, size_t compressions);

/* The same; NULL too once `stop` has said so. */
blake2_simd_prefixes *blake2_simd_prefixes_until(const blake2_simd_params *params,
                                                 const uint8_t *data, const uint64_t *offsets,
                                                 size_t n, blake2_simd_stop *stop, void *context);
void blake2_simd_prefixes_free(blake2_simd_prefixes *prefixes);

size_t blake2_simd_prefixes_count(const blake2_simd_prefixes *prefixes);

/* Whether a key went into them. */
int blake2_simd_prefixes_keyed(const blake2_simd_prefixes *prefixes);

/* order[position] = index the prefix was given with. */
const uint32_t *blake2_simd_prefixes_order(const blake2_simd_prefixes *prefixes);

/* ---- a block of suffixes x prefixes ------------------------------------------------------- */

/* Groups of up to blake2_simd_lanes() suffixes, turned into words; the caller's scratch memory,
 * aligned to 64 bytes, sizeof it about 60 KiB. */
typedef struct blake2_simd_suffixes blake2_simd_suffixes;
size_t blake2_simd_suffixes_size(void);

/* Makes a block one of no groups. */
void blake2_simd_suffixes_clear(blake2_simd_suffixes *block);

/* Adds a group of n <= lanes suffixes of at most BLAKE2_SIMD_SUFFIX_MAX bytes; other lanes are
 * empty. Returns 0 where the block has no room for it, which it has for the first, otherwise 1. */
int blake2_simd_suffixes_add(const blake2_simd *impl, blake2_simd_suffixes *block,
                             const blake2_simd_bytes *suffix, size_t n);

/* hi[(g * count + i) * stride + l], lo[...]: the digest of prefix (first + i) || suffix l of group
 * g, i < count. Both 64-byte aligned; lo may be NULL, which spares its part of the last round. All
 * lanes are written, those without a suffix with the prefix's own digest; words between lanes and
 * stride are not. A kernel that is entered once runs faster: several groups are for few prefixes,
 * as some 30 pairs are enough. */
void blake2_simd_tile(const blake2_simd *impl, const blake2_simd_prefixes *prefixes, size_t first,
                      size_t count, blake2_simd_suffixes *block, uint64_t *hi, uint64_t *lo);

/* ---- one suffix x prefixes ---------------------------------------------------------------- */

/* hi[i], lo[i]: the digest of prefix (first + i) || suffix, i < count; any suffix size. lo may be
 * NULL. */
void blake2_simd_row(const blake2_simd *impl, const blake2_simd_prefixes *prefixes, size_t first,
                     size_t count, blake2_simd_bytes suffix, uint64_t *hi, uint64_t *lo);

#ifdef __cplusplus
}
#endif

#endif
