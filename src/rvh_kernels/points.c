/* Points of keys: their hashes, and geohashes as numbers. */

#include "hashes.h"
#include "murmur.h"

#include <stdlib.h>

enum {
  BATCH = 1024,         /* keys hashed together, or fewer */
  BATCH_COST = 1 << 20, /* of such a batch, at most, in short keys: some 5 ms */
  KEYS_PER_WORK = 4,    /* short keys that take as long as a compression */
  BYTES_PER_WORK = 128, /* read and hashed in less than a compression's time */
  MD5_ONE_BLOCK = 55,   /* bytes of a message that fits a block with its length */
  GEOHASH_MAX = 12,     /* characters */
};

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
    g->words[w * RVH_MD5_GROUP + g->n] = rvh_load32(block + 4 * w);
  }
  g->rows[g->n++] = row;
  if (g->n == RVH_MD5_GROUP) md5_flush(isa, g, hashes);
}

/* From the first 8 bytes of a digest, little-endian. */
static uint64_t md5_point(rvh_point_kind kind, uint64_t digest) {
  return kind == RVH_POINT_KETAMA ? digest & 0xffffffff : blake2_simd_bswap(digest);
}

/* The five bits of each character, plus 1: https://en.wikipedia.org/wiki/Geohash */
static const uint8_t GEOHASH[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['b'] = 11, ['c'] = 12, ['d'] = 13, ['e'] = 14, ['f'] = 15, ['g'] = 16,
    ['h'] = 17, ['j'] = 18, ['k'] = 19, ['m'] = 20, ['n'] = 21, ['p'] = 22, ['q'] = 23, ['r'] = 24,
    ['s'] = 25, ['t'] = 26, ['u'] = 27, ['v'] = 28, ['w'] = 29, ['x'] = 30, ['y'] = 31, ['z'] = 32,
};

static uint64_t geohash(blake2_simd_bytes key) {
  uint64_t word = 0;
  int wrong = key.size == 0 || key.size > GEOHASH_MAX;
  for (size_t i = 0; i < key.size && !wrong; i++) {
    const uint8_t code = GEOHASH[key.data[i]];
    wrong = code == 0;
    word = word << 5 | (code - 1u);
  }
  return wrong ? 0 : word << (5 * (GEOHASH_MAX - key.size) + 4) | key.size;
}

uint64_t rvh_point(rvh_point_kind kind, blake2_simd_bytes key) {
  const uint64_t top = (uint64_t)1 << 63;
  switch (kind) {
    case RVH_POINT_KETAMA:
    case RVH_POINT_MD5:
      return md5_point(kind, rvh_md5_one(key));
    case RVH_POINT_CRC32:
      return rvh_crc32(key);
    case RVH_POINT_OAAT:
      return rvh_one_at_a_time(key);
    case RVH_POINT_XXH64:
      return rvh_xxh64(key);
    case RVH_POINT_MURMUR2:
      return rvh_murmur64a(key, RVH_MURMUR_KEY_SEED);
    case RVH_POINT_GEOHASH:
      return geohash(key);
    default: { /* signed; the lowest is the empty key's alone */
      const uint64_t token = rvh_murmur3(key);
      if (key.size == 0) return 0;
      return token == top ? ~(uint64_t)0 : token ^ top;
    }
  }
}

static void all_points(const rvh_isa *isa, rvh_point_kind kind, const blake2_simd_bytes *keys,
                       size_t n, uint64_t *points) {
  if (kind != RVH_POINT_KETAMA && kind != RVH_POINT_MD5) {
    for (size_t i = 0; i < n; i++) points[i] = rvh_point(kind, keys[i]);
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
  for (size_t i = 0; i < n; i++) points[i] = md5_point(kind, points[i]);
}

rvh_status rvh_each_point(const rvh_isa *isa, rvh_point_kind kind, const rvh_column *keys,
                          size_t start, size_t stop, size_t cost, rvh_use_points *use,
                          void *context, rvh_poll *poll, size_t *bad) {
  const size_t limit = cost < BATCH_COST / BATCH ? BATCH
                       : cost < BATCH_COST       ? BATCH_COST / cost
                                                 : 1;
  blake2_simd_bytes *spans = malloc(BATCH * sizeof *spans);
  uint64_t *points = malloc(BATCH * sizeof *points);
  uint8_t *scratch = malloc(rvh_column_batch_scratch(keys, BATCH) + 1);
  rvh_status status = spans == NULL || points == NULL || scratch == NULL ? RVH_NO_MEMORY : RVH_OK;
  for (size_t row = start, n; row < stop && status == RVH_OK; row += n) {
    size_t bytes;
    n = rvh_column_batch(keys, row, stop - row < limit ? stop - row : limit, &bytes);
    if (rvh_stopped(poll, n * cost / KEYS_PER_WORK + bytes / BYTES_PER_WORK + 1)) {
      status = RVH_STOPPED;
      break;
    }
    status = rvh_column_spans(keys, row, n, spans, scratch, bad);
    if (status != RVH_OK) break;
    all_points(isa, kind, spans, n, points);
    status = use(context, row - start, points, n);
  }
  free(scratch);
  free(points);
  free(spans);
  return status;
}

static rvh_status copy_points(void *context, size_t row, const uint64_t *points, size_t n) {
  memcpy((uint64_t *)context + row, points, n * sizeof *points);
  return RVH_OK;
}

rvh_status rvh_points(const rvh_isa *isa, rvh_point_kind kind, const rvh_column *keys, size_t start,
                      size_t stop, uint64_t *points, rvh_poll *poll, size_t *bad) {
  return rvh_each_point(isa, kind, keys, start, stop, 1, copy_points, points, poll, bad);
}
