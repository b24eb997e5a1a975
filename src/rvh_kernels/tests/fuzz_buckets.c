/* libFuzzer on buckets, the words of keys that choose them, and logarithms: each instruction set
 * against the papers, the RFC and the contract. */

#include "fuzz_keys.h"

static void check_buckets(input *in) {
  const keys k = make_keys(in, 1u << RVH_INTEGERS);
  const uint32_t buckets = 1 + (uint32_t)(take(in, 4) >> below(in, 32)) % 0x7fffffff;
  const size_t start = below(in, k.count + 1), rows = k.count - start, limit = rows > 9 ? 9 : 300;
  const size_t chosen = 1 + below(in, buckets < limit ? buckets : limit);
  EACH_SET(isa) {
    intptr_t *jump = room(in, rows * chosen * sizeof *jump);
    intptr_t *back = room(in, rows * sizeof *back);
    REQUIRE(rvh_jump(isa, &k.column, start, k.count, buckets, chosen, jump, NULL) == RVH_OK &&
            rvh_jumpback(isa, &k.column, start, k.count, buckets, back, NULL) == RVH_OK);
    for (size_t i = 0; i < rows; i++) {
      const uint64_t key = blake2_simd_load64(k.rows[start + i].data);
      const intptr_t *row = jump + i * chosen;
      REQUIRE((uint64_t)back[i] == plain_jumpback(key, buckets));
      size_t filled = 0;
      for (uint64_t attempt = 0; filled < chosen; attempt++) {
        const uint64_t word = key + attempt * 0x9e3779b97f4a7c15u;
        const uint64_t b = plain_jump(attempt == 0 ? word : plain_mixed(word), buckets);
        size_t j = 0;
        while (j < filled && (uint64_t)row[j] != b) j++;
        if (j == filled) REQUIRE((uint64_t)row[filled++] == b);
      }
    }
  }
}

static void check_words(input *in) {
  const keys k = make_keys(in, ANY_LAYOUT);
  const size_t start = below(in, k.bad + 1);
  uint64_t *first = NULL;
  EACH_SET(isa) {
    uint64_t *words = room(in, (k.count - start) * sizeof *words);
    size_t bad = k.bad;
    REQUIRE(rvh_key_words(isa, &k.column, start, k.count, words, NULL, &bad) ==
            (k.bad < k.count ? RVH_BAD_KEY : RVH_OK));
    REQUIRE(bad == k.bad);
    if (first == NULL) first = words;
    REQUIRE(k.bad < k.count || memcmp(words, first, (k.count - start) * sizeof *words) == 0);
  }
  for (size_t i = start; i < k.count && i < start + 64 && k.bad == k.count; i++)
    REQUIRE(first[i - start] == plain_score(RVH_BLAKE2B, (blake2_simd_bytes){NULL, 0},
                                            (blake2_simd_bytes){NULL, 0}, k.rows[i], NULL)
                                    .word[1]);
}

static void check_logarithms(input *in) {
  const size_t n = below(in, 256);
  uint64_t *m = room(in, n * sizeof *m);
  for (size_t i = 0; i < n; i++) {
    m[i] = take(in, 7) >> below(in, 56) & (((uint64_t)1 << 53) - 1);
    if (m[i] == 0) m[i] = 1;
  }
  EACH_SET(isa) {
    double *out = room(in, n * sizeof *out);
    rvh_neg_log(isa, m, n, out);
    for (size_t i = 0; i < n; i++) {
      const double expected = plain_neg_log(m[i]);
      REQUIRE(memcmp(&out[i], &expected, sizeof expected) == 0);
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  input in = {.data = data, .size = size};
  const size_t what = below(&in, 3);
  (what == 0 ? check_buckets : what == 1 ? check_words : check_logarithms)(&in);
  release(&in);
  return 0;
}
