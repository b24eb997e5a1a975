/* libFuzzer on hashes of keys: points of every kind with and without tags, and chains of typed
 * columns; rows against single keys, lanes against one at a time, some against their definition. */

#include "fuzz_keys.h"

static blake2_simd_bytes plain_tagged(rvh_tag tag, blake2_simd_bytes key) {
  size_t open = 0, close;
  while (open < key.size && key.data[open] != tag.open) open++;
  for (close = open + 1; close < key.size && key.data[close] != tag.close;) close++;
  const int is_tagged = tag.open != 0 && close < key.size && close > open + 1;
  return is_tagged ? (blake2_simd_bytes){key.data + open + 1, close - open - 1} : key;
}

/* A register of `bits` bits that is shifted through one bit at a time. */
static uint64_t plain_crc(blake2_simd_bytes key, uint32_t poly, uint32_t start, int reflected) {
  uint32_t crc = start;
  for (size_t i = 0; i < 8 * key.size; i++) {
    const uint32_t bit = key.data[i / 8] >> (reflected ? i % 8 : 7 - i % 8) & 1;
    if (reflected)
      crc = crc >> 1 ^ ((crc ^ bit) & 1 ? poly : 0);
    else
      crc = (crc << 1 ^ ((crc >> 15 ^ bit) & 1 ? poly : 0)) & 0xffff;
  }
  return crc ^ start;
}

/* The point of some kinds; what rvh says for the others. */
static uint64_t plain_point(rvh_point_kind kind, blake2_simd_bytes key) {
  uint32_t h = 0x811c9dc5u;
  switch (kind) {
    case RVH_POINT_MURMUR2:
      return plain_murmur64a(key.data, key.size, 2718281828u);
    case RVH_POINT_MURMUR2_64:
      return plain_murmur64a(key.data, key.size, 0xc70f6907u);
    case RVH_POINT_CRC32:
      return plain_crc(key, 0xedb88320u, 0xffffffffu, 1);
    case RVH_POINT_CRC16:
      return plain_crc(key, 0x1021, 0, 0);
    case RVH_POINT_FNV1A_32:
      for (size_t i = 0; i < key.size; i++) h = (h ^ key.data[i]) * 0x01000193u;
      return h;
    default:
      return rvh_point(kind, key);
  }
}

static void check_points(input *in, const keys *k) {
  const rvh_point_kind kind = (rvh_point_kind)below(in, RVH_POINT_COUNT);
  const rvh_tag tag = {(uint8_t)take(in, 1), (uint8_t)take(in, 1)};
  const size_t start = below(in, k->bad + 1);
  EACH_SET(isa) {
    uint64_t *points = room(in, (k->count - start) * sizeof *points);
    size_t bad = k->bad;
    REQUIRE(rvh_points(isa, kind, tag, &k->column, start, k->count, points, NULL, &bad) ==
            (k->bad < k->count ? RVH_BAD_KEY : RVH_OK));
    REQUIRE(bad == k->bad);
    for (size_t i = start; i < k->count && k->bad == k->count; i++) {
      const blake2_simd_bytes key = plain_tagged(tag, k->rows[i]);
      REQUIRE(plain_compare(rvh_tagged(tag, k->rows[i]), key) == 0);
      REQUIRE(points[i - start] == plain_point(kind, key) &&
              points[i - start] <= UINT64_MAX >> (64 - rvh_point_bits(kind)));
    }
  }
}

static void check_chains(input *in, const keys *k) {
  rvh_chain chain = {.system = (rvh_chain_system)below(in, RVH_CHAIN_ELASTICSEARCH + 1),
                     .spread = 1 + (uint32_t)take(in, 1)};
  const int text = chain.system == RVH_CHAIN_ELASTICSEARCH;
  chain.count = 1 + below(in, text ? 2 : chain.system == RVH_CHAIN_ICEBERG ? 1 : 4);
  for (size_t n = 0; n < chain.count; n++)
    chain.parts[n] = text ? RVH_PART_TEXT : (uint8_t)below(in, RVH_PART_TEXT);
  uint64_t *points = room(in, k->count * sizeof *points);
  size_t bad = k->count, first = 0;
  const rvh_status status = rvh_chain_points(&chain, &k->column, 0, k->count, points, NULL, &bad);
  for (uint64_t one; first < k->bad && rvh_chain_point(&chain, k->rows[first], &one); first++)
    REQUIRE(status != RVH_OK || points[first] == one);
  REQUIRE(status == (first < k->count ? RVH_BAD_KEY : RVH_OK) && bad == first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  input in = {.data = data, .size = size};
  const keys k = make_keys(&in, ANY_LAYOUT);
  check_points(&in, &k);
  check_chains(&in, &k);
  release(&in);
  return 0;
}
