/* Rings: a key belongs to the node of the first point at or after its hash, and round the end to
 * the first point of all. */

#include "hashes.h"
#include "murmur.h"

#include <stdlib.h>

enum {
  BATCH = 1024,         /* keys hashed together, or fewer */
  KEYS_PER_WORK = 4,    /* short keys that take as long as a compression */
  BYTES_PER_WORK = 128, /* read and hashed in less than a compression's time */
  MD5_ONE_BLOCK = 55,   /* bytes of a message that fits a block with its length */
};

/* Points before which the keys of a slice of all hashes are: slices by the highest bits, about two
 * for a point. */
struct rvh_ring {
  rvh_ring_hash hash;
  const uint64_t *points; /* ascending */
  const uint32_t *owners;
  size_t count;
  unsigned shift;
  uint32_t *slices; /* [1 + number of slices] */
};

/* ---- hashes of keys ----------------------------------------------------------------------- */

/* A group of messages of one block, word by word. */
typedef struct {
  BLAKE2_SIMD_ALIGNED(64) uint32_t words[16 * RVH_MD5_GROUP];
  BLAKE2_SIMD_ALIGNED(64) uint32_t out[2 * RVH_MD5_GROUP];
  size_t rows[RVH_MD5_GROUP], n;
} md5_group;

static void md5_flush(const rvh_isa *isa, md5_group *g, uint64_t *hashes) {
  isa->md5(g->words, g->out);
  for (size_t l = 0; l < g->n; l++)
    hashes[g->rows[l]] = g->out[l] | (uint64_t)g->out[RVH_MD5_GROUP + l] << 32;
  g->n = 0;
}

static void md5_add(const rvh_isa *isa, md5_group *g, blake2_simd_bytes key, size_t row,
                    uint64_t *hashes) {
  uint8_t block[64] = {0};
  for (size_t i = 0; i < key.size; i++) block[i] = key.data[i];
  block[key.size] = 0x80;
  block[56] = (uint8_t)(key.size << 3);
  block[57] = (uint8_t)(key.size >> 5);
  for (size_t w = 0; w < 16; w++) {
    const uint8_t *p = block + 4 * w;
    g->words[w * RVH_MD5_GROUP + g->n] =
        (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
  }
  g->rows[g->n++] = row;
  if (g->n == RVH_MD5_GROUP) md5_flush(isa, g, hashes);
}

static uint64_t swapped(uint64_t x) {
  x = (x & 0x00ff00ff00ff00ffu) << 8 | (x >> 8 & 0x00ff00ff00ff00ffu);
  x = (x & 0x0000ffff0000ffffu) << 16 | (x >> 16 & 0x0000ffff0000ffffu);
  return x << 32 | x >> 32;
}

/* From the first 8 bytes of a digest, little-endian. */
static uint64_t md5_point(rvh_ring_hash hash, uint64_t digest) {
  return hash == RVH_RING_KETAMA ? digest & 0xffffffff : swapped(digest);
}

uint64_t rvh_ring_point(rvh_ring_hash hash, blake2_simd_bytes key) {
  const uint64_t top = (uint64_t)1 << 63;
  switch (hash) {
    case RVH_RING_KETAMA:
    case RVH_RING_MD5:
      return md5_point(hash, rvh_md5_one(key));
    case RVH_RING_CRC32:
      return rvh_crc32(key);
    case RVH_RING_XXH64:
      return rvh_xxh64(key);
    case RVH_RING_MURMUR2:
      return rvh_murmur64a(key, RVH_MURMUR_KEY_SEED);
    default: { /* signed, the lowest only for the empty key */
      const uint64_t token = rvh_murmur3(key);
      if (key.size == 0) return 0;
      return token == top ? ~(uint64_t)0 : token ^ top;
    }
  }
}

static void all_points(const rvh_isa *isa, rvh_ring_hash hash, const blake2_simd_bytes *keys,
                       size_t n, uint64_t *points) {
  if (hash != RVH_RING_KETAMA && hash != RVH_RING_MD5) {
    for (size_t i = 0; i < n; i++) points[i] = rvh_ring_point(hash, keys[i]);
    return;
  }
  md5_group group = {.n = 0};
  for (size_t i = 0; i < n; i++) {
    if (keys[i].size <= MD5_ONE_BLOCK)
      md5_add(isa, &group, keys[i], i, points);
    else
      points[i] = rvh_md5_one(keys[i]);
  }
  if (group.n > 0) md5_flush(isa, &group, points);
  for (size_t i = 0; i < n; i++) points[i] = md5_point(hash, points[i]);
}

/* ---- points ------------------------------------------------------------------------------- */

rvh_ring *rvh_ring_new(rvh_ring_hash hash, const uint64_t *points, const uint32_t *owners,
                       size_t count) {
  const unsigned width = hash == RVH_RING_KETAMA || hash == RVH_RING_CRC32 ? 32 : 64;
  unsigned bits = 1;
  while (bits < 24 && ((size_t)1 << bits) < 2 * count) bits++;
  const size_t slices = (size_t)1 << bits;
  rvh_ring *ring = malloc(sizeof *ring);
  uint32_t *before = malloc((slices + 1) * sizeof *before);
  if (ring == NULL || before == NULL) {
    free(ring);
    free(before);
    return NULL;
  }
  *ring = (rvh_ring){hash, points, owners, count, width - bits, before};
  for (size_t s = 0, at = 0; s <= slices; s++) {
    while (at < count && points[at] >> ring->shift < s) at++;
    before[s] = (uint32_t)at;
  }
  return ring;
}

void rvh_ring_free(rvh_ring *ring) {
  if (ring == NULL) return;
  free(ring->slices);
  free(ring);
}

/* The first point at or after a hash. */
static size_t successor(const rvh_ring *ring, uint64_t point) {
  const size_t slice = (size_t)(point >> ring->shift);
  size_t low = ring->slices[slice], high = ring->slices[slice + 1];
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (ring->points[middle] < point)
      low = middle + 1;
    else
      high = middle;
  }
  return low == ring->count ? 0 : low;
}

