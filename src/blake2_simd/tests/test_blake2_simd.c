/* Every implementation that this processor can run, against known answers and the reference:
 * lengths 0 to 400 in both parts, 1 to 17 messages, counters over 32 bits, unaligned buffers,
 * every digest size, keys. Buffers are allocated to the byte, so that a sanitizer sees a read too
 * many. Prints what it ran and what it could not run; exits 1 after the first difference. */

#include "../blake2_simd_impl.h"
#include "reference.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { LENGTHS = 401, MESSAGES = 17 };

static const blake2_simd *impl; /* the one under test */
static unsigned long checks;

static void fail(const char *what, size_t a, size_t b) {
  fprintf(stderr, "FAILED %s: %s (%zu, %zu)\n", impl->name, what, a, b);
  exit(1);
}

static void check(int ok, const char *what, size_t a, size_t b) {
  checks++;
  if (!ok) fail(what, a, b);
}

static void *allocate(size_t size) {
  void *p = malloc(size > 0 ? size : 1);
  if (p == NULL) abort();
  return p;
}

static void *allocate_aligned(size_t size) {
#if defined(_WIN32) /* which lacks C11's */
  void *p = _aligned_malloc(size, 64);
#else
  void *p = aligned_alloc(64, (size + 63) / 64 * 64);
#endif
  if (p == NULL) abort();
  return p;
}

static void free_aligned(void *p) {
#if defined(_WIN32)
  _aligned_free(p);
#else
  free(p);
#endif
}

