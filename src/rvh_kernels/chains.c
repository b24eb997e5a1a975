/* Hashes of typed columns, one or several in a row, as engines and databases chain them. */

#include "hashes.h"

#include <stdlib.h>

enum {
  BATCH = 1024,         /* keys hashed together, or fewer */
  BYTES_PER_WORK = 128, /* read and hashed in less than a compression's time */
  SPARK_SEED = 42,
  HIVE_SEED = 104729,
};
#define POSTGRESQL_SEED 0x7a5b22367996dcfdu /* HASH_PARTITION_SEED */

/* ---- MurmurHash3_x86_32 ------------------------------------------------------------------- */

/* The bytes behind the last whole block: as they are, with their sign, or each a block of its own
 * with its sign. */
typedef enum { PLAIN, SIGNED, BLOCKS } tail_rule;

static uint32_t murmur3_32(blake2_simd_bytes key, uint32_t h, tail_rule rule) {
  const size_t whole = key.size / 4 * 4;
  uint32_t k = 0;
  for (size_t at = 0; at < whole; at += 4) h = rvh_murmur3_block(h, rvh_load32(key.data + at));
  for (size_t i = whole; i < key.size; i++) {
    const uint32_t byte = rule == PLAIN ? key.data[i] : rvh_with_sign(key.data[i]);
    if (rule == BLOCKS)
      h = rvh_murmur3_block(h, byte);
    else
      k ^= byte << (8 * (i - whole));
  }
  return rvh_murmur3_end(h ^ rvh_murmur3_word(k), (uint32_t)key.size);
}

/* The seed 0, of the UTF-16 (little-endian) of UTF-8; returns 0 for other bytes. */
static int murmur3_32_utf16(blake2_simd_bytes text, uint32_t *hash) {
  uint32_t h = 0, k = 0;
  size_t units = 0;
  if (rvh_utf8(text.data, text.size) != text.size) return 0;
  for (size_t i = 0; i < text.size;) {
    const uint8_t *p = text.data + i;
    const unsigned more = p[0] < 0x80 ? 0 : p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : 3;
    uint32_t c = more == 0 ? p[0] : p[0] & (0x3fu >> more);
    for (unsigned b = 1; b <= more; b++) c = c << 6 | (p[b] & 0x3f);
    i += more + 1;
    for (int low = 0; low <= (c >= 0x10000); low++) {
      const uint32_t unit = c < 0x10000 ? c
                            : low       ? 0xdc00 | (c & 0x3ff)
                                        : 0xd800 + ((c - 0x10000) >> 10);
      if (units++ % 2 == 0)
        k = unit;
      else
        h = rvh_murmur3_block(h, k | unit << 16);
    }
  }
  *hash = rvh_murmur3_end(units % 2 == 0 ? h : h ^ rvh_murmur3_word(k), (uint32_t)(2 * units));
  return 1;
}

/* Java's floorMod of a signed number. */
static uint32_t floor_mod(uint32_t x, uint32_t n) {
  const int64_t left = (int64_t)(int32_t)x % n;
  return (uint32_t)(left < 0 ? left + n : left);
}

/* ---- PostgreSQL --------------------------------------------------------------------------- */

/* lookup3 by Bob Jenkins (2006, http://burtleburtle.net/bob/c/lookup3.c), with PostgreSQL's seeds
 * (hashfn.c). */
typedef struct {
  uint32_t a, b, c;
} lookup3;

static void lookup3_mix(lookup3 *s) {
  static const uint8_t shift[6] = {4, 6, 8, 16, 19, 4};
  for (int i = 0; i < 6; i++) /* the three change places after each step */
    *s = (lookup3){s->b, s->c + s->b, (s->a - s->c) ^ rvh_rotl32(s->c, shift[i])};
}

static uint64_t lookup3_final(lookup3 s) {
  static const uint8_t shift[7] = {14, 11, 25, 16, 4, 14, 24};
  for (int i = 0; i < 7; i++) s = (lookup3){s.b, (s.c ^ s.b) - rvh_rotl32(s.b, shift[i]), s.a};
  return (uint64_t)s.a << 32 | s.b;
}

