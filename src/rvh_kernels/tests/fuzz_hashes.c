/* libFuzzer on BLAKE2b and MD5 in lanes: each instruction set against RFC 7693, and against
 * portable. */

#include "fuzz.h"
#include "reference.h"

enum { MESSAGES = 40 };

typedef struct {
  size_t n, digest_size, key_size;
  const uint8_t *key, *data[2]; /* prefixes and suffixes */
  uint64_t *offsets[2];
  blake2_simd_params params;
} question;

static void digest_of(const question *q, size_t prefix, size_t suffix, uint8_t *out) {
  reference_state s;
  const blake2_simd_bytes a = string(q->data[0], q->offsets[0], prefix);
  const blake2_simd_bytes b = string(q->data[1], q->offsets[1], suffix);
  reference_init(&s, q->digest_size, q->key, q->key_size);
  reference_update(&s, a.data, a.size);
  reference_update(&s, b.data, b.size);
  reference_final(&s, out);
}

static void check_many(input *in, const question *q) {
  blake2_simd_bytes *both = room(in, 2 * q->n * sizeof *both);
  for (size_t i = 0; i < 2 * q->n; i++)
    both[i] = string(q->data[i / q->n], q->offsets[i / q->n], i % q->n);
  EACH_SET(isa) {
    uint8_t *out = room(in, q->n * q->digest_size), expected[BLAKE2_SIMD_DIGEST_MAX];
    blake2_simd_many(isa->hash, &q->params, both, both + q->n, q->n, out);
    for (size_t i = 0; i < q->n; i++) {
      digest_of(q, i, i, expected);
      REQUIRE(memcmp(out + i * q->digest_size, expected, q->digest_size) == 0);
    }
  }
}

static uint64_t big_endian(const uint8_t *p) {
  uint64_t x = 0;
  for (int i = 0; i < 8; i++) x = x << 8 | p[i];
  return x;
}

static void check_word(const question *q, const uint32_t *order, size_t at, size_t suffix,
                       uint64_t hi, const uint64_t *lo) {
  uint8_t digest[BLAKE2_SIMD_DIGEST_MAX];
  digest_of(q, order[at], suffix, digest);
  REQUIRE(hi == big_endian(digest) && (lo == NULL || *lo == big_endian(digest + 8)));
}

/* Some of the prefixes with as many suffixes as a tile takes, and with each by itself. */
static void check_prefixes(input *in, const question *q) {
  const size_t first = below(in, q->n), count = 1 + below(in, q->n - first);
  const int with_lo = (int)below(in, 2);
  blake2_simd_prefixes *p = blake2_simd_prefixes_new(&q->params, q->data[0], q->offsets[0], q->n);
  REQUIRE(p != NULL && blake2_simd_prefixes_count(p) == q->n);
  const uint32_t *order = blake2_simd_prefixes_order(p);
  EACH_SET(isa) {
    const size_t stride = blake2_simd_stride(isa->hash), lanes = blake2_simd_lanes(isa->hash);
    blake2_simd_suffixes *block = room(in, blake2_simd_suffixes_size());
    uint64_t *hi = room(in, count * stride * 8), *lo = room(in, count * stride * 8);
    blake2_simd_bytes suffixes[BLAKE2_SIMD_LANES_MAX];
    size_t n = 0, from[BLAKE2_SIMD_LANES_MAX];
    for (size_t i = 0; i < q->n && n < lanes; i++) {
      suffixes[n] = string(q->data[1], q->offsets[1], from[n] = i);
      n += suffixes[n].size <= BLAKE2_SIMD_SUFFIX_MAX;
    }
    blake2_simd_suffixes_clear(block);
    blake2_simd_suffixes_add(isa->hash, block, suffixes, n);
    blake2_simd_tile(isa->hash, p, first, count, block, hi, with_lo ? lo : NULL);
    for (size_t i = 0; i < count * n; i++) {
      const size_t at = i / n * stride + i % n;
      check_word(q, order, first + i / n, from[i % n], hi[at], with_lo ? &lo[at] : NULL);
    }
    uint64_t *row = room(in, count * 8), *low = room(in, count * 8);
    blake2_simd_row(isa->hash, p, first, count, string(q->data[1], q->offsets[1], first), row,
                    with_lo ? low : NULL);
    for (size_t i = 0; i < count; i++)
      check_word(q, order, first + i, first, row[i], with_lo ? &low[i] : NULL);
  }
  blake2_simd_prefixes_free(p);
}

static void check_bare(input *in) {
  const size_t words = 1 + below(in, 16), n = 1 + below(in, 8);
  const size_t size = 4 * RVH_MD5_GROUP * sizeof(uint32_t);
  const uint8_t *block = bytes(in, 4 * size);
  uint64_t first = 0;
  uint32_t *digests = NULL;
  EACH_SET(isa) {
    const uint64_t word = rvh_bare_hashes(isa, words, n);
    uint32_t *out = room(in, size);
    isa->md5((const uint32_t *)(const void *)block, out);
    if (digests == NULL) {
      digests = out;
      first = word;
    }
    REQUIRE(word == first && memcmp(out, digests, size) == 0);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  input in = {.data = data, .size = size};
  const size_t what = below(&in, 3);
  question q = {.n = 1 + below(&in, MESSAGES), .digest_size = 16, .key_size = below(&in, 65)};
  if (what == 0) q.digest_size = 1 + below(&in, BLAKE2_SIMD_DIGEST_MAX);
  q.key = bytes(&in, q.key_size);
  REQUIRE(blake2_simd_params_init(&q.params, q.digest_size, q.key, q.key_size) == 0);
  for (int i = 0; i < 2; i++) {
    q.offsets[i] = room(&in, (q.n + 1) * sizeof *q.offsets[i]);
    q.data[i] = strings(&in, q.n, q.offsets[i]);
  }
  if (what == 0)
    check_many(&in, &q);
  else if (what == 1)
    check_prefixes(&in, &q);
  else
    check_bare(&in);
  release(&in);
  return 0;
}
