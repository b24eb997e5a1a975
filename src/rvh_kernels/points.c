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

/* Signed; the lowest token is the empty key's alone. */
static uint64_t cassandra(blake2_simd_bytes key) {
  const uint64_t top = (uint64_t)1 << 63, token = rvh_murmur3(key);
  if (key.size == 0) return 0;
  return token == top ? ~(uint64_t)0 : token ^ top;
}

static uint64_t partition_hash(blake2_simd_bytes key) {
  return rvh_murmur64a(key, RVH_MURMUR_KEY_SEED);
}

/* The sum of the code points of UTF-8; some answer for other bytes. */
static uint64_t code_points(blake2_simd_bytes key) {
  uint64_t sum = 0, point = 0;
  for (size_t i = 0; i < key.size; i++) {
    const uint8_t byte = key.data[i];
    if ((byte & 0xc0) == 0x80) {
      point = point << 6 | (byte & 0x3f);
    } else {
      sum += point;
      point = byte & (byte < 0x80 ? 0x7f : byte < 0xe0 ? 0x1f : 0x0f);
    }
  }
  return sum + point;
}

/* As libstdc++'s std::hash of a string, and Envoy's MURMUR_HASH_2. */
static uint64_t murmur2_64(blake2_simd_bytes key) { return rvh_murmur64a(key, 0xc70f6907u); }

/* A kind of points: its name in `contract.POINTS`, its bits, and a function of the key. Without one
 * it is a word of the key's MD5, the first or the last: those keys are hashed a group at a time. */
static const struct {
  const char *name;
  unsigned bits;
  uint64_t (*of)(blake2_simd_bytes key);
} KINDS[RVH_POINT_COUNT] = {
    [RVH_POINT_KETAMA] = {"ketama", 32, NULL},
    [RVH_POINT_MD5] = {"md5", 64, NULL},
    [RVH_POINT_MD5_LOW] = {"md5_low", 64, NULL},
    [RVH_POINT_CRC32] = {"crc32", 32, rvh_crc32},
    [RVH_POINT_MURMUR3] = {"murmur3", 64, cassandra},
    [RVH_POINT_XXH64] = {"xxh64", 64, rvh_xxh64},
    [RVH_POINT_OAAT] = {"one_at_a_time", 32, rvh_one_at_a_time},
    [RVH_POINT_MURMUR2] = {"murmur2", 64, partition_hash},
    [RVH_POINT_GEOHASH] = {"geohash", 64, geohash},
    [RVH_POINT_MURMUR2_32] = {"murmur2_32", 32, rvh_murmur2_32},
    [RVH_POINT_XXH64_1] = {"xxh64_1", 64, rvh_xxh64_1},
    [RVH_POINT_HASHKIT_MURMUR] = {"hashkit_murmur", 32, rvh_hashkit_murmur},
    [RVH_POINT_CRC16] = {"crc16", 16, rvh_crc16},
    [RVH_POINT_NUTCRACKER_CRC16] = {"nutcracker_crc16", 32, rvh_nutcracker_crc16},
    [RVH_POINT_HASHKIT_CRC32] = {"hashkit_crc32", 32, rvh_hashkit_crc32},
    [RVH_POINT_HASHKIT_CRC32_OR_1] = {"hashkit_crc32_or_1", 32, rvh_hashkit_crc32_or_1},
    [RVH_POINT_FNV1A_32] = {"fnv1a_32", 32, rvh_fnv1a_32},
    [RVH_POINT_HASHKIT_FNV1_32] = {"hashkit_fnv1_32", 32, rvh_hashkit_fnv1_32},
    [RVH_POINT_HASHKIT_FNV1A_32] = {"hashkit_fnv1a_32", 32, rvh_hashkit_fnv1a_32},
    [RVH_POINT_HASHKIT_FNV1_64] = {"hashkit_fnv1_64", 32, rvh_hashkit_fnv1_64},
    [RVH_POINT_HASHKIT_FNV1A_64] = {"hashkit_fnv1a_64", 32, rvh_hashkit_fnv1a_64},
    [RVH_POINT_HASHKIT_HSIEH] = {"hashkit_hsieh", 32, rvh_hashkit_hsieh},
    [RVH_POINT_HASHKIT_JENKINS] = {"hashkit_jenkins", 32, rvh_hashkit_jenkins},
    [RVH_POINT_FARM_FINGERPRINT64] = {"farm_fingerprint64", 64, rvh_farm_fingerprint64},
    [RVH_POINT_CODE_POINTS] = {"code_points", 64, code_points},
    [RVH_POINT_MURMUR2_64] = {"murmur2_64", 64, murmur2_64},
    [RVH_POINT_SDBM] = {"sdbm", 32, rvh_sdbm},
    [RVH_POINT_DJB2] = {"djb2", 32, rvh_djb2},
    [RVH_POINT_WT6] = {"wt6", 32, rvh_wt6},
    [RVH_POINT_SDBM_AVALANCHE] = {"sdbm_avalanche", 32, rvh_sdbm_avalanche},
    [RVH_POINT_DJB2_AVALANCHE] = {"djb2_avalanche", 32, rvh_djb2_avalanche},
    [RVH_POINT_WT6_AVALANCHE] = {"wt6_avalanche", 32, rvh_wt6_avalanche},
    [RVH_POINT_CRC32_AVALANCHE] = {"crc32_avalanche", 32, rvh_crc32_avalanche},
};