static uint64_t random_state = 1;
static uint64_t random64(void) { /* SplitMix64; the seed is fixed, so a failure repeats */
  uint64_t z = random_state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

/* A copy in memory of exactly that size, at an odd address where size > 0 allows. */
static uint8_t *exact(const uint8_t *data, size_t size, uint8_t **owner) {
  *owner = allocate(size + 1);
  memcpy(*owner + 1, data, size);
  return *owner + 1;
}

static void reference_digest(const uint8_t *a, size_t na, const uint8_t *b, size_t nb,
                             size_t digest_size, const uint8_t *key, size_t key_size,
                             uint8_t *out) {
  reference_state s;
  reference_init(&s, digest_size, key, key_size);
  reference_update(&s, a, na);
  reference_update(&s, b, nb);
  reference_final(&s, out);
}

static uint64_t big_endian(const uint8_t *p) {
  uint64_t x = 0;
  for (int i = 0; i < 8; i++) x = x << 8 | p[i];
  return x;
}

/* RFC 7693, appendix A: BLAKE2b-512 of "abc", cut in every way into prefix and suffix. */
static void test_abc(void) {
  static const uint8_t digest[64] = {
      0xba, 0x80, 0xa5, 0x3f, 0x98, 0x1c, 0x4d, 0x0d, 0x6a, 0x27, 0x97, 0xb6, 0x9f,
      0x12, 0xf6, 0xe9, 0x4c, 0x21, 0x2f, 0x14, 0x68, 0x5a, 0xc4, 0xb7, 0x4b, 0x12,
      0xbb, 0x6f, 0xdb, 0xff, 0xa2, 0xd1, 0x7d, 0x87, 0xc5, 0x39, 0x2a, 0xab, 0x79,
      0x2d, 0xc2, 0x52, 0xd5, 0xde, 0x45, 0x33, 0xcc, 0x95, 0x18, 0xd3, 0x8a, 0xa8,
      0xdb, 0xf1, 0x92, 0x5a, 0xb9, 0x23, 0x86, 0xed, 0xd4, 0x00, 0x99, 0x23};
  const uint8_t *abc = (const uint8_t *)"abc";
  blake2_simd_params params;
  uint8_t out[64];
  blake2_simd_params_init(&params, 64, NULL, 0);
  for (size_t cut = 0; cut <= 3; cut++) {
    blake2_simd_bytes prefix = {abc, cut}, suffix = {abc + cut, 3 - cut};
    blake2_simd_many(impl, &params, &prefix, &suffix, 1, out);
    check(memcmp(out, digest, 64) == 0, "RFC 7693 abc", cut, 0);
  }
}

/* RFC 7693, appendix E: a digest over the digests of 48 messages, half of them keyed. */
static void sequence(uint8_t *out, size_t size, uint32_t seed) {
  uint32_t a = 0xdead4badu * seed, b = 1;
  for (size_t i = 0; i < size; i++) {
    uint32_t t = a + b;
    a = b;
    b = t;
    out[i] = (uint8_t)(t >> 24);
  }
}

static void test_self_test(void) {
  static const uint8_t expected[32] = {0xc2, 0x3a, 0x78, 0x00, 0xd9, 0x81, 0x23, 0xbd,
                                       0x10, 0xf5, 0x06, 0xc6, 0x1e, 0x29, 0xda, 0x56,
                                       0x03, 0xd7, 0x63, 0xb8, 0xbb, 0xad, 0x2e, 0x73,
                                       0x7f, 0x5e, 0x76, 0x5a, 0x7b, 0xcc, 0xd4, 0x75};
  static const size_t digests[4] = {20, 32, 48, 64}, sizes[6] = {0, 3, 128, 129, 255, 1024};
  uint8_t message[1024], key[64], all[2 * 6 * (20 + 32 + 48 + 64)], out[32];
  blake2_simd_params params;
  blake2_simd_bytes none = {NULL, 0};
  size_t fill = 0;
  for (int d = 0; d < 4; d++)
    for (int i = 0; i < 6; i++) {
      blake2_simd_bytes whole = {message, sizes[i]};
      sequence(message, sizes[i], (uint32_t)sizes[i]);
      blake2_simd_params_init(&params, digests[d], NULL, 0);
      blake2_simd_many(impl, &params, &whole, &none, 1, all + fill);
      fill += digests[d];
      sequence(key, digests[d], (uint32_t)digests[d]);
      blake2_simd_params_init(&params, digests[d], key, digests[d]);
      blake2_simd_many(impl, &params, &none, &whole, 1, all + fill);
      fill += digests[d];
    }
  blake2_simd_bytes whole = {all, fill};
  blake2_simd_params_init(&params, 32, NULL, 0);
  blake2_simd_many(impl, &params, &whole, &none, 1, out);
  check(memcmp(out, expected, 32) == 0, "RFC 7693 self test", 0, 0);
}

/* The kernel itself: random states, counters over 32 bits, and each number of non-zero words. */
static void test_compress(void) {
  const size_t lanes = impl->lanes, stride = impl->stride;
  uint64_t *h = allocate_aligned(8 * stride * 8), *m = allocate_aligned(16 * stride * 8);
  uint64_t *t = allocate_aligned(stride * 8), *final = allocate_aligned(stride * 8);
  for (size_t words = 0; words <= 16; words++)
    for (size_t trial = 0; trial < 20; trial++) {
      uint64_t expected[BLAKE2_SIMD_LANES_MAX][8];
      for (size_t l = 0; l < lanes; l++) {
        uint64_t own[16] = {0};
        for (size_t w = 0; w < 16; w++) {
          own[w] = w < words ? random64() : 0;
          m[w * stride + l] = own[w];
        }
        for (size_t w = 0; w < 8; w++) expected[l][w] = h[w * stride + l] = random64();
        t[l] = trial % 2 ? random64() : 0xffffff80u + 128 * (uint64_t)l;
        final[l] = random64() % 2 ? ~(uint64_t)0 : 0;
        reference_compress(expected[l], own, t[l], final[l]);
      }
      impl->compress(h, m, t, final, words);
      for (size_t l = 0; l < lanes; l++)
        for (size_t w = 0; w < 8; w++)
          check(h[w * stride + l] == expected[l][w], "compress", words, l);
    }
  free_aligned(h);
  free_aligned(m);
  free_aligned(t);
  free_aligned(final);
}

static uint8_t text[2 * LENGTHS + 12288]; /* room for test_groups: 40 prefixes of 256 bytes */
static uint8_t (*answers)[LENGTHS][16];   /* [prefix size][suffix size], keyed or not */

static const uint8_t *prefix_text(size_t size) { return text + size % 3; }
static const uint8_t *suffix_text(size_t size) { return text + 1000 + size % 5; }

static void make_answers(const uint8_t *key, size_t key_size) {
  for (size_t p = 0; p < LENGTHS; p++) {
    reference_state state;
    reference_init(&state, 16, key, key_size);
    reference_update(&state, prefix_text(p), p);
    for (size_t s = 0; s < LENGTHS; s++) {
      reference_state copy = state;
      reference_update(&copy, suffix_text(s), s);
      reference_final(&copy, answers[p][s]);
    }
  }
}

/* All pairs of lengths through blake2_simd_many, in calls of 1 to 17 messages. */
static void test_many(const blake2_simd_params *params) {
  size_t n = 0;
  for (size_t p = 0; p < LENGTHS; p++)
    for (size_t s = 0; s < LENGTHS; s += n) {
      blake2_simd_bytes prefix[MESSAGES], suffix[MESSAGES];
      uint8_t *owner[2 * MESSAGES], out[16 * MESSAGES];
      n = n % MESSAGES + 1;
      if (n > LENGTHS - s) n = LENGTHS - s;
      for (size_t i = 0; i < n; i++) {
        prefix[i].size = p;
        prefix[i].data = exact(prefix_text(p), p, &owner[2 * i]);
        suffix[i].size = s + i;
        suffix[i].data = exact(suffix_text(s + i), s + i, &owner[2 * i + 1]);
      }
      blake2_simd_many(impl, params, prefix, suffix, n, out);
      for (size_t i = 0; i < n; i++) {
        check(memcmp(out + 16 * i, answers[p][s + i], 16) == 0, "many", p, s + i);
        free(owner[2 * i]);
        free(owner[2 * i + 1]);
      }
    }
}

/* The prefixes of all lengths, longest given first, so that `order` has something to undo. */
static blake2_simd_prefixes *all_prefixes(const blake2_simd_params *params) {
  uint64_t offsets[LENGTHS + 1] = {0};
  uint8_t *data, *owner = NULL;
  size_t fill = 0;
  for (size_t i = 0; i < LENGTHS; i++) offsets[i + 1] = offsets[i] + (LENGTHS - 1 - i);
  data = allocate((size_t)offsets[LENGTHS]);
  for (size_t i = 0; i < LENGTHS; i++) {
    size_t size = LENGTHS - 1 - i;
    memcpy(data + fill, prefix_text(size), size);
    fill += size;
  }
  blake2_simd_prefixes *prefixes =
      blake2_simd_prefixes_new(params, exact(data, fill, &owner), offsets, LENGTHS);
  free(owner);
  free(data);
  if (prefixes == NULL) abort();
  check(blake2_simd_prefixes_count(prefixes) == LENGTHS, "count", 0, 0);
  for (size_t i = 0; i < LENGTHS; i++)
    check(blake2_simd_prefixes_order(prefixes)[i] == LENGTHS - 1 - i, "order", i, 0);
  return prefixes;
}

static void check_words(uint64_t hi, uint64_t lo, const uint8_t digest[16], const char *what,
                        size_t p, size_t s) {
  check(hi == big_endian(digest) && lo == big_endian(digest + 8), what, p, s);
}

/* All pairs through tiles: blocks of 1 to `lanes` suffixes x runs of prefixes that start anywhere.
 */
static void test_tile(const blake2_simd_params *params) {
  const size_t lanes = impl->lanes, stride = impl->stride;
  blake2_simd_prefixes *prefixes = all_prefixes(params);
  blake2_simd_suffixes *block = allocate_aligned(blake2_simd_suffixes_size());
  uint64_t *hi = allocate_aligned(LENGTHS * stride * 8),
           *lo = allocate_aligned(LENGTHS * stride * 8);
  size_t n = 0;
  for (size_t s = 0; s < LENGTHS; s += n) {
    blake2_simd_bytes suffix[BLAKE2_SIMD_LANES_MAX];
    uint8_t *owner[BLAKE2_SIMD_LANES_MAX];
    n = n % lanes + 1;
    if (n > LENGTHS - s) n = LENGTHS - s;
    for (size_t i = 0; i < n; i++) {
      suffix[i].size = s + i;
      suffix[i].data = exact(suffix_text(s + i), s + i, &owner[i]);
    }
    blake2_simd_suffixes_clear(block);
    check(blake2_simd_suffixes_add(impl, block, suffix, n), "room", n, s);
    for (size_t i = 0; i < n; i++) free(owner[i]);
    for (size_t first = 0, count; first < LENGTHS; first += count) {
      count = 1 + (size_t)(random64() % 64);
      if (count > LENGTHS - first) count = LENGTHS - first;
      blake2_simd_tile(impl, prefixes, first, count, block, hi, NULL);
      for (size_t i = 0; i < count; i++)
        for (size_t l = 0; l < lanes; l++)
          check(hi[i * stride + l] == big_endian(answers[first + i][l < n ? s + l : 0]), "tile, hi",
                first + i, s + l);
      blake2_simd_tile(impl, prefixes, first, count, block, hi, lo);
      for (size_t i = 0; i < count; i++)
        for (size_t l = 0; l < lanes; l++)
          check_words(hi[i * stride + l], lo[i * stride + l], answers[first + i][l < n ? s + l : 0],
                      "tile", first + i, s + l);
    }
  }
  free_aligned(hi);
  free_aligned(lo);
  free_aligned(block);
  blake2_simd_prefixes_free(prefixes);
}

/* All pairs through rows: one suffix x runs of 1 to 17 prefixes and more. */
static void test_row(const blake2_simd_params *params) {
  blake2_simd_prefixes *prefixes = all_prefixes(params);
  uint64_t hi[LENGTHS], lo[LENGTHS];
  size_t count = 0;
  for (size_t s = 0; s < LENGTHS; s++) {
    uint8_t *owner;
    blake2_simd_bytes suffix = {exact(suffix_text(s), s, &owner), s};
    for (size_t first = 0; first < LENGTHS; first += count) {
      count = count % 40 + 1;
      if (count > LENGTHS - first) count = LENGTHS - first;
      blake2_simd_row(impl, prefixes, first, count, suffix, hi, NULL);
      for (size_t i = 0; i < count; i++)
        check(hi[i] == big_endian(answers[first + i][s]), "row, hi", first + i, s);
      blake2_simd_row(impl, prefixes, first, count, suffix, hi, lo);
      for (size_t i = 0; i < count; i++)
        check_words(hi[i], lo[i], answers[first + i][s], "row", first + i, s);
    }
    free(owner);
  }
  blake2_simd_prefixes_free(prefixes);
}

/* Suffixes up to the longest a tile takes, and beyond it for rows; equal and unequal in a block. */
static void test_long_suffixes(const blake2_simd_params *params, const uint8_t *key,
                               size_t key_size) {
  static const size_t sizes[] = {BLAKE2_SIMD_SUFFIX_MAX,
                                 1023,
                                 1017,
                                 1016,
                                 1000,
                                 897,
                                 896,
                                 895,
                                 640,
                                 512,
                                 511,
                                 401,
                                 256,
                                 129,
                                 128,
                                 127};
  static const size_t pick[] = {0, 1, 7, 8, 64, 120, 127, 128, 129, 255, 256, 400};
  const size_t lanes = impl->lanes, stride = impl->stride;
  blake2_simd_prefixes *prefixes = all_prefixes(params);
  blake2_simd_suffixes *block = allocate_aligned(blake2_simd_suffixes_size());
  uint64_t *hi = allocate_aligned(stride * 8), *lo = allocate_aligned(stride * 8);
  uint8_t digest[16];
  for (size_t turn = 0; turn < 16; turn++) {
    blake2_simd_bytes suffix[BLAKE2_SIMD_LANES_MAX];
    for (size_t l = 0; l < lanes; l++) {
      suffix[l].size = turn == 0 ? sizes[0] : sizes[(turn + l) % 16];
      suffix[l].data = text + l;
    }
    blake2_simd_suffixes_clear(block);
    check(blake2_simd_suffixes_add(impl, block, suffix, lanes), "room", lanes, turn);
    for (size_t i = 0; i < sizeof pick / sizeof *pick; i++) {
      blake2_simd_tile(impl, prefixes, pick[i], 1, block, hi, lo);
      for (size_t l = 0; l < lanes; l++) {
        reference_digest(prefix_text(pick[i]), pick[i], suffix[l].data, suffix[l].size, 16, key,
                         key_size, digest);
        check_words(hi[l], lo[l], digest, "long tile", pick[i], suffix[l].size);
      }
    }
  }
  for (size_t size = 401; size < 6000; size = size * 3 / 2) {
    uint64_t row_hi[20], row_lo[20];
    blake2_simd_bytes suffix = {text + 1, size};
    blake2_simd_row(impl, prefixes, 120, 20, suffix, row_hi, row_lo);
    for (size_t i = 0; i < 20; i++) {
      reference_digest(prefix_text(120 + i), 120 + i, suffix.data, size, 16, key, key_size, digest);
      check_words(row_hi[i], row_lo[i], digest, "long row", 120 + i, size);
    }
  }
  free_aligned(hi);
  free_aligned(lo);
  free_aligned(block);
  blake2_simd_prefixes_free(prefixes);
}

/* Several groups of suffixes x prefixes that share some lengths and not their bytes: strips begin
 * and end within a length, go on through others, need more words as they do, and reach two blocks.
 */
static void test_groups(const blake2_simd_params *params, const uint8_t *key, size_t key_size) {
  static const size_t sizes[] = {0,  1,  7,   8,   25,  31,  32,  33, 56,
                                 63, 64, 100, 120, 127, 128, 151, 256};
  enum { KINDS = sizeof sizes / sizeof *sizes, PREFIXES = 40, SUFFIX_MAX = 100, TRIALS = 60 };
  enum { MOST = 17 }; /* groups: two strips each are more than one call has */
  const size_t lanes = impl->lanes, stride = impl->stride;
  blake2_simd_suffixes *block = allocate_aligned(blake2_simd_suffixes_size());
  for (size_t trial = 0; trial < TRIALS; trial++) {
    const uint8_t *data = text + random64() % 1000;
    const int full = trial % 30 == 0;
    const size_t kinds = full ? KINDS : 1 + random64() % KINDS;
    const size_t longest = full ? 40 : random64() % SUFFIX_MAX;
    uint64_t offsets[PREFIXES + 1] = {0};
    for (size_t i = 0; i < PREFIXES; i++)
      offsets[i + 1] = offsets[i] + sizes[(trial + random64() % kinds) % KINDS];
    blake2_simd_prefixes *prefixes = blake2_simd_prefixes_new(params, data, offsets, PREFIXES);
    const uint32_t *order = blake2_simd_prefixes_order(prefixes);
    const size_t most = full ? MOST : 1 + random64() % 4;
    const size_t first = full ? 0 : random64() % PREFIXES;
    const size_t count = full ? PREFIXES : 1 + random64() % (PREFIXES - first);
    blake2_simd_bytes suffix[MOST][BLAKE2_SIMD_LANES_MAX];
    size_t n[MOST];
    blake2_simd_suffixes_clear(block);
    for (size_t g = 0; g < most; g++) {
      n[g] = 1 + random64() % lanes;
      for (size_t l = 0; l < lanes; l++)
        suffix[g][l] = (blake2_simd_bytes){text + random64() % 5000,
                                           l < n[g] ? random64() % (longest + 1) : 0};
      check(blake2_simd_suffixes_add(impl, block, suffix[g], n[g]), "room", g, n[g]);
    }
    const size_t pairs = most * count;
    uint64_t *hi = allocate_aligned(pairs * stride * 8), *lo = allocate_aligned(pairs * stride * 8);
    blake2_simd_tile(impl, prefixes, first, count, block, hi, trial % 2 ? lo : NULL);
    for (size_t i = 0; i < pairs; i++)
      for (size_t l = 0; l < lanes; l++) {
        const size_t node = order[first + i % count],
                     size = (size_t)(offsets[node + 1] - offsets[node]);
        const blake2_simd_bytes behind = suffix[i / count][l];
        const size_t at = i * stride + l;
        uint8_t digest[16];
        reference_digest(data + offsets[node], size, behind.data, behind.size, 16, key, key_size,
                         digest);
        check_words(hi[at], trial % 2 ? lo[at] : big_endian(digest + 8), digest, "groups", size,
                    behind.size);
      }
    free_aligned(hi);
    free_aligned(lo);
    blake2_simd_prefixes_free(prefixes);
  }
  free_aligned(block);
}

/* A block takes groups while it has room for all of their words. */
static void test_room(void) {
  blake2_simd_suffixes *block = allocate_aligned(blake2_simd_suffixes_size());
  for (size_t size = 0; size <= BLAKE2_SIMD_SUFFIX_MAX; size += 1 + size / 2) {
    const blake2_simd_bytes suffix = {text, size};
    const size_t rows = (size + 7) / 8 + 1, all = BLAKE2_SIMD_SUFFIX_MAX / 8 + 1;
    const size_t fit = all / rows < BLAKE2_SIMD_GROUPS_MAX ? all / rows : BLAKE2_SIMD_GROUPS_MAX;
    blake2_simd_suffixes_clear(block);
    for (size_t g = 0; g <= fit; g++)
      check(blake2_simd_suffixes_add(impl, block, &suffix, 1) == (g < fit), "room", size, g);
  }
  free_aligned(block);
}

/* Every digest size and key size, short and long messages mixed in one call. */
static void test_sizes(void) {
  uint8_t key[BLAKE2_SIMD_KEY_MAX], out[MESSAGES * 64], expected[64];
  for (size_t i = 0; i < sizeof key; i++) key[i] = (uint8_t)(3 * i + 1);
  for (size_t digest_size = 1; digest_size <= 64; digest_size++) {
    blake2_simd_params params;
    blake2_simd_bytes prefix[MESSAGES], suffix[MESSAGES];
    const size_t key_size = (digest_size * 13) % 65;
    if (blake2_simd_params_init(&params, digest_size, key, key_size) != 0)
      fail("params", digest_size, key_size);
    for (size_t i = 0; i < MESSAGES; i++) {
      prefix[i] = (blake2_simd_bytes){text + i, (size_t)(random64() % 300)};
      suffix[i] = (blake2_simd_bytes){text + 2 * i, (size_t)(random64() % 300)};
      if (i % 5 == 0) prefix[i].size = 0;
      if (i % 7 == 0) suffix[i].size = 0;
    }
    blake2_simd_many(impl, &params, prefix, suffix, MESSAGES, out);
    for (size_t i = 0; i < MESSAGES; i++) {
      reference_digest(prefix[i].data, prefix[i].size, suffix[i].data, suffix[i].size, digest_size,
                       key, key_size, expected);
      check(memcmp(out + i * digest_size, expected, digest_size) == 0, "sizes", digest_size, i);
    }
  }
  blake2_simd_params params;
  check(blake2_simd_params_init(&params, 0, NULL, 0) == -1, "digest size 0", 0, 0);
  check(blake2_simd_params_init(&params, 65, NULL, 0) == -1, "digest size 65", 0, 0);
  check(blake2_simd_params_init(&params, 16, key, 65) == -1, "key size 65", 0, 0);
}

/* What the environment asks for is what is used, or nothing is. */
static void test_active(void) {
  const char *forced = getenv("RVH_ISA");
  const blake2_simd *active = blake2_simd_active();
  const blake2_simd *expected =
      forced != NULL && forced[0] != '\0' ? blake2_simd_find(forced) : impl;
  check(active == expected && active == blake2_simd_active(), "active", 0, 0);
  printf("active: %s\n", active != NULL ? blake2_simd_name(active) : "none, as RVH_ISA asks");
}

/* With the argument "active", only what the environment's RVH_ISA does. */
/* Sizes in no order, equal ones and some that differ in their second and third byte alone: prefixes
 * stand by size, equal ones as they were given; and the work is given up wherever it is asked. */
static int give_up(void *context, size_t compressions) {
  return compressions > 0 && (*(int *)context)-- == 0;
}

static void test_order(void) {
  static const size_t sizes[] = {300, 7, 66000, 7, 0, 300, 65836, 255, 1, 128, 44, 0, 66000};
  enum { N = sizeof sizes / sizeof *sizes };
  uint64_t offsets[N + 1] = {0};
  blake2_simd_params params;
  for (size_t i = 0; i < N; i++) offsets[i + 1] = offsets[i] + sizes[i];
  uint8_t *data = calloc(1, (size_t)offsets[N]);
  if (data == NULL) abort();
  blake2_simd_params_init(&params, 16, NULL, 0);
  blake2_simd_prefixes *prefixes = NULL;
  for (int asked = 0; prefixes == NULL; asked++) {
    int left = asked;
    prefixes = blake2_simd_prefixes_until(&params, data, offsets, N, give_up, &left);
    check((prefixes == NULL) == (asked < N), "give up", (size_t)asked, 0);
  }
  const uint32_t *order = blake2_simd_prefixes_order(prefixes);
  for (size_t i = 1; i < N; i++)
    check(sizes[order[i - 1]] < sizes[order[i]] ||
              (sizes[order[i - 1]] == sizes[order[i]] && order[i - 1] < order[i]),
          "order of sizes", i, order[i]);
  blake2_simd_prefixes_free(prefixes);
  free(data);
}

int main(int argc, char **argv) {
  static const char *const names[] = {"portable", "avx2", "avx512", "neon"};
  const blake2_simd *list[BLAKE2_SIMD_ISA_MAX];
  const size_t available = blake2_simd_available(list);
  uint8_t key[32];
  impl = list[available - 1];
  test_active();
  if (argc > 1 && strcmp(argv[1], "active") == 0) return 0;
  for (size_t i = 0; i < sizeof key; i++) key[i] = (uint8_t)(i + 1);
  for (size_t i = 0; i < sizeof text; i++) text[i] = (uint8_t)random64();
  answers = allocate(LENGTHS * sizeof *answers);
  for (size_t key_size = 0; key_size <= sizeof key; key_size += sizeof key) {
    blake2_simd_params params;
    blake2_simd_params_init(&params, 16, key, key_size);
    make_answers(key, key_size);
    for (size_t i = 0; i < available; i++) {
      impl = list[i];
      test_many(&params);
      test_tile(&params);
      test_row(&params);
      test_long_suffixes(&params, key, key_size);
      test_groups(&params, key, key_size);
    }
  }
  free(answers);
  test_order();
  for (size_t i = 0; i < available; i++) {
    impl = list[i];
    test_abc();
    test_self_test();
    test_compress();
    test_sizes();
    test_room();
  }
  check(blake2_simd_find("sse9") == NULL && blake2_simd_find("") == NULL, "find", 0, 0);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    printf("%s: %s\n", names[i],
           blake2_simd_find(names[i]) != NULL ? "tested" : "not available here, not tested");
  printf("%lu checks passed\n", checks);
  return 0;
}
