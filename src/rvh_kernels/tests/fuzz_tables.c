/* libFuzzer on what is looked up by a key's hash: rings, partition tables, and the best of
 * prefixes, each against its definition on every instruction set. */

#include "fuzz_keys.h"

enum { OWNERS = 40 };

static int ascending(const void *a, const void *b) {
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

typedef struct {
  rvh_point_kind kind;
  uint64_t *points, largest;
  uint32_t *owners;
  size_t count, nodes;
} plain_ring;

/* Points anywhere, and at keys' own or beside them; now and then more than there are of 16 bits. */
static plain_ring make_ring(input *in, const keys *k) {
  plain_ring r = {.kind = (rvh_point_kind)below(in, RVH_POINT_COUNT), .count = 1 + below(in, 256)};
  r.largest = UINT64_MAX >> (64 - rvh_point_bits(r.kind));
  if (r.count == 256) r.count = 40000;
  r.points = room(in, r.count * sizeof *r.points);
  r.owners = room(in, r.count * sizeof *r.owners);
  for (size_t i = 0; i < r.count; i++) {
    const size_t where = in->size > 0 ? below(in, 256) : 255;
    r.points[i] = r.largest / r.count * i;
    if (where < k->bad && where < 128)
      r.points[i] = (rvh_point(r.kind, k->rows[where]) + below(in, 3) - 1) & r.largest;
    else if (where < 192)
      r.points[i] = take(in, 8) & r.largest;
    r.owners[i] = (uint32_t)(i < 256 ? below(in, OWNERS) : i % 7);
  }
  qsort(r.points, r.count, sizeof *r.points, ascending);
  for (size_t node = 0; node < OWNERS; node++) {
    size_t i = 0;
    while (i < r.count && r.owners[i] != node) i++;
    r.nodes += i < r.count;
  }
  return r;
}

static void plain_lookup(const plain_ring *r, uint64_t point, size_t k, intptr_t *out) {
  uint8_t met[OWNERS] = {0};
  size_t at = 0, n = 0;
  while (at < r->count && r->points[at] < point) at++;
  for (; n < k; at++) {
    const uint32_t owner = r->owners[at % r->count];
    if (!met[owner]++) out[n++] = (intptr_t)owner;
  }
}

static void check_ring(input *in, const keys *k) {
  const plain_ring r = make_ring(in, k);
  const rvh_tag tag = {(uint8_t)take(in, 1), (uint8_t)take(in, 1)};
  const size_t owners = 1 + below(in, r.nodes), rows = k->bad < 64 ? k->bad : 64;
  const size_t size = owners * sizeof(intptr_t);
  intptr_t *expected = room(in, size);
  rvh_ring *ring;
  REQUIRE(rvh_ring_new(&ring, r.kind, r.points, r.owners, r.count, NULL) == RVH_OK);
  rvh_ring_set_tag(ring, tag);
  REQUIRE(rvh_ring_cost(ring, owners) >= owners);
  EACH_SET(isa) {
    intptr_t *out = room(in, k->count * size), *one = room(in, size);
    size_t bad = k->bad;
    REQUIRE(rvh_ring_lookup(isa, ring, &k->column, 0, k->count, owners, out, NULL, &bad) ==
            (k->bad < k->count ? RVH_BAD_KEY : RVH_OK));
    REQUIRE(bad == k->bad);
    for (size_t i = 0; i < rows; i++) {
      const uint64_t point = rvh_point(r.kind, rvh_tagged(tag, k->rows[i]));
      plain_lookup(&r, point, owners, expected);
      REQUIRE(k->bad < k->count || memcmp(out + i * owners, expected, size) == 0);
      REQUIRE(rvh_ring_lookup_one(ring, k->rows[i], owners, one, NULL) == RVH_OK &&
              memcmp(one, expected, size) == 0);
    }
  }
  const uint64_t point = take(in, 8) & r.largest;
  intptr_t *out = room(in, size);
  plain_lookup(&r, point, owners, expected);
  REQUIRE(rvh_ring_nodes(ring, &point, 1, owners, out, NULL) == RVH_OK &&
          memcmp(out, expected, size) == 0);
  rvh_ring_free(ring);
}

static void check_partitions(input *in, const keys *k) {
  const size_t names = 1 + below(in, OWNERS), width = 1 + below(in, 50);
  const size_t owners = 1 + below(in, 4);
  const size_t partitions = 1 + (below(in, 1 << 24) >> below(in, 24));
  const size_t listed = partitions < 256 ? partitions : 0; /* larger ones have numbers alone */
  uint32_t *table = room(in, listed * owners * sizeof *table);
  for (size_t i = 0; i < listed * owners; i++) table[i] = (uint32_t)below(in, names);
  const uint8_t *text = bytes(in, names * width);
  for (int what = 0; what < (listed > 0 ? 3 : 1); what++) {
    const rvh_table t = {partitions, what > 0 ? table : NULL, owners, what > 1 ? text : NULL,
                         width};
    const size_t size = what == 0   ? sizeof(intptr_t)
                        : what == 1 ? owners * sizeof(intptr_t)
                                    : owners * width;
    uint8_t *out = room(in, k->count * size);
    size_t bad = k->bad;
    REQUIRE(rvh_lookup(rvh_isa_active(), &t, &k->column, 0, k->count, out, NULL, &bad) ==
            (k->bad < k->count ? RVH_BAD_KEY : RVH_OK));
    REQUIRE(bad == k->bad);
    for (size_t i = 0; i < k->count && k->bad == k->count; i++) {
      const blake2_simd_bytes key = k->rows[i];
      const size_t p =
          plain_partition(plain_murmur64a(key.data, key.size, 2718281828u), partitions);
      REQUIRE(rvh_partition(partitions, key) == p);
      const intptr_t *index = (const intptr_t *)(const void *)(out + i * size);
      if (what == 0) REQUIRE(*index == (intptr_t)p);
      for (size_t j = 0; j < owners && what > 0; j++) {
        const uint32_t owner = table[p * owners + j];
        if (what == 1)
          REQUIRE(index[j] == (intptr_t)owner);
        else
          REQUIRE(memcmp(out + i * size + j * width, text + owner * width, width) == 0);
      }
    }
  }
}

/* The lowest byte of each code point of a text; other bytes, or of another text, as they are. */
static size_t put_text(blake2_simd_bytes text, int code_points, uint8_t *out) {
  size_t n = 0;
  for (size_t i = 0; i < text.size;) {
    const uint8_t *p = text.data + i;
    const size_t size = !code_points || p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    out[n++] = size == 1 ? p[0] : (uint8_t)(p[size - 2] << 6 | (p[size - 1] & 0x3f));
    i += size;
  }
  return n;
}

static void check_prefixes(input *in, const keys *k) {
  const size_t n = 1 + below(in, 12), best = 1 + below(in, n);
  const uint32_t seed = (uint32_t)take(in, 4);
  const int code_points = (int)below(in, 2);
  uint64_t *offsets = room(in, (n + 1) * sizeof *offsets);
  const uint8_t *data = strings(in, n, offsets);
  rvh_prefixes *prefixes = rvh_prefixes_new(data, offsets, n, seed, code_points);
  intptr_t *out = room(in, k->count * best * sizeof *out);
  size_t bad = k->bad;
  int known = 1;
  REQUIRE(rvh_prefixes_select(prefixes, &k->column, 0, k->count, best, out, NULL, &bad) ==
          (k->bad < k->count ? RVH_BAD_KEY : RVH_OK));
  REQUIRE(bad == k->bad);
  for (size_t j = 0; j < n && code_points; j++) {
    const blake2_simd_bytes prefix = string(data, offsets, j);
    known &= rvh_utf8(prefix.data, prefix.size) == prefix.size;
  }
  for (size_t i = 0; i < k->bad && i < 40 && known && k->bad == k->count; i++) {
    uint32_t hash[12], before = UINT32_MAX;
    const blake2_simd_bytes key = k->rows[i];
    if (code_points && rvh_utf8(key.data, key.size) != key.size) continue;
    for (size_t j = 0; j < n; j++) {
      const blake2_simd_bytes prefix = string(data, offsets, j);
      uint8_t *text = malloc(prefix.size + key.size + 1);
      const size_t size = put_text(prefix, code_points, text);
      hash[j] = plain_murmur3_32(text, size + put_text(key, code_points, text + size), seed);
      free(text);
    }
    for (size_t j = 0; j < best; j++) {
      const size_t chosen = (size_t)out[i * best + j];
      REQUIRE(chosen < n && hash[chosen] <= before);
      before = hash[chosen];
      for (size_t other = 0; other < n; other++) { /* who is better has come before */
        if (hash[other] < before || (hash[other] == before && other >= chosen)) continue;
        size_t at = 0;
        while (at < j && (size_t)out[i * best + at] != other) at++;
        REQUIRE(at < j);
      }
    }
  }
  rvh_prefixes_free(prefixes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  input in = {.data = data, .size = size};
  const size_t what = below(&in, 3);
  const keys k = make_keys(&in, ANY_LAYOUT);
  (what == 0 ? check_ring : what == 1 ? check_partitions : check_prefixes)(&in, &k);
  release(&in);
  return 0;
}