/* The nodes of the points from there on, each once. */
static void owners_from(const rvh_ring *ring, size_t at, size_t k, intptr_t *out) {
  for (size_t n = 0; n < k; at = at + 1 == ring->count ? 0 : at + 1) {
    const intptr_t owner = (intptr_t)ring->owners[at];
    size_t j = 0;
    while (j < n && out[j] != owner) j++;
    if (j == n) out[n++] = owner;
  }
}

void rvh_ring_lookup_one(const rvh_ring *ring, blake2_simd_bytes key, size_t k, intptr_t *out) {
  owners_from(ring, successor(ring, rvh_ring_point(ring->hash, key)), k, out);
}

rvh_status rvh_ring_lookup(const rvh_isa *isa, const rvh_ring *ring, const rvh_column *keys,
                           size_t start, size_t stop, size_t k, intptr_t *out, uint64_t *points,
                           rvh_poll *poll, size_t *bad) {
  blake2_simd_bytes *spans = malloc(BATCH * sizeof *spans);
  uint64_t *found = malloc(BATCH * sizeof *found);
  uint8_t *scratch = malloc(rvh_column_batch_scratch(keys, BATCH) + 1);
  rvh_status status = spans == NULL || found == NULL || scratch == NULL ? RVH_NO_MEMORY : RVH_OK;
  for (size_t row = start, n; row < stop && status == RVH_OK; row += n) {
    size_t bytes;
    n = rvh_column_batch(keys, row, stop - row < BATCH ? stop - row : BATCH, &bytes);
    if (rvh_stopped(poll, n * k / KEYS_PER_WORK + bytes / BYTES_PER_WORK + 1)) {
      status = RVH_STOPPED;
      break;
    }
    status = rvh_column_spans(keys, row, n, spans, scratch, bad);
    if (status != RVH_OK) break;
    uint64_t *here = points != NULL ? points + (row - start) : found;
    all_points(isa, ring->hash, spans, n, here);
    if (out == NULL) continue;
    intptr_t *to = out + (row - start) * k;
    if (k == 1)
      for (size_t i = 0; i < n; i++) to[i] = (intptr_t)ring->owners[successor(ring, here[i])];
    else
      for (size_t i = 0; i < n; i++) owners_from(ring, successor(ring, here[i]), k, to + i * k);
  }
  free(scratch);
  free(found);
  free(spans);
  return status;
}