const char *rvh_point_name(rvh_point_kind kind) { return KINDS[kind].name; }

unsigned rvh_point_bits(rvh_point_kind kind) { return KINDS[kind].bits; }

/* A point of a word of a digest, whose bytes are little-endian: 64 bits are read big-endian. */
static uint64_t md5_point(rvh_point_kind kind, uint64_t word) {
  return KINDS[kind].bits == 32 ? word & 0xffffffff : blake2_simd_bswap(word);
}

uint64_t rvh_point(rvh_point_kind kind, blake2_simd_bytes key) {
  if (KINDS[kind].of != NULL) return KINDS[kind].of(key);
  uint64_t digest[2];
  rvh_md5_one(key, digest);
  return md5_point(kind, digest[kind == RVH_POINT_MD5_LOW]);
}

/* A group of messages of one block, word by word. */
typedef struct {
  BLAKE2_SIMD_ALIGNED(64) uint32_t words[16 * RVH_MD5_GROUP];
  BLAKE2_SIMD_ALIGNED(64) uint32_t out[4 * RVH_MD5_GROUP];
  size_t rows[RVH_MD5_GROUP], n;
  rvh_point_kind kind;
} md5_group;

static void md5_flush(const rvh_isa *isa, md5_group *g, uint64_t *points) {
  isa->md5(g->words, g->out);
  const uint32_t *low = g->out + (g->kind == RVH_POINT_MD5_LOW ? 2 * RVH_MD5_GROUP : 0);
  const uint32_t *high = low + RVH_MD5_GROUP;
  for (size_t l = 0; l < g->n; l++) {
    points[g->rows[l]] = md5_point(g->kind, low[l] | (uint64_t)high[l] << 32);
  }
  g->n = 0;
}

static void md5_add(const rvh_isa *isa, md5_group *g, blake2_simd_bytes key, size_t row,
                    uint64_t *points) {
  uint8_t block[64] = {0};
  for (size_t i = 0; i < key.size; i++) block[i] = key.data[i];
  block[key.size] = 0x80;
  block[56] = (uint8_t)(key.size << 3);
  block[57] = (uint8_t)(key.size >> 5);
  for (size_t w = 0; w < 16; w++) {
    g->words[w * RVH_MD5_GROUP + g->n] = rvh_load32(block + 4 * w);
  }
  g->rows[g->n++] = row;
  if (g->n == RVH_MD5_GROUP) md5_flush(isa, g, points);
}

static void all_points(const rvh_isa *isa, rvh_point_kind kind, const blake2_simd_bytes *keys,
                       size_t n, uint64_t *points) {
  if (KINDS[kind].of != NULL) {
    for (size_t i = 0; i < n; i++) points[i] = KINDS[kind].of(keys[i]);
    return;
  }
  md5_group group = {.kind = kind};
  for (size_t i = 0; i < n; i++) {
    if (keys[i].size <= MD5_ONE_BLOCK)
      md5_add(isa, &group, keys[i], i, points);
    else
      points[i] = rvh_point(kind, keys[i]);
  }
  if (group.n > 0) md5_flush(isa, &group, points);
}

blake2_simd_bytes rvh_tagged(rvh_tag tag, blake2_simd_bytes key) {
  if (tag.open == 0 || key.size == 0) return key;
  const uint8_t *end = key.data + key.size;
  const uint8_t *open = memchr(key.data, tag.open, key.size);
  if (open == NULL) return key;
  const uint8_t *start = open + 1;
  const uint8_t *close = start < end ? memchr(start, tag.close, (size_t)(end - start)) : NULL;
  if (close == NULL || close == start) return key;
  return (blake2_simd_bytes){start, (size_t)(close - start)};
}

rvh_status rvh_each_point(const rvh_isa *isa, rvh_point_kind kind, rvh_tag tag,
                          const rvh_column *keys, size_t start, size_t stop, size_t cost,
                          rvh_use_points *use, void *context, rvh_poll *poll, size_t *bad) {
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
    for (size_t i = 0; i < n && tag.open != 0; i++) spans[i] = rvh_tagged(tag, spans[i]);
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

rvh_status rvh_points(const rvh_isa *isa, rvh_point_kind kind, rvh_tag tag, const rvh_column *keys,
                      size_t start, size_t stop, uint64_t *points, rvh_poll *poll, size_t *bad) {
  return rvh_each_point(isa, kind, tag, keys, start, stop, 1, copy_points, points, poll, bad);
}