static lookup3 lookup3_start(size_t size) {
  const uint32_t start = 0x9e3779b9u + (uint32_t)size + 3923095u;
  lookup3 s = {start + (uint32_t)(POSTGRESQL_SEED >> 32), start + (uint32_t)POSTGRESQL_SEED, start};
  lookup3_mix(&s);
  return s;
}

static uint32_t load_up_to_32(const uint8_t *p, size_t n) {
  uint32_t x = 0;
  for (size_t i = 0; i < n && i < 4; i++) x |= (uint32_t)p[i] << (8 * i);
  return x;
}

static uint64_t postgresql_bytes(blake2_simd_bytes key) {
  const uint8_t *p = key.data;
  size_t left = key.size;
  lookup3 s = lookup3_start(left);
  for (; left >= 12; left -= 12, p += 12) {
    s = (lookup3){s.a + rvh_load32(p), s.b + rvh_load32(p + 4), s.c + rvh_load32(p + 8)};
    lookup3_mix(&s);
  }
  s.a += load_up_to_32(p, left);
  if (left > 4) s.b += load_up_to_32(p + 4, left - 4);
  if (left > 8) s.c += load_up_to_32(p + 8, left - 8) << 8; /* its lowest byte is the length's */
  return lookup3_final(s);
}

/* A number has one hash, whatever its width. */
static uint64_t postgresql_integer(uint64_t x) {
  const uint32_t high = (uint32_t)(x >> 32);
  lookup3 s = lookup3_start(4);
  s.a += (uint32_t)x ^ (x >> 63 ? ~high : high);
  return lookup3_final(s);
}

/* ---- chains ------------------------------------------------------------------------------- */

/* A value of a row: an integer in `number`, or else bytes. */
typedef struct {
  uint64_t number;
  blake2_simd_bytes bytes;
} value;

static size_t integer_bytes(rvh_part_kind kind) {
  return kind == RVH_PART_INT8    ? 1
         : kind == RVH_PART_INT16 ? 2
         : kind == RVH_PART_INT32 ? 4
         : kind == RVH_PART_INT64 ? 8
                                  : 0;
}

/* Writes the last bytes of a number, in the order of a system. */
static blake2_simd_bytes written(uint64_t x, size_t size, int big_endian, uint8_t out[8]) {
  for (size_t i = 0; i < size; i++) out[big_endian ? size - 1 - i : i] = (uint8_t)(x >> (8 * i));
  return (blake2_simd_bytes){out, size};
}

static uint64_t spark(uint64_t h, rvh_part_kind kind, value v) {
  uint8_t out[8];
  if (kind == RVH_PART_NULL) return h;
  if (kind == RVH_PART_BYTES) return murmur3_32(v.bytes, (uint32_t)h, BLOCKS);
  const size_t size = kind == RVH_PART_INT64 ? 8 : 4; /* shorter ones count as int */
  return murmur3_32(written(v.number, size, 0, out), (uint32_t)h, PLAIN);
}

static uint64_t iceberg(rvh_part_kind kind, value v) {
  uint8_t out[8];
  return murmur3_32(kind == RVH_PART_BYTES ? v.bytes : written(v.number, 8, 0, out), 0, PLAIN);
}

static uint64_t hive2(uint64_t h, rvh_part_kind kind, value v) {
  uint8_t out[8];
  uint32_t own = 0;
  if (kind == RVH_PART_INT8)
    own = (uint32_t)v.number;
  else if (kind == RVH_PART_BYTES)
    own = murmur3_32(v.bytes, HIVE_SEED, SIGNED);
  else if (kind != RVH_PART_NULL)
    own = murmur3_32(written(v.number, integer_bytes(kind), 1, out), HIVE_SEED, SIGNED);
  return (uint32_t)(31 * h) + own;
}

static uint64_t hive1(uint64_t h, rvh_part_kind kind, value v) {
  uint32_t own = 0;
  if (kind == RVH_PART_BYTES)
    for (size_t i = 0; i < v.bytes.size; i++) own = 31 * own + rvh_with_sign(v.bytes.data[i]);
  else if (kind == RVH_PART_INT64)
    own = (uint32_t)(v.number ^ v.number >> 32);
  else if (kind != RVH_PART_NULL)
    own = (uint32_t)v.number;
  return (uint32_t)(31 * h) + own;
}

