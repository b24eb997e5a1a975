/* Rankings, scores, columns and node checks, on every instruction set that this processor can run,
 * against the reference BLAKE2b and a plain sort. Python's suite covers more; this one runs where
 * there is no Python: under sanitizers, on emulated processors, on the other byte order. */

#include "../rvh_kernels_impl.h"
#include "reference.h"

#include <stdio.h>
#include <stdlib.h>

enum { NODES = 70, KEYS = 150, KEY_MAX = 200 };

static const rvh_isa *isa; /* the one under test */
static unsigned long checks;

static void check(int ok, const char *what, size_t a, size_t b) {
  checks++;
  if (ok) return;
  fprintf(stderr, "FAILED %s: %s (%zu, %zu)\n", isa ? isa->hash->name : "", what, a, b);
  exit(1);
}

static void *allocate(size_t size) {
  void *p = malloc(size > 0 ? size : 1);
  if (p == NULL) abort();
  return p;
}

static uint64_t random_state = 7;
static uint64_t random64(void) { /* SplitMix64; the seed is fixed, so a failure repeats */
  uint64_t z = random_state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

/* ---- nodes and keys ----------------------------------------------------------------------- */

static uint8_t ids[NODES * 300];
static uint64_t id_offsets[NODES + 1];

/* Ids of 1 to 3 bytes, then some around one and two blocks, in no order of length. */
static void make_ids(void) {
  static const size_t sizes[] = {2, 127, 3, 128, 1, 129, 256, 40, 255};
  for (size_t i = 0; i < NODES; i++) {
    size_t size = i < 9 ? sizes[i] : 2 + i % 2;
    uint8_t *id = ids + id_offsets[i];
    id_offsets[i + 1] = id_offsets[i] + size;
    memset(id, 'x', size);
    id[size - 1] = (uint8_t)(i + 1); /* what makes it unique */
  }
}

static rvh_nodes *make_nodes(void) {
  rvh_nodes *nodes;
  size_t bad[2];
  check(rvh_nodes_new(&nodes, ids, id_offsets, NODES, NULL, 0, bad) == RVH_OK, "nodes", 0, 0);
  return nodes;
}

static int id_order(size_t a, size_t b) {
  size_t na = (size_t)(id_offsets[a + 1] - id_offsets[a]);
  size_t nb = (size_t)(id_offsets[b + 1] - id_offsets[b]);
  int order = memcmp(ids + id_offsets[a], ids + id_offsets[b], na < nb ? na : nb);
  return order != 0 ? order : (na > nb) - (na < nb);
}

/* The contract's ranking by selection: indices of all nodes, best first. */
static void plain_ranking(const uint64_t *scores, size_t *ranking) {
  for (size_t i = 0; i < NODES; i++) {
    size_t j = i;
    for (; j > 0; j--) {
      const uint64_t *a = scores + 2 * i, *b = scores + 2 * ranking[j - 1];
      int worse = a[0] != b[0]   ? a[0] < b[0]
                  : a[1] != b[1] ? a[1] < b[1]
                                 : id_order(i, ranking[j - 1]) < 0;
      if (worse) break;
      ranking[j] = ranking[j - 1];
    }
    ranking[j] = i;
  }
}

static void reference_score(const uint8_t *key, size_t size, size_t node, uint64_t score[2]) {
  reference_state s;
  uint8_t digest[16];
  reference_init(&s, 16, NULL, 0);
  reference_update(&s, ids + id_offsets[node], (size_t)(id_offsets[node + 1] - id_offsets[node]));
  reference_update(&s, key, size);
  reference_final(&s, digest);
  for (int w = 0; w < 2; w++) {
    score[w] = 0;
    for (int i = 0; i < 8; i++) score[w] = score[w] << 8 | digest[8 * w + i];
  }
}

/* ---- tests -------------------------------------------------------------------------------- */

/* Rows of a column against the reference scores of the bytes that they stand for. */
static void check_column(const char *what, const rvh_nodes *nodes, const rvh_column *column,
                         const uint8_t (*bytes)[KEY_MAX], const size_t *sizes, size_t n) {
  static const size_t ks[] = {1, 2, 3, 4, 10, 16, 17, 40, NODES};
  uint64_t *expected = allocate(n * NODES * 2 * 8), *scores = allocate(n * NODES * 2 * 8);
  intptr_t *chosen = allocate(n * NODES * sizeof *chosen);
  size_t ranking[NODES], bad = 0;
  for (size_t i = 0; i < n; i++)
    for (size_t node = 0; node < NODES; node++)
      reference_score(bytes[i], sizes[i], node, expected + 2 * (i * NODES + node));
  check(rvh_scores(isa, nodes, column, 0, n, scores, NULL, &bad) == RVH_OK, what, 0, 0);
  check(memcmp(scores, expected, n * NODES * 2 * 8) == 0, what, 0, 1);
  for (size_t q = 0; q < sizeof ks / sizeof *ks; q++) {
    const size_t k = ks[q], start = n / 3; /* rows from the middle of the column too */
    check(rvh_argselect(isa, nodes, column, start, n, k, chosen, NULL, &bad) == RVH_OK, what, k, 0);
    for (size_t i = start; i < n; i++) {
      plain_ranking(expected + 2 * i * NODES, ranking);
      for (size_t j = 0; j < k; j++)
        check(chosen[(i - start) * k + j] == (intptr_t)ranking[j], what, i, k);
      blake2_simd_bytes key = {bytes[i], sizes[i]};
      intptr_t one[NODES];
      check(rvh_select_one(isa, nodes, key, k, one, NULL) == RVH_OK, what, i, k);
      check(memcmp(one, chosen + (i - start) * k, k * sizeof *one) == 0, what, i, k);
    }
  }
  free(expected);
  free(scores);
  free(chosen);
}

static uint8_t key_bytes[KEYS][KEY_MAX];
static size_t key_sizes[KEYS];

static void test_offsets(const rvh_nodes *nodes) {
  uint64_t offsets[KEYS + 1] = {0};
  size_t total = 0;
  for (size_t i = 0; i < KEYS; i++) {
    key_sizes[i] = (size_t)(random64() % KEY_MAX) / (i % 5 + 1);
    offsets[i + 1] = offsets[i] + key_sizes[i];
    for (size_t b = 0; b < key_sizes[i]; b++) key_bytes[i][b] = (uint8_t)random64();
  }
  uint8_t *data = allocate((size_t)offsets[KEYS]);
  for (size_t i = 0; i < KEYS; i++, total += key_sizes[i - 1])
    memcpy(data + total, key_bytes[i], key_sizes[i]);
  const rvh_column column = {.layout = RVH_OFFSETS, .data = data, .offsets = offsets};
  check_column("offsets", nodes, &column, (const uint8_t (*)[KEY_MAX])key_bytes, key_sizes, KEYS);
  free(data);
}

/* Padding is cut at the end only, at any stride, also backwards. */
static void test_padded(const rvh_nodes *nodes) {
  enum { SIZE = 21, STRIDE = 29 };
  uint8_t *data = allocate(KEYS * STRIDE);
  memset(data, 0xff, KEYS * STRIDE);
  for (size_t i = 0; i < KEYS; i++) {
    uint8_t *element = data + (KEYS - 1 - i) * STRIDE;
    key_sizes[i] = i % (SIZE + 1);
    memset(element, 0, SIZE);
    for (size_t b = 0; b < key_sizes[i]; b++)
      element[b] = key_bytes[i][b] = b % 3 == 1 && b + 1 < key_sizes[i] ? 0 : (uint8_t)(1 + b + i);
  }
  const rvh_column column = {.layout = RVH_PADDED,
                             .data = data + (KEYS - 1) * STRIDE,
                             .stride = -STRIDE,
                             .itemsize = SIZE};
  check_column("padded", nodes, &column, (const uint8_t (*)[KEY_MAX])key_bytes, key_sizes, KEYS);
  free(data);
}

static void put32(uint8_t *p, uint32_t x, int swapped) {
  uint8_t native[4];
  memcpy(native, &x, 4);
  for (int i = 0; i < 4; i++) p[i] = native[swapped ? 3 - i : i];
}

static void test_ucs4(const rvh_nodes *nodes) {
  static const uint32_t points[] = {'a',    0x7f,   0x80,   0x7ff,   0x800,
                                    0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff};
  static const char *const utf8[] = {"a",
                                     "\x7f",
                                     "\xc2\x80",
                                     "\xdf\xbf",
                                     "\xe0\xa0\x80",
                                     "\xed\x9f\xbf",
                                     "\xee\x80\x80",
                                     "\xef\xbf\xbf",
                                     "\xf0\x90\x80\x80",
                                     "\xf4\x8f\xbf\xbf"};
  enum { CHARS = 9 };
  for (int swapped = 0; swapped < 2; swapped++) {
    uint8_t *data = allocate(KEYS * CHARS * 4 + 1);
    uint8_t *unaligned = data + 1;
    size_t bad = 99;
    memset(unaligned, 0, KEYS * CHARS * 4);
    for (size_t i = 0; i < KEYS; i++) {
      key_sizes[i] = 0;
      for (size_t c = 0; c < i % (CHARS + 1); c++) {
        size_t pick = (i + c) % 10;
        put32(unaligned + 4 * (i * CHARS + c), points[pick], swapped);
        memcpy(key_bytes[i] + key_sizes[i], utf8[pick], strlen(utf8[pick]));
        key_sizes[i] += strlen(utf8[pick]);
      }
    }
    const rvh_column column = {.layout = RVH_UCS4,
                               .data = unaligned,
                               .stride = CHARS * 4,
                               .itemsize = CHARS * 4,
                               .swapped = swapped};
    check_column("ucs4", nodes, &column, (const uint8_t (*)[KEY_MAX])key_bytes, key_sizes, KEYS);
    static const uint32_t wrong[] = {0xd800, 0xdfff, 0x110000, 0xffffffff};
    for (size_t w = 0; w < 4; w++) {
      intptr_t chosen[KEYS];
      put32(unaligned + 4 * (37 * CHARS), wrong[w], swapped);
      check(rvh_argselect(isa, nodes, &column, 5, KEYS, 1, chosen, NULL, &bad) == RVH_BAD_KEY &&
                bad == 37,
            "not text", w, bad);
    }
    free(data);
  }
}

static void test_integers(const rvh_nodes *nodes) {
  for (size_t size = 1; size <= 8; size *= 2)
    for (int is_signed = 0; is_signed < 2; is_signed++)
      for (int swapped = 0; swapped < 2; swapped++) {
        uint8_t data[64 * 8];
        for (size_t i = 0; i < 64; i++) {
          uint64_t bits = random64() >> (64 - 8 * size), value = bits;
          if (is_signed && size < 8 && bits >> (8 * size - 1)) value |= ~(uint64_t)0 << (8 * size);
          for (size_t b = 0; b < size; b++) {
            /* where byte b of significance stands: in this machine's order, or the other */
            const uint16_t one = 1;
            const int little = *(const uint8_t *)&one == 1;
            data[i * size + (little != swapped ? b : size - 1 - b)] = (uint8_t)(bits >> (8 * b));
          }
          key_sizes[i] = 8;
          for (int b = 0; b < 8; b++) key_bytes[i][b] = (uint8_t)(value >> (8 * b));
        }
        const rvh_column column = {.layout = RVH_INTEGERS,
                                   .data = data,
                                   .stride = (ptrdiff_t)size,
                                   .itemsize = size,
                                   .swapped = swapped,
                                   .is_signed = is_signed};
        check_column("integers", nodes, &column, (const uint8_t (*)[KEY_MAX])key_bytes, key_sizes,
                     64);
      }
}

/* Scores with ties in either word, in both, and at the ends of the range. */
static void test_ties(const rvh_nodes *nodes) {
  enum { ROWS = 50 };
  uint64_t *scores = allocate(ROWS * NODES * 2 * 8);
  intptr_t *chosen = allocate(ROWS * NODES * sizeof *chosen);
  size_t ranking[NODES];
  for (size_t i = 0; i < ROWS * NODES; i++) {
    const uint64_t few[4] = {0, 1, (uint64_t)1 << 63, ~(uint64_t)0};
    scores[2 * i] = i / NODES % 3 == 0 ? random64() : few[random64() % 4];
    scores[2 * i + 1] = i / NODES % 3 == 1 ? random64() : few[random64() % 2];
    if (i / NODES == 7) scores[2 * i] = scores[2 * i + 1] = 0; /* all equal, and the lowest */
  }
  for (size_t k = 1; k <= NODES; k++) {
    check(rvh_rank_scores(isa, nodes, scores, ROWS, k, chosen) == RVH_OK, "ties", k, 0);
    for (size_t row = 0; row < ROWS; row++) {
      plain_ranking(scores + 2 * row * NODES, ranking);
      for (size_t j = 0; j < k; j++)
        check(chosen[row * k + j] == (intptr_t)ranking[j], "ties", row, k);
    }
  }
  free(scores);
  free(chosen);
}

static void test_bad_ids(void) {
  rvh_nodes *nodes;
  size_t bad[2] = {9, 9};
  const uint8_t *text = (const uint8_t *)"abcabcab";
  const uint64_t empty[] = {0, 3, 3, 6}, twice[] = {0, 1, 3, 6, 8};
  check(rvh_nodes_new(&nodes, text, empty, 3, NULL, 0, bad) == RVH_EMPTY_ID && bad[0] == 1,
        "empty id", bad[0], 0);
  check(rvh_nodes_new(&nodes, text, twice, 4, NULL, 0, bad) == RVH_OK, "unique", 0, 0);
  rvh_nodes_free(nodes);
  text = (const uint8_t *)"xyabxyab";
  const uint64_t pairs[] = {0, 2, 4, 6, 8};
  check(rvh_nodes_new(&nodes, text, pairs, 4, NULL, 0, bad) == RVH_DUPLICATE_ID && bad[0] == 0 &&
            bad[1] == 2,
        "the first duplicate", bad[0], bad[1]);
}

/* ---- buckets ------------------------------------------------------------------------------ */

/* Jump hash as Lamping and Veach print it. */
static uint64_t plain_jump(uint64_t key, uint64_t buckets) {
  int64_t b = -1, j = 0;
  while (j < (int64_t)buckets) {
    b = j;
    key = key * 2862933555777941757u + 1;
    j = (int64_t)((double)(b + 1) * ((double)((int64_t)1 << 31) / (double)((key >> 33) + 1)));
  }
  return (uint64_t)b;
}

static uint64_t mixed(uint64_t z) {
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

/* JumpBackHash as the paper describes it, bit by bit. */
static uint64_t plain_jumpback(uint64_t key, uint64_t buckets) {
  uint64_t all = 1, bits;
  while (all < buckets) all *= 2;
  uint64_t v = mixed(key += 0x9e3779b97f4a7c15u);
  for (bits = (v ^ v >> 32) & (all - 1); bits != 0;) {
    uint64_t q = (uint64_t)1 << 32;
    unsigned set = 0;
    while ((bits & q) == 0) q /= 2;
    for (uint64_t left = bits; left != 0; left &= left - 1) set++;
    uint64_t b = q + ((v >> 32 * (set % 2)) & (q - 1));
    while (b >= q) {
      if (b < buckets) return b;
      const uint64_t w = mixed(key += 0x9e3779b97f4a7c15u);
      b = w & (2 * q - 1);
      if (b >= buckets) b = w >> 32 & (2 * q - 1);
    }
    bits ^= q;
  }
  return 0;
}

static const uint32_t bucket_counts[] = {
    1,          2,         3,    4,    5,    10,    31,    32,      33,       127,
    128,        129,       1000, 1024, 1025, 65535, 65537, 1000000, 1u << 30, (1u << 30) + 1,
    2147483646, 2147483647};

/* Rows of a column of words, any number of them from any row on. */
static void test_buckets(void) {
  enum { WORDS = 2100 };
  static const size_t runs[][2] = {{0, 0}, {0, 1}, {3, 4}, {5, 37}, {1, 1025}, {0, WORDS}};
  static uint64_t words[WORDS];
  static intptr_t out[WORDS];
  const rvh_column column = {
      .layout = RVH_INTEGERS, .data = (const uint8_t *)words, .stride = 8, .itemsize = 8};
  for (size_t i = 0; i < WORDS; i++)
    words[i] = i < 40 ? i - 20 : i < 104 ? (uint64_t)1 << (i - 40) : random64();
  for (size_t c = 0; c < sizeof bucket_counts / sizeof *bucket_counts; c++) {
    const uint32_t buckets = bucket_counts[c];
    for (size_t r = 0; r < sizeof runs / sizeof *runs; r++) {
      const size_t start = runs[r][0], stop = runs[r][1];
      check(rvh_jump(isa, &column, start, stop, buckets, 1, out, NULL) == RVH_OK, "jump", c, r);
      for (size_t i = start; i < stop; i++)
        check((uint64_t)out[i - start] == plain_jump(words[i], buckets), "jump", buckets, i);
      check(rvh_jumpback(isa, &column, start, stop, buckets, out, NULL) == RVH_OK, "back", c, r);
      for (size_t i = start; i < stop; i++)
        check((uint64_t)out[i - start] == plain_jumpback(words[i], buckets), "back", buckets, i);
    }
  }
}

/* Distinct buckets: the rule, one attempt after another. */
static void test_distinct_buckets(void) {
  enum { WORDS = 70, MOST = 1500 };
  static const uint32_t counts[] = {1, 2, 3, 9, 100, 1100, MOST, 1000000};
  static const size_t ks[] = {1, 2, 3, 9, 100, 1100, MOST};
  static uint64_t words[WORDS];
  static intptr_t out[WORDS * MOST], expected[MOST];
  const rvh_column column = {
      .layout = RVH_INTEGERS, .data = (const uint8_t *)words, .stride = 8, .itemsize = 8};
  for (size_t i = 0; i < WORDS; i++) words[i] = random64();
  for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
    for (size_t q = 0; q < sizeof ks / sizeof *ks && ks[q] <= counts[c]; q++) {
      const size_t k = ks[q], start = 1, stop = k > 100 ? 4 : WORDS;
      check(rvh_jump(isa, &column, start, stop, counts[c], k, out, NULL) == RVH_OK, "k", c, k);
      for (size_t i = start; i < stop; i++) {
        size_t filled = 0;
        for (uint64_t attempt = 0; filled < k; attempt++) {
          const uint64_t word = words[i] + attempt * 0x9e3779b97f4a7c15u;
          const uint64_t b = plain_jump(attempt == 0 ? word : mixed(word), counts[c]);
          size_t j = 0;
          while (j < filled && (uint64_t)expected[j] != b) j++;
          if (j == filled) expected[filled++] = (intptr_t)b;
        }
        check(memcmp(out + (i - start) * k, expected, k * sizeof *out) == 0, "k", counts[c], k);
      }
    }
}

/* Integers of every size, sign and byte order, backwards and unaligned, as 64 bits. */
static void test_words_of_integers(void) {
  enum { ROWS = 50, STEP = 11 };
  for (size_t size = 1; size <= 8; size *= 2)
    for (int kind = 0; kind < 4; kind++) {
      const int is_signed = kind % 2, swapped = kind / 2;
      uint8_t data[ROWS * STEP + 1];
      intptr_t out[ROWS];
      uint64_t values[ROWS];
      for (size_t i = 0; i < ROWS; i++) {
        const uint64_t bits = random64() >> (64 - 8 * size);
        const uint16_t one = 1;
        const int little = *(const uint8_t *)&one == 1;
        values[i] = bits;
        if (is_signed && size < 8 && bits >> (8 * size - 1))
          values[i] |= ~(uint64_t)0 << (8 * size);
        for (size_t b = 0; b < size; b++)
          data[1 + (ROWS - 1 - i) * STEP + (little != swapped ? b : size - 1 - b)] =
              (uint8_t)(bits >> (8 * b));
      }
      const rvh_column column = {.layout = RVH_INTEGERS,
                                 .data = data + 1 + (ROWS - 1) * STEP,
                                 .stride = -STEP,
                                 .itemsize = size,
                                 .swapped = swapped,
                                 .is_signed = is_signed};
      check(rvh_jump(isa, &column, 0, ROWS, 1000, 1, out, NULL) == RVH_OK, "integers", size, 0);
      for (size_t i = 0; i < ROWS; i++)
        check((uint64_t)out[i] == plain_jump(values[i], 1000), "integers as words", size, i);
    }
}

/* The word of a key that is no integer: its digest without a node. */
static void test_key_words(void) {
  enum { ROWS = 60, LONGEST = 1300 };
  static uint8_t data[ROWS * LONGEST];
  uint64_t offsets[ROWS + 1] = {0}, words[ROWS];
  size_t bad;
  for (size_t i = 0; i < ROWS; i++) {
    const size_t size = i % 7 == 0 ? (size_t)(random64() % LONGEST) : i % 5 * 9;
    offsets[i + 1] = offsets[i] + size;
    for (size_t b = 0; b < size; b++) data[offsets[i] + b] = (uint8_t)random64();
  }
  const rvh_column column = {.layout = RVH_OFFSETS, .data = data, .offsets = offsets};
  for (size_t start = 0; start < ROWS; start += 29) {
    check(rvh_key_words(isa, &column, start, ROWS, words, NULL, &bad) == RVH_OK, "words", 0, 0);
    for (size_t i = start; i < ROWS; i++) {
      reference_state s;
      uint8_t digest[16];
      uint64_t word = 0;
      reference_init(&s, 16, NULL, 0);
      reference_update(&s, data + offsets[i], (size_t)(offsets[i + 1] - offsets[i]));
      reference_final(&s, digest);
      for (int b = 0; b < 8; b++) word = word << 8 | digest[b];
      check(words[i - start] == word, "words", start, i);
    }
  }
}

static int stop_at_once(void *context) {
  ++*(int *)context;
  return 1;
}

static void test_stop(const rvh_nodes *nodes) {
  int asked = 0;
  rvh_poll poll = {stop_at_once, &asked, 0};
  intptr_t chosen[1];
  const blake2_simd_bytes key = {ids, 3};
  check(rvh_select_one(isa, nodes, key, 1, chosen, &poll) == RVH_STOPPED && asked == 1, "stop", 0,
        0);
  const rvh_column words = {.layout = RVH_INTEGERS, .data = ids, .stride = 8, .itemsize = 8};
  intptr_t out[3];
  poll.left = 0;
  check(rvh_jump(isa, &words, 0, 1, 9, 1, out, &poll) == RVH_STOPPED && asked == 2, "stop", 1, 0);
  poll.left = 0;
  check(rvh_jump(isa, &words, 0, 1, 9, 3, out, &poll) == RVH_STOPPED && asked == 3, "stop", 2, 0);
  poll.left = 0;
  check(rvh_jumpback(isa, &words, 0, 1, 9, out, &poll) == RVH_STOPPED && asked == 4, "stop", 3, 0);
}

int main(void) {
  static const rvh_isa sets[] = {
      {&blake2_simd_portable, rvh_topk_portable, rvh_jump_portable, rvh_jumpback_portable},
#if defined(BLAKE2_SIMD_X86)
      {&blake2_simd_avx2, rvh_topk_avx2, rvh_jump_avx2, rvh_jumpback_avx2},
      {&blake2_simd_avx512, rvh_topk_avx512, rvh_jump_avx512, rvh_jumpback_avx512},
#elif defined(BLAKE2_SIMD_ARM64)
      {&blake2_simd_neon, rvh_topk_neon, rvh_jump_neon, rvh_jumpback_neon},
#endif
  };
  make_ids();
  test_bad_ids();
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
    isa = &sets[i];
    if (blake2_simd_find(isa->hash->name) == NULL) {
      printf("%s: not available here, not tested\n", isa->hash->name);
      continue;
    }
    rvh_nodes *nodes = make_nodes();
    test_offsets(nodes);
    test_padded(nodes);
    test_ucs4(nodes);
    test_integers(nodes);
    test_ties(nodes);
    test_stop(nodes);
    test_buckets();
    test_distinct_buckets();
    test_words_of_integers();
    test_key_words();
    rvh_nodes_free(nodes);
    printf("%s: tested\n", isa->hash->name);
  }
  printf("%lu checks passed\n", checks);
  return 0;
}