static uint64_t postgresql(uint64_t h, rvh_part_kind kind, value v) {
  if (kind == RVH_PART_NULL) return h;
  const uint64_t own =
      kind == RVH_PART_BYTES ? postgresql_bytes(v.bytes) : postgresql_integer(v.number);
  return h ^ (own + 0x49a0f4dd15e5a8e3u + (h << 54) + (h >> 7)); /* hash_combine64 */
}

/* Reads the value of a part: all of the key's bytes, or those that `rvh_compose` wrote. Returns 0
 * where the bytes are not such a value. */
static int next_value(rvh_part_kind kind, int composite, blake2_simd_bytes *rest, value *v) {
  size_t size = rest->size;
  if (kind == RVH_PART_NULL) return 1;
  if (kind == RVH_PART_BYTES || kind == RVH_PART_TEXT) {
    if (composite) {
      if (size < 4) return 0;
      size = rvh_load32(rest->data);
      *rest = (blake2_simd_bytes){rest->data + 4, rest->size - 4};
      if (size > rest->size) return 0;
    }
    v->bytes = (blake2_simd_bytes){rest->data, size};
  } else {
    const unsigned unused = 64 - 8 * (unsigned)integer_bytes(kind);
    if (size < 8) return 0;
    size = 8;
    v->number = blake2_simd_load64(rest->data);
    if ((uint64_t)((int64_t)(v->number << unused) >> unused) != v->number) return 0;
  }
  *rest = (blake2_simd_bytes){rest->data + size, rest->size - size};
  return 1;
}

int rvh_chain_point(const rvh_chain *chain, blake2_simd_bytes key, uint64_t *point) {
  uint64_t h = chain->system == RVH_CHAIN_SPARK ? SPARK_SEED : 0;
  for (size_t n = 0; n < chain->count; n++) {
    const rvh_part_kind kind = (rvh_part_kind)chain->parts[n];
    uint32_t text;
    value v = {0};
    if (!next_value(kind, chain->count > 1, &key, &v)) return 0;
    switch (chain->system) {
      case RVH_CHAIN_SPARK:
        h = spark(h, kind, v);
        break;
      case RVH_CHAIN_ICEBERG:
        h = iceberg(kind, v);
        break;
      case RVH_CHAIN_HIVE1:
        h = hive1(h, kind, v);
        break;
      case RVH_CHAIN_HIVE2:
        h = hive2(h, kind, v);
        break;
      case RVH_CHAIN_POSTGRESQL:
        h = postgresql(h, kind, v);
        break;
      case RVH_CHAIN_ELASTICSEARCH: /* the routing; and before it, if there are two, the id */
        if (!murmur3_32_utf16(v.bytes, &text)) return 0;
        h = n + 1 < chain->count ? floor_mod(text, chain->spread) : h + text;
        break;
    }
  }
  if (chain->system != RVH_CHAIN_POSTGRESQL) h = (uint64_t)(int64_t)(int32_t)(uint32_t)h;
  *point = h;
  return key.size == 0;
}

rvh_status rvh_chain_points(const rvh_chain *chain, const rvh_column *keys, size_t start,
                            size_t stop, uint64_t *points, rvh_poll *poll, size_t *bad) {
  blake2_simd_bytes *spans = malloc(BATCH * sizeof *spans);
  uint8_t *scratch = malloc(rvh_column_batch_scratch(keys, BATCH) + 1);
  rvh_status status = spans == NULL || scratch == NULL ? RVH_NO_MEMORY : RVH_OK;
  for (size_t row = start, n; row < stop && status == RVH_OK; row += n) {
    size_t bytes;
    n = rvh_column_batch(keys, row, stop - row < BATCH ? stop - row : BATCH, &bytes);
    if (rvh_stopped(poll, (n + bytes / BYTES_PER_WORK) / 4 + 1)) {
      status = RVH_STOPPED;
      break;
    }
    status = rvh_column_spans(keys, row, n, spans, scratch, bad);
    const size_t read = status == RVH_OK ? n : *bad - row;
    for (size_t i = 0; i < read; i++) {
      if (rvh_chain_point(chain, spans[i], points + (row - start) + i)) continue;
      *bad = row + i;
      status = RVH_BAD_KEY;
      break;
    }
  }
  free(scratch);
  free(spans);
  return status;
}
