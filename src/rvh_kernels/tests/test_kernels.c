/* Rankings, scores, columns and node checks, on every instruction set that this processor can run,
 * against the reference BLAKE2b and a plain sort. Python's suite covers more; this one runs where
 * there is no Python: under sanitizers, on emulated processors, on the other byte order. */

#include "../murmur.h"
#include "../rvh_kernels_impl.h"
#include "plain.h"

#include <math.h>

#include <stdio.h>
#include <stdlib.h>

#define NEG_LOG_SUM 0xedd0f6fca569fe7fu

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

/* The nodes in a scheme, weighted or not. */
typedef struct {
  const char *name;
  rvh_scheme scheme;
  int weighted;
  rvh_nodes *nodes;
  size_t ranked; /* nodes that can be selected */
} node_set;

static node_set sets[] = {{.name = "blake2b", .scheme = RVH_BLAKE2B},
                          {.name = "blake2b weighted", .scheme = RVH_BLAKE2B, .weighted = 1},
                          {.name = "murmur", .scheme = RVH_MURMUR},
                          {.name = "murmur weighted", .scheme = RVH_MURMUR, .weighted = 1}};
enum { SETS = sizeof sets / sizeof *sets };

/* Zeros, equal ones, and the least there is. */
static double weight_of(size_t node) {
  if (node == 5) return 0x1p-1016;
  return node % 9 == 3 ? 0 : node % 4 == 0 ? 1 : 0.25 + (double)node / 7;
}

static void make_nodes(node_set *s) {
  double weights[NODES];
  size_t bad[2];
  s->ranked = 0;
  for (size_t i = 0; i < NODES; i++) {
    weights[i] = weight_of(i);
    s->ranked += !s->weighted || weights[i] > 0;
  }
  check(rvh_nodes_new(&s->nodes, s->scheme, ids, id_offsets, NODES, s->weighted ? weights : NULL,
                      NULL, 0, NULL, bad) == RVH_OK,
        "nodes", 0, 0);
}

static int id_order(size_t a, size_t b) {
  size_t na = (size_t)(id_offsets[a + 1] - id_offsets[a]);
  size_t nb = (size_t)(id_offsets[b + 1] - id_offsets[b]);
  int order = memcmp(ids + id_offsets[a], ids + id_offsets[b], na < nb ? na : nb);
  return order != 0 ? order : (na > nb) - (na < nb);
}

/* ---- rankings by the contract ------------------------------------------------------------- */

static plain_rank rank_of(const node_set *s, uint64_t hi, uint64_t lo, size_t node) {
  return (plain_rank){{s->weighted ? plain_weighted(s->scheme, hi, weight_of(node)) : 0, hi, lo}};
}

static int by_rank(const plain_rank *ranks, size_t a, size_t b) {
  for (int w = 0; w < 3; w++)
    if (ranks[a].word[w] != ranks[b].word[w]) return ranks[a].word[w] > ranks[b].word[w] ? 1 : -1;
  return id_order(a, b);
}

/* The contract's ranking by selection: indices of the nodes that can be selected, best first. */
static void plain_ranking(const node_set *s, const plain_rank *ranks, size_t *ranking) {
  size_t n = 0;
  for (size_t i = 0; i < NODES; i++) {
    if (s->weighted && weight_of(i) == 0) continue;
    size_t j = n++;
    for (; j > 0 && by_rank(ranks, i, ranking[j - 1]) > 0; j--) ranking[j] = ranking[j - 1];
    ranking[j] = i;
  }
}

static plain_rank reference_score(const node_set *s, const uint8_t *key, size_t size, size_t node) {
  const uint8_t *id = ids + id_offsets[node];
  const size_t id_size = (size_t)(id_offsets[node + 1] - id_offsets[node]);
  const double weight = weight_of(node);
  return plain_score(s->scheme, (blake2_simd_bytes){NULL, 0}, (blake2_simd_bytes){id, id_size},
                     (blake2_simd_bytes){key, size}, s->weighted ? &weight : NULL);
}

/* ---- tests -------------------------------------------------------------------------------- */

/* Rows of a column against the reference scores of the bytes that they stand for. */
static void check_set(const char *what, const node_set *s, const rvh_column *column,
                      const uint8_t (*bytes)[KEY_MAX], const size_t *sizes, size_t n) {
  static const size_t ks[] = {1, 2, 3, 4, 10, 16, 17, 40, NODES};
  const size_t words = rvh_score_words(s->nodes);
  plain_rank *expected = allocate(n * NODES * sizeof *expected);
  uint64_t *scores = allocate(n * NODES * words * 8), *ranked = allocate(n * NODES * 8);
  intptr_t *chosen = allocate(n * NODES * sizeof *chosen);
  size_t ranking[NODES], bad = 0;
  check(words == (s->scheme == RVH_BLAKE2B && !s->weighted ? 2 : 1), what, words, 0);
  for (size_t i = 0; i < n; i++)
    for (size_t node = 0; node < NODES; node++)
      expected[i * NODES + node] = reference_score(s, bytes[i], sizes[i], node);
  check(rvh_scores(isa, s->nodes, column, 0, n, scores, NULL, &bad) == RVH_OK, what, 0, 0);
  for (size_t i = 0; i < n * NODES; i++)
    for (size_t w = 0; w < words; w++)
      check(scores[words * i + w] == expected[i].word[s->weighted ? 0 : 1 + w], what, i, w);
  for (size_t q = 0; q < sizeof ks / sizeof *ks; q++) {
    const size_t k = ks[q] < s->ranked ? ks[q] : s->ranked;
    const size_t start = n / 3; /* rows from the middle of the column too */
    check(rvh_argselect(isa, s->nodes, column, start, n, k, chosen, ranked, NULL, &bad) == RVH_OK,
          what, k, 0);
    for (size_t i = start; i < n; i++) {
      plain_ranking(s, expected + i * NODES, ranking);
      for (size_t j = 0; j < k; j++) {
        const size_t at = (i - start) * k + j;
        check(chosen[at] == (intptr_t)ranking[j], what, i, k);
        check(ranked[at] == expected[i * NODES + ranking[j]].word[s->weighted ? 0 : 1], what, i, k);
      }
      blake2_simd_bytes key = {bytes[i], sizes[i]};
      intptr_t one[NODES];
      check(rvh_select_one(isa, s->nodes, key, k, one, NULL) == RVH_OK, what, i, k);
      check(memcmp(one, chosen + (i - start) * k, k * sizeof *one) == 0, what, i, k);
    }
  }
  free(expected);
  free(scores);
  free(ranked);
  free(chosen);
}

/* The bytes of a distinct key. */
static blake2_simd_bytes distinct_key(const rvh_distinct *d, size_t code) {
  const uint64_t *offsets = (const uint64_t *)(const void *)d->offsets.data;
  check(code < d->count, "code", code, d->count);
  return (blake2_simd_bytes){d->bytes.data + offsets[code],
                             (size_t)(offsets[code + 1] - offsets[code])};
}

static int same_bytes(blake2_simd_bytes key, const uint8_t *bytes, size_t size) {
  return key.size == size && (size == 0 || memcmp(key.data, bytes, size) == 0);
}

/* The column twice, in pieces: numbers in order of first appearance, and again the same. */
static void check_distinct(const char *what, const rvh_column *column,
                           const uint8_t (*bytes)[KEY_MAX], const size_t *sizes, size_t n) {
  uint32_t codes[2 * KEYS];
  size_t bad = 0, count = 0;
  rvh_distinct d = {0};
  check(rvh_distinct_add(&d, column, 0, n / 3, codes, NULL, &bad) == RVH_OK &&
            rvh_distinct_add(&d, column, n / 3, n - n / 3, codes + n / 3, NULL, &bad) == RVH_OK &&
            rvh_distinct_add(&d, column, 0, n, codes + n, NULL, &bad) == RVH_OK,
        what, 0, 0);
  for (size_t i = 0; i < 2 * n; i++) {
    size_t first = 0;
    while (sizes[first] != sizes[i % n] || memcmp(bytes[first], bytes[i % n], sizes[first]) != 0)
      first++;
    check(codes[i] == (first == i ? count : codes[first]), what, i, first);
    count += first == i;
    check(same_bytes(distinct_key(&d, codes[i]), bytes[i % n], sizes[i % n]), what, i, codes[i]);
  }
  check(d.count == count, what, d.count, count);
  rvh_distinct_free(&d);
}

static void check_column(const char *what, const rvh_column *column,
                         const uint8_t (*bytes)[KEY_MAX], const size_t *sizes, size_t n) {
  check_distinct(what, column, bytes, sizes, n);
  for (size_t i = 0; i < SETS; i++) check_set(what, &sets[i], column, bytes, sizes, n);
}

static uint8_t key_bytes[KEYS][KEY_MAX];
static size_t key_sizes[KEYS];

static void put32(uint8_t *p, uint32_t x, int swapped) {
  uint8_t native[4];
  memcpy(native, &x, 4);
  for (int i = 0; i < 4; i++) p[i] = native[swapped ? 3 - i : i];
}

static void test_offsets(void) {
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
  const rvh_column column = {
      .layout = RVH_OFFSETS, .data = data, .offsets = offsets, .offset_size = 8};
  check_column("offsets", &column, (const uint8_t (*)[KEY_MAX])key_bytes, key_sizes, KEYS);
  free(data);
}

/* Offsets of 32 bits, and every other element of twice as many: those between are not read. */
static void test_rows(void) {
  static uint32_t offsets[2 * KEYS + 1];
  static int64_t rows[KEYS];
  uint8_t *data = allocate(2 * KEYS * KEY_MAX);
  for (size_t i = 0; i < 2 * KEYS; i++) {
    const size_t size = i % 2 == 0 ? 3 : i % KEY_MAX;
    if (i % 2 == 1) key_sizes[i / 2] = size;
    offsets[i + 1] = offsets[i] + (uint32_t)size;
    for (size_t b = 0; b < size; b++) {
      data[offsets[i] + b] = (uint8_t)random64();
      if (i % 2 == 1) key_bytes[i / 2][b] = data[offsets[i] + b];
    }
    if (i % 2 == 1) rows[i / 2] = (int64_t)i;
  }
  const rvh_column column = {.layout = RVH_OFFSETS,
                             .data = data,
                             .offsets = offsets,
                             .offset_size = sizeof *offsets,
                             .rows = rows};
  check_column("rows", &column, (const uint8_t (*)[KEY_MAX])key_bytes, key_sizes, KEYS);
  free(data);
}

/* Nothing is cut from an element of fixed size, and one of no bytes is a key. */
static void test_fixed(void) {
  for (size_t size = 0; size <= 20; size += 10) {
    uint8_t *data = allocate(KEYS * size + 1);
    for (size_t i = 0; i < KEYS; i++) {
      key_sizes[i] = size;
      for (size_t b = 0; b < size; b++)
        data[i * size + b] = key_bytes[i][b] = b % 4 == 1 ? 0 : (uint8_t)random64();
    }
    const rvh_column column = {
        .layout = RVH_FIXED, .data = data, .stride = (ptrdiff_t)size, .itemsize = size};
    check_column("fixed", &column, (const uint8_t (*)[KEY_MAX])key_bytes, key_sizes, KEYS);
    free(data);
  }
}

static void put_view(uint8_t *view, uint32_t size, uint32_t buffer, uint32_t at) {
  put32(view, size, 0);
  put32(view + 8, buffer, 0);
  put32(view + 12, at, 0);
}

/* Views: elements of up to 12 bytes in place, others in one of two buffers; and broken ones. */
static void test_views(void) {
  uint8_t *views = allocate(KEYS * 16), *data[2] = {allocate(KEYS * KEY_MAX), allocate(KEYS)};
  uint64_t sizes[2] = {0, KEYS}, buffers[2] = {(uintptr_t)data[0], (uintptr_t)data[1]};
  for (size_t b = 0; b < KEYS; b++) data[1][b] = (uint8_t)random64();
  for (size_t i = 0; i < KEYS; i++) {
    const size_t size = key_sizes[i] = i % 40;
    uint8_t *view = views + 16 * i;
    for (size_t b = 0; b < size; b++) key_bytes[i][b] = (uint8_t)random64();
    if (size <= 12) {
      memset(view, 0, 16);
      put32(view, (uint32_t)size, 0);
      memcpy(view + 4, key_bytes[i], size);
    } else if (i % 2 == 0) {
      put_view(view, (uint32_t)size, 0, (uint32_t)sizes[0]);
      memcpy(data[0] + sizes[0], key_bytes[i], size);
      sizes[0] += size;
    } else {
      put_view(view, (uint32_t)size, 1, (uint32_t)(KEYS - size)); /* up to the buffer's end */
      memcpy(key_bytes[i], data[1] + KEYS - size, size);
    }
  }
  const rvh_column column = {.layout = RVH_VIEWS,
                             .data = views,
                             .stride = 16,
                             .itemsize = 16,
                             .buffers = buffers,
                             .sizes = sizes,
                             .buffer_count = 2};
  check_column("views", &column, (const uint8_t (*)[KEY_MAX])key_bytes, key_sizes, KEYS);
  static const uint32_t wrong[][3] = {
      {0x80000000, 0, 0}, {13, 2, 0},         {13, 0xffffffff, 0},         {13, 1, KEYS - 12},
      {13, 1, KEYS},      {0x7fffffff, 1, 0}, {0x7fffffff, 1, 0x7fffffff}, {13, 1, 0xffffffff}};
  for (size_t w = 0; w < sizeof wrong / sizeof *wrong; w++) {
    intptr_t chosen[KEYS];
    size_t bad = 99;
    put_view(views + 16 * 37, wrong[w][0], wrong[w][1], wrong[w][2]);
    check(rvh_argselect(isa, sets[0].nodes, &column, 5, KEYS, 1, chosen, NULL, NULL, &bad) ==
                  RVH_BAD_KEY &&
              bad == 37,
          "a broken view", w, bad);
  }
  free(views), free(data[0]), free(data[1]);
}

/* Padding is cut at the end only, at any stride, also backwards. */
static void test_padded(void) {
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
  check_column("padded", &column, (const uint8_t (*)[KEY_MAX])key_bytes, key_sizes, KEYS);
  free(data);
}

static void test_ucs4(void) {
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
    check_column("ucs4", &column, (const uint8_t (*)[KEY_MAX])key_bytes, key_sizes, KEYS);
    static const uint32_t wrong[] = {0xd800, 0xdfff, 0x110000, 0xffffffff};
    for (size_t w = 0; w < 4; w++) {
      intptr_t chosen[KEYS];
      put32(unaligned + 4 * (37 * CHARS), wrong[w], swapped);
      check(rvh_argselect(isa, sets[0].nodes, &column, 5, KEYS, 1, chosen, NULL, NULL, &bad) ==
                    RVH_BAD_KEY &&
                bad == 37,
            "not text", w, bad);
    }
    free(data);
  }
}

static void test_integers(void) {
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
        check_column("integers", &column, (const uint8_t (*)[KEY_MAX])key_bytes, key_sizes, 64);
      }
}

/* Scores with ties in either word, in both, and at the ends of the range; with weights, words that
 * differ only in bits that no weighted score has. */
static void test_ties(const node_set *s) {
  enum { ROWS = 50 };
  const size_t words = s->scheme == RVH_BLAKE2B ? 2 : 1;
  uint64_t *scores = allocate(ROWS * NODES * 2 * 8);
  plain_rank *ranks = allocate(ROWS * NODES * sizeof *ranks);
  intptr_t *chosen = allocate(ROWS * NODES * sizeof *chosen);
  size_t ranking[NODES];
  for (size_t i = 0; i < ROWS * NODES; i++) {
    const uint64_t few[6] = {
        0, 1, (uint64_t)1 << 63, (uint64_t)1 << 53, ~(uint64_t)0, ~(uint64_t)0 - 1};
    const size_t kind = i / NODES % 3;
    uint64_t hi = kind == 0 ? random64() : few[random64() % 6];
    uint64_t lo = kind == 1 ? random64() : few[random64() % 2];
    if (i / NODES == 7) hi = lo = 0; /* all equal, and the lowest */
    scores[words * i] = hi;
    if (words == 2) scores[2 * i + 1] = lo;
    ranks[i] = rank_of(s, hi, words == 2 ? lo : 0, i % NODES);
  }
  for (size_t k = 1; k <= s->ranked; k++) {
    check(rvh_rank_scores(isa, s->nodes, scores, ROWS, k, chosen) == RVH_OK, "ties", k, 0);
    for (size_t row = 0; row < ROWS; row++) {
      plain_ranking(s, ranks + row * NODES, ranking);
      for (size_t j = 0; j < k; j++)
        check(chosen[row * k + j] == (intptr_t)ranking[j], s->name, row, k);
    }
  }
  free(scores);
  free(ranks);
  free(chosen);
}

/* Many keys and nodes, so that runs of `murmur` are full, go through steps of nodes, and their
 * bounds meet now and then: the best by the scores that the same nodes give. */
static void test_many(const node_set *s) {
  enum { MANY = 1500, PART = 1021, N = 603 };
  static uint8_t names[2 * N];
  static uint64_t offsets[N + 1];
  static double weights[N];
  size_t bad[2];
  rvh_nodes *nodes;
  for (size_t i = 0; i < N; i++) {
    names[2 * i] = (uint8_t)(i % 255);
    names[2 * i + 1] = (uint8_t)(i / 255);
    offsets[i + 1] = 2 * (i + 1);
    weights[i] = (double)(i % 5);
  }
  check(rvh_nodes_new(&nodes, s->scheme, names, offsets, N, s->weighted ? weights : NULL, NULL, 0,
                      NULL, bad) == RVH_OK,
        "many", 0, 0);
  const size_t words = rvh_score_words(nodes);
  uint64_t *data = allocate(MANY * 8), *scores = allocate(MANY * N * words * 8);
  intptr_t *chosen = allocate(MANY * sizeof *chosen);
  for (size_t i = 0; i < MANY; i++) data[i] = random64();
  const rvh_column column = {
      .layout = RVH_INTEGERS, .data = (const uint8_t *)data, .stride = 8, .itemsize = 8};
  check(rvh_scores(isa, nodes, &column, 0, MANY, scores, NULL, bad) == RVH_OK, "many", 0, 0);
  check(rvh_argselect(isa, nodes, &column, 0, PART, 1, chosen, NULL, NULL, bad) == RVH_OK &&
            rvh_argselect(isa, nodes, &column, PART, MANY, 1, chosen + PART, NULL, NULL, bad) ==
                RVH_OK,
        "many", 0, 0);
  for (size_t i = 0; i < MANY; i++) {
    const uint64_t *row = scores + i * N * words;
    size_t best = 0; /* without ties, the first word decides */
    for (size_t node = 1; node < N; node++)
      if (row[words * node] > row[words * best]) best = node;
    check(chosen[i] == (intptr_t)best, s->name, i, best);
  }
  rvh_nodes_free(nodes);
  free(data);
  free(scores);
  free(chosen);
}

/* The best of nodes whose hashes are made up, so that many scores are equal: the first. Any numbers
 * of nodes and keys, and nodes in one strip, two, or one and what is left of another. */
static void check_best(size_t n, size_t keys) {
  uint64_t *node = allocate(n * sizeof *node), *hash = allocate((keys + RVH_BEST_GROUP_MAX) * 8);
  uint64_t *position = allocate((keys + RVH_BEST_GROUP_MAX) * 8);
  uint64_t *word = allocate((keys + RVH_BEST_GROUP_MAX) * 8);
  const rvh_nodes nodes = {.scheme = RVH_MURMUR, .n = n, .indices = n, .hash = node};
  const uint64_t distinct = 1 + random64() % (2 * n);
  for (size_t i = 0; i < n; i++) node[i] = plain_mixed(random64() % distinct);
  if (random64() % 4 == 0) node[random64() % n] = 0; /* with the hash 0, the score is 0 */
  for (size_t i = 0; i < keys + RVH_BEST_GROUP_MAX; i++) hash[i] = i % 5 == 4 ? 0 : random64();
  check(rvh_best_over(isa, &nodes, hash, keys, NULL, position, word) == RVH_OK, "best", n, keys);
  for (size_t i = 0; i < keys; i++) {
    size_t best = 0;
    uint64_t highest = 0;
    for (size_t j = 0; j < n; j++) {
      const uint64_t score = plain_murmur_pair(hash[i], node[j]);
      if (score > highest) best = j, highest = score;
    }
    check(position[i] == best && word[i] == highest, "best", n, i);
  }
  free(node), free(hash), free(position), free(word);
}

static void test_best(void) {
  static const size_t many[] = {255, 256, 300, 1024, 4095, 4096, 4097, 4098, 8193, 8194};
  for (size_t n = 1; n <= 130; n++) check_best(n, 1 + n * 7 % 80);
  for (size_t keys = 1; keys <= 80; keys++) check_best(1 + keys * 5 % 70, keys);
  for (size_t i = 0; i < sizeof many / sizeof *many; i++) check_best(many[i], 37);
}

/* Ranks with weights are bounds: below 2 (-ln u) / w, and nearly 2 d + d^2 over w. */
static void test_rank_bounds(void) {
  enum { ROWS = RVH_RANK_GROUP };
  static const double weights[] = {1, 3, 0x1p-1016, 0x1p970};
  uint64_t hash[2] = {random64(), random64()};
  BLAKE2_SIMD_ALIGNED(64) uint64_t rank[RVH_RANKS_MAX * RVH_RANK_RUN];
  BLAKE2_SIMD_ALIGNED(64) uint64_t keys[2 * ROWS];
  for (size_t q = 0; q < 4000; q++) {
    double weight[2] = {weights[q % 4], weights[q % 4]};
    double inverse[2] = {1 / weight[0] * (1 - 0x1p-48), 1 / weight[1] * (1 - 0x1p-48)};
    const rvh_nodes nodes = {.n = 2, .low = 1, .hash = hash, .weight = weight, .inverse = inverse};
    const rvh_ranking r = {&nodes, keys, ROWS, 1, rank};
    for (size_t l = 0; l < 2 * ROWS; l++) keys[l] = random64();
    isa->rank_nodes(&r, 0, 2);
    for (size_t l = 0; l < ROWS; l++)
      for (size_t j = 0; j < 2; j++) {
        const uint64_t bits = rank[j * RVH_RANK_RUN + l], bare = bits & ~(uint64_t)1;
        const uint64_t m = rvh_murmur_pair(keys[l], hash[bits & 1]) & (((uint64_t)1 << 53) - 1);
        const double d = (double)(((uint64_t)1 << 53) - m) * 0x1p-53;
        double bound;
        memcpy(&bound, &bare, 8);
        check(bound * weight[0] <= -2 * log1p(-d) * (1 + 0x1p-50), "bound", l, j);
        check(bound * weight[0] >= (2 * d + d * d) * (1 - 0x1p-45) - 0x1p-50, "bound", l, j);
      }
  }
}

/* The best few by ranks, whose positions take any number of bits, against whole scores. */
static void check_ranked(const node_set *s, size_t n, size_t rows, size_t most, int step) {
  uint8_t *names = allocate(2 * n);
  uint64_t *offsets = allocate((n + 1) * 8), *data = allocate(rows * 8),
           *scores = allocate(rows * n * 8);
  double *weights = allocate(n * sizeof *weights);
  intptr_t *chosen = allocate(rows * most * sizeof *chosen);
  rvh_nodes *nodes;
  size_t bad[2];
  offsets[0] = 0;
  for (size_t i = 0; i < n; i++) {
    names[2 * i] = (uint8_t)(i % 255);
    names[2 * i + 1] = (uint8_t)(i / 255);
    offsets[i + 1] = 2 * (i + 1);
    weights[i] = 1 + (double)(i % 3);
  }
  weights[0] = 1 + (double)n / 2; /* the last in position is often the best */
  for (size_t i = 0; i < rows; i++) data[i] = random64();
  check(rvh_nodes_new(&nodes, s->scheme, names, offsets, n, s->weighted ? weights : NULL, NULL, 0,
                      NULL, bad) == RVH_OK,
        "ranked", n, 0);
  const rvh_column column = {
      .layout = RVH_INTEGERS, .data = (const uint8_t *)data, .stride = 8, .itemsize = 8};
  check(rvh_scores(isa, nodes, &column, 0, rows, scores, NULL, bad) == RVH_OK, "ranked", n, 0);
  for (size_t i = 0; s->weighted && i < n; i++)
    check(nodes->inverse[i] * nodes->weight[i] < 1 - 0x1p-50, "inverse", n, i);
  for (int bits = 0; bits <= 60; bits += step) {
    nodes->low |= ((uint64_t)1 << bits) - 1;
    for (size_t k = 1; k <= most; k++) {
      check(rvh_argselect(isa, nodes, &column, 0, rows, k, chosen, NULL, NULL, bad) == RVH_OK,
            "ranked", n, k);
      for (size_t i = 0; i < rows; i++) {
        uint64_t above = UINT64_MAX; /* without ties, the scores alone decide */
        for (size_t j = 0; j < k; j++) {
          size_t best = n;
          for (size_t node = 0; node < n; node++)
            if (scores[i * n + node] < above &&
                (best == n || scores[i * n + node] > scores[i * n + best]))
              best = node;
          above = scores[i * n + best];
          check(chosen[i * k + j] == (intptr_t)best, s->name, i, k);
        }
      }
    }
  }
  rvh_nodes_free(nodes);
  free(names);
  free(offsets);
  free(data);
  free(scores);
  free(weights);
  free(chosen);
}

static void test_ranked(const node_set *s) {
  if (s->scheme != RVH_MURMUR) return;
  check_ranked(s, 3, 3000, 2, 4);
  check_ranked(s, 21, 150, 5, 2);
  for (size_t n = 4096; n < 4099; n++) check_ranked(s, n, 20, 2, 60); /* strips end here */
}

/* Replicas over nested domains, and with current ones that come first. */
static void test_spread(const node_set *s) {
  enum { ROWS = 40, HELD = 3 };
  static const size_t limits[][2] = {{1, 1}, {1, 2}, {2, 3}, {17, 20}, {NODES, NODES}};
  static const size_t ks[] = {1, 3, 5, 12, 16, 17, 40};
  static size_t rankings[ROWS][NODES];
  plain_rank ranks[NODES];
  uint32_t inner[NODES], outer[NODES];
  uint64_t data[ROWS];
  uint8_t bytes[ROWS][8];
  intptr_t current[ROWS * HELD], chosen[ROWS * NODES], expected[NODES];
  size_t bad;
  for (size_t i = 0; i < NODES; i++) {
    inner[i] = (uint32_t)(i * i % 13);
    outer[i] = inner[i] % 5;
  }
  for (size_t i = 0; i < ROWS; i++) {
    data[i] = random64();
    for (int b = 0; b < 8; b++) bytes[i][b] = (uint8_t)(data[i] >> (8 * b));
    for (size_t j = 0; j < HELD; j++) current[i * HELD + j] = (intptr_t)(random64() % NODES) - 1;
    for (size_t node = 0; node < NODES; node++) ranks[node] = reference_score(s, bytes[i], 8, node);
    plain_ranking(s, ranks, rankings[i]);
  }
  const rvh_column column = {
      .layout = RVH_INTEGERS, .data = (const uint8_t *)data, .stride = 8, .itemsize = 8};
  for (size_t q = 0; q < 5 * 7 * 3; q++) {
    const size_t k = ks[q % 7] < s->ranked ? ks[q % 7] : s->ranked, levels = q / 35;
    rvh_spread spread = {{{inner, 13, limits[q / 7 % 5][0]}, {outer, 5, limits[q / 7 % 5][1]}},
                         levels};
    for (size_t held = 0; held <= HELD; held += HELD) {
      check(rvh_argselect_spread(isa, s->nodes, &column, 0, ROWS, k, levels > 0 ? &spread : NULL,
                                 held > 0 ? current : NULL, held, chosen, NULL, &bad) == RVH_OK,
            "spread", k, levels);
      for (size_t i = 0; i < ROWS; i++) {
        size_t first[NODES], n = 0;
        for (int others = 0; others < 2; others++)
          for (size_t j = 0; j < s->ranked; j++) {
            int is_held = 0;
            for (size_t h = 0; h < held; h++)
              is_held |= current[i * HELD + h] == (intptr_t)rankings[i][j];
            if (is_held != others) first[n++] = rankings[i][j];
          }
        check(plain_walk(first, n, &spread, k, expected) == k, "walk", k, i);
        check(memcmp(chosen + i * k, expected, k * sizeof *expected) == 0, "spread", k, i);
      }
    }
  }
}

/* Made-up wishes and scores: capacities hold, and no key and node prefer each other. With sizes, a
 * node's lowest key may reach over its capacity. */
static void test_balance(uint64_t largest) {
  enum { ROWS = 300, N = 7 };
  static uint64_t lists[ROWS][2 * N], best[ROWS][2], sizes[ROWS];
  uint64_t capacity[N] = {43, 0, 60, 43, 100, 43, 20};
  intptr_t owner[ROWS];
  int64_t left[ROWS];
  size_t free_count;
  uint64_t lowest[N], loads[N] = {0}, lowest_size[N] = {0}, total = 0;
  for (size_t i = 0; i < ROWS; i++) total += sizes[i] = 1 + random64() % largest;
  for (size_t n = 0; n < N; n++) capacity[n] = (capacity[n] * total + ROWS - 1) / ROWS;
  for (size_t i = 0; i < ROWS; i++) {
    for (size_t n = 0; n < N; n++) { /* sorted by insertion */
      const uint64_t word = random64();
      size_t j = n;
      for (; j > 0 && lists[i][N + j - 1] < word; j--) {
        lists[i][j] = lists[i][j - 1];
        lists[i][N + j] = lists[i][N + j - 1];
      }
      lists[i][j] = n;
      lists[i][N + j] = word;
    }
    best[i][0] = lists[i][0];
    best[i][1] = lists[i][N];
  }
  rvh_matching *m =
      rvh_matching_new(isa, capacity, N, largest > 1 ? sizes : NULL, ROWS, owner, NULL);
  check(m != NULL, "matching", 0, 0);
  check(rvh_matching_offer(m, NULL, ROWS, 1, best[0], left, &free_count, NULL) == RVH_OK &&
            free_count > 0,
        "offer", free_count, 0);
  /* Longer lists one key at a time, as they are asked for. */
  while (free_count > 0) {
    int64_t row = left[--free_count], more[ROWS];
    size_t count;
    check(rvh_matching_offer(m, &row, 1, N, lists[row], more, &count, NULL) == RVH_OK, "offer",
          (size_t)row, 1);
    memcpy(left + free_count, more, count * sizeof *more);
    free_count += count;
  }
  check(!rvh_matching_tied(m), "tied", 0, 0);
  rvh_matching_free(m);
  memset(lowest, 0xff, sizeof lowest);
  for (size_t i = 0; i < ROWS; i++)
    for (size_t j = 0; j < N; j++)
      if (lists[i][j] == (uint64_t)owner[i]) {
        loads[owner[i]] += sizes[i];
        if (lists[i][N + j] < lowest[owner[i]]) {
          lowest[owner[i]] = lists[i][N + j];
          lowest_size[owner[i]] = sizes[i];
        }
      }
  for (size_t n = 0; n < N; n++)
    check(loads[n] == 0 || loads[n] - lowest_size[n] < capacity[n], "load", n, loads[n]);
  for (size_t i = 0; i < ROWS; i++)
    for (size_t j = 0; lists[i][j] != (uint64_t)owner[i]; j++)
      check(loads[lists[i][j]] >= capacity[lists[i][j]] && lowest[lists[i][j]] > lists[i][N + j],
            "stable", i, j);
}

/* One key under two codes, as among keys that were made to have equal hashes: of equal bytes too
 * the larger size ranks first, so that the other key finds no room. */
static void test_balance_of_equal_keys(void) {
  const uint64_t capacity[2] = {2, 9}, sizes[2] = {1, 2}, offsets[3] = {0, 1, 2};
  const uint64_t best[4] = {0, 7, 0, 7}, list[4] = {0, 1, 7, 5};
  const uint32_t codes[2] = {0, 1};
  const uint8_t *text = (const uint8_t *)"kk", *names = (const uint8_t *)"ab";
  intptr_t owner[2];
  int64_t left[2], more[2];
  size_t count = 0, bad[2];
  rvh_ties ties = {NULL, codes, text, offsets};
  rvh_nodes *nodes;
  check(rvh_nodes_new(&nodes, RVH_MURMUR, names, offsets, 2, NULL, NULL, 0, NULL, bad) == RVH_OK,
        "nodes", 0, 0);
  ties.nodes = nodes;
  rvh_matching *m = rvh_matching_new(isa, capacity, 2, sizes, 2, owner, &ties);
  check(m != NULL && rvh_matching_offer(m, NULL, 2, 1, best, left, &count, NULL) == RVH_OK &&
            count == 1 && left[0] == 0,
        "equal keys", count, 0);
  check(rvh_matching_offer(m, left, 1, 2, list, more, &count, NULL) == RVH_OK && count == 0 &&
            owner[0] == 1 && owner[1] == 0,
        "equal keys", count, 1);
  rvh_matching_free(m);
  rvh_nodes_free(nodes);
}

/* Any requests, with keys of any length: what is answered is what was put. */
static void test_cache(void) {
  static const uint64_t seed[3] = {1, 2, 3};
  static const size_t most_bytes[] = {1 << 20, 3000, 150};
  for (int round = 0; round < 6; round++) {
    rvh_cache *c = rvh_cache_new(round < 4 ? 20 : 1, most_bytes[round % 3], round % 2, seed);
    rvh_cache_info info;
    check(c != NULL, "cache", 0, 0);
    uint64_t epoch = rvh_cache_clear(c);
    for (size_t i = 0; i < 20000; i++) {
      uint8_t bytes[64];
      intptr_t chosen[5], found[5];
      const uint64_t which = random64() % 60, k = 1 + random64() % 5;
      const blake2_simd_bytes key = {bytes, (size_t)which};
      memset(bytes, (int)which, sizeof bytes);
      for (size_t j = 0; j < 5; j++) chosen[j] = (intptr_t)(which * 10 + j);
      if (i % 5000 == 4999) epoch = rvh_cache_clear(c);
      if (i % 16 == 0)
        check(!rvh_cache_get_one(c, epoch - 1, key, (size_t)k, 0, found), "epoch", i, 0);
      if (rvh_cache_get_one(c, epoch, key, (size_t)k, (int)(i % 2), found))
        check(memcmp(found, chosen, k * sizeof *found) == 0, "cached", (size_t)which, (size_t)k);
      else if (random64() % 4 > 0) /* or it waits for the next one */
        rvh_cache_put_one(c, epoch - (random64() % 8 == 0), key, (size_t)k, chosen);
      rvh_cache_figures(c, &info);
      check(info.entries <= 20 && info.bytes <= most_bytes[round % 3], "bounds", info.entries,
            info.bytes);
    }
    check(info.hits > 0 || most_bytes[round % 3] == 150, "hits", (size_t)info.hits, 0);
    rvh_cache_free(c);
  }
}

/* MD5 in lanes against one message at a time, which hashlib checks from Python. */
static void test_md5(void) {
  BLAKE2_SIMD_ALIGNED(64) uint32_t words[16 * RVH_MD5_GROUP], out[4 * RVH_MD5_GROUP];
  uint64_t data[KEYS], points[KEYS];
  size_t bad;
  for (size_t i = 0; i < 16 * RVH_MD5_GROUP; i++) words[i] = (uint32_t)random64();
  isa->md5(words, out);
  for (size_t i = 0; i < KEYS; i++) data[i] = random64();
  const rvh_column column = {
      .layout = RVH_INTEGERS, .data = (const uint8_t *)data, .stride = 8, .itemsize = 8};
  check(
      rvh_points(isa, RVH_POINT_MD5, (rvh_tag){0}, &column, 0, KEYS, points, NULL, &bad) == RVH_OK,
      "points", 0, 0);
  for (size_t i = 0; i < KEYS; i++) {
    uint8_t bytes[8];
    for (int b = 0; b < 8; b++) bytes[b] = (uint8_t)(data[i] >> (8 * b));
    check(points[i] == rvh_point(RVH_POINT_MD5, (blake2_simd_bytes){bytes, 8}), "md5", i, 0);
  }
  const uint8_t abc[] = {'a', 'b', 'c'}; /* RFC 1321, A.5: 900150983cd24fb0... */
  check(rvh_point(RVH_POINT_MD5, (blake2_simd_bytes){abc, 3}) == 0x900150983cd24fb0u, "abc", 0, 0);
  check(rvh_point(RVH_POINT_OAAT, (blake2_simd_bytes){abc, 1}) == 0xca2e9442u, "oaat", 0, 0);
  /* as a running HAProxy's (tests/placements/test_haproxy.py), and as std::hash of libstdc++ */
  static const struct {
    rvh_point_kind kind;
    uint64_t point;
  } of_user[] = {
      {RVH_POINT_SDBM, 0x7e97a4f1u},
      {RVH_POINT_DJB2, 0xbd6a2848u},
      {RVH_POINT_WT6, 0x045943bcu},
      {RVH_POINT_SDBM_AVALANCHE, 0x3cd3fef6u},
      {RVH_POINT_DJB2_AVALANCHE, 0xe19c565bu},
      {RVH_POINT_WT6_AVALANCHE, 0xe5403056u},
      {RVH_POINT_CRC32_AVALANCHE, 0x51bb8d3au},
      {RVH_POINT_MURMUR2_64, 0x73194c64b9934dacu},
  };
  for (size_t i = 0; i < sizeof of_user / sizeof *of_user; i++)
    check(rvh_point(of_user[i].kind, (blake2_simd_bytes){(const uint8_t *)"user:1234", 9}) ==
              of_user[i].point,
          "point", i, 0);
}

/* The hashes of modulo_hashes.c and farmhash.c on every processor, of keys that lie anywhere and
 * end where memory ends; the expected sums are the pure-Python twin's. */
static void test_modulo_hashes(void) {
  enum { LONGEST = 300 };
  static const struct {
    rvh_point_kind kind;
    uint64_t sum;
  } of_all[] = {
      {RVH_POINT_MURMUR2_32, 0x5a0679ce31f6527du},
      {RVH_POINT_CRC16, 0x12944a6277225508u},
      {RVH_POINT_FNV1A_32, 0x21945a0ef473ebcfu},
      {RVH_POINT_FARM_FINGERPRINT64, 0x2442064255e30d0du},
      {RVH_POINT_HASHKIT_CRC32, 0xcc0e2fef337337c7u},
      {RVH_POINT_HASHKIT_CRC32_OR_1, 0x3bb281f95941da48u},
      {RVH_POINT_HASHKIT_FNV1_32, 0x6447414cd5a41a87u},
      {RVH_POINT_HASHKIT_FNV1A_32, 0x05b166ca47752ecfu},
      {RVH_POINT_HASHKIT_FNV1_64, 0x0064e6dbd54a0c27u},
      {RVH_POINT_HASHKIT_FNV1A_64, 0xab608501a666a7efu},
      {RVH_POINT_HASHKIT_HSIEH, 0xcc266313317f62c0u},
      {RVH_POINT_HASHKIT_JENKINS, 0x2a039c03947477bcu},
      {RVH_POINT_HASHKIT_MURMUR, 0xa53adf39622a627au},
      {RVH_POINT_NUTCRACKER_CRC16, 0x7ddc924adbb65508u},
  };
  for (size_t i = 0; i < sizeof of_all / sizeof *of_all; i++) {
    uint64_t sum = 0;
    for (size_t size = 0; size <= LONGEST; size++) {
      const size_t before = size % 5;
      uint8_t *memory = allocate(before + size + 1), *key = memory + before + 1;
      for (size_t j = 0; j < size; j++) key[j] = (uint8_t)(j * 31 + size * 7);
      sum = sum * 31 + rvh_point(of_all[i].kind, (blake2_simd_bytes){key, size});
      free(memory);
    }
    check(sum == of_all[i].sum, rvh_point_name(of_all[i].kind), i, 0);
  }
}

/* Tags: what is between the first of each of two characters. */
static void test_tags(void) {
  static const struct {
    const char *key, *part;
  } of_all[] = {{"a{b}c", "b"}, {"{b}{c}", "b"}, {"a{}{b}", "a{}{b}"},
                {"a{b", "a{b"}, {"}a{b}", "b"},  {"{{b}}", "{b"},
                {"", ""},       {"{", "{"},      {"a{bc}}", "bc"},
                {"}{", "}{"},   {"{}", "{}"}};
  for (size_t i = 0; i < sizeof of_all / sizeof *of_all; i++) {
    const size_t size = strlen(of_all[i].key);
    uint8_t *key = allocate(size + (size == 0));
    memcpy(key, of_all[i].key, size);
    const blake2_simd_bytes part = rvh_tagged((rvh_tag){'{', '}'}, (blake2_simd_bytes){key, size});
    check(part.size == strlen(of_all[i].part) && memcmp(part.data, of_all[i].part, part.size) == 0,
          of_all[i].key, i, part.size);
    check(rvh_tagged((rvh_tag){0, 0}, (blake2_simd_bytes){key, size}).size == size, "whole", i, 0);
    free(key);
  }
}

/* Chains of typed columns on every processor; tests/backend/test_chains.py has the rest. */
static uint64_t chained(rvh_chain_system system, const char *parts, const char *key, size_t size) {
  rvh_chain chain = {.system = system, .spread = 3, .count = strlen(parts)};
  uint64_t point = 0;
  for (size_t n = 0; n < chain.count; n++)
    chain.parts[n] = (uint8_t)(parts[n] == 'i'   ? RVH_PART_INT32
                               : parts[n] == 'l' ? RVH_PART_INT64
                               : parts[n] == 't' ? RVH_PART_TEXT
                                                 : RVH_PART_BYTES);
  check(rvh_chain_point(&chain, (blake2_simd_bytes){(const uint8_t *)key, size}, &point), parts,
        system, size);
  return point;
}

static void test_chains(void) {
  static const char both[] = "\xfe\xff\xff\xff\xff\xff\xff\xff\x05\0\0\0abc\xc3\xa9";
  static const char routed[] = "\x07\0\0\0\xc3\xa9\xf0\x9f\x98\x80x\x05\0\0\0hello";
  check(chained(RVH_CHAIN_ICEBERG, "l", "\x22\0\0\0\0\0\0\0", 8) == 2017239379u, "34", 0, 0);
  check(chained(RVH_CHAIN_SPARK, "b", "Spark", 5) == 228093765u, "Spark", 0, 0);
  check(chained(RVH_CHAIN_SPARK, "lb", both, 17) == 0x3d058a7au, "Spark", 0, 0);
  check(chained(RVH_CHAIN_HIVE2, "b", "test string", 11) == (uint64_t)-138301454, "Hive", 0, 0);
  check(chained(RVH_CHAIN_HIVE2, "i", "\xe0\x93\x04\0\0\0\0\0", 8) == (uint64_t)-678663480, "Hive",
        0, 0);
  check(chained(RVH_CHAIN_HIVE1, "b", "test string", 11) == (uint64_t)-318923937, "Hive", 1, 0);
  check(chained(RVH_CHAIN_POSTGRESQL, "lb", both, 17) == 0x631447b2c35f061eu, "PostgreSQL", 0, 0);
  check(chained(RVH_CHAIN_ELASTICSEARCH, "t", "hello", 5) << 32 == (uint64_t)0xd7c31989u << 32,
        "hello", 0, 0);
  check(chained(RVH_CHAIN_ELASTICSEARCH, "tt", routed, 20) << 32 == (uint64_t)0xd7c3198bu << 32,
        "routed", 0, 0);
}

/* The lowest bad row, also where one behind it, of the same batch, has no bytes at all. */
static void test_bad_chains(void) {
  uint8_t views[3 * 16] = {0};
  put32(views, 8, 0);
  put32(views + 16, 3, 0);
  put32(views + 32, 13, 0); /* in a buffer that is not there */
  const rvh_column column = {.layout = RVH_VIEWS, .data = views, .stride = 16, .itemsize = 16};
  const rvh_chain chain = {.system = RVH_CHAIN_SPARK, .count = 1, .parts = {RVH_PART_INT64}};
  uint64_t points[3];
  size_t bad = 9;
  check(rvh_chain_points(&chain, &column, 0, 3, points, NULL, &bad) == RVH_BAD_KEY && bad == 1,
        "no parts before no bytes", bad, 0);
  check(rvh_chain_points(&chain, &column, 2, 3, points, NULL, &bad) == RVH_BAD_KEY && bad == 2,
        "no bytes", bad, 0);
}

/* Any bytes: a key that has not its parts is refused, and nothing behind a key is read, which the
 * sanitizers see; else bytes behind it would make two answers of one key. */
static void test_any_bytes(void) {
  for (size_t i = 0; i < 20000; i++) {
    const size_t size = random64() % 48;
    rvh_chain chain = {.system = (rvh_chain_system)(i % (RVH_CHAIN_ELASTICSEARCH + 1)),
                       .spread = 1 + (uint32_t)(random64() % 5),
                       .count = 1 + random64() % 3};
    for (size_t n = 0; n < chain.count; n++)
      chain.parts[n] = chain.system == RVH_CHAIN_ELASTICSEARCH
                           ? RVH_PART_TEXT
                           : (uint8_t)(random64() % RVH_PART_TEXT);
    uint8_t *one = allocate(size + (size == 0)), *other = allocate(size + 64);
    for (size_t j = 0; j < size; j++) {
      /* many zeros: lengths and numbers that fit */
      one[j] = random64() % 3 == 0 ? (uint8_t)random64() : (uint8_t)(random64() % 2 * 4);
    }
    memcpy(other, one, size);
    memset(other + size, (int)(i % 256), 64);
    uint64_t point = 0, same = 0;
    const int ok = rvh_chain_point(&chain, (blake2_simd_bytes){one, size}, &point);
    check(ok == rvh_chain_point(&chain, (blake2_simd_bytes){other, size}, &same), "parts", i, size);
    check(!ok || point == same, "point", i, size);
    const rvh_tag tag = {size == 0 ? 4 : one[0], (uint8_t)(random64() % 5)};
    const blake2_simd_bytes part = rvh_tagged(tag, (blake2_simd_bytes){one, size});
    check(part.data >= one && part.data + part.size <= one + size, "tag", i, size);
    free(other);
    free(one);
  }
}

static uint64_t geohash(const char *text, size_t size) {
  return rvh_point(RVH_POINT_GEOHASH, (blake2_simd_bytes){(const uint8_t *)text, size});
}

/* Five bits a character and the length, or 0; tests/test_geohash.py has the rest. */
static void test_geohash(void) {
  check(geohash("0", 1) == 1, "0", 0, 0);
  check(geohash("z", 1) == ((uint64_t)31 << 59 | 1), "z", 0, 0);
  check(geohash("zzzzzzzzzzzz", 12) == (~(uint64_t)0 << 4 | 12), "zzzzzzzzzzzz", 0, 0);
  check(geohash("u09", 3) == ((uint64_t)26 << 59 | (uint64_t)9 << 49 | 3), "u09", 0, 0);
  check(geohash("", 0) == 0, "empty", 0, 0);
  check(geohash("0000000000000", 13) == 0, "long", 0, 0);
  for (int c = 0; c < 256; c++) {
    const char text[2] = {'u', (char)c};
    const int known = c != 0 && strchr("0123456789bcdefghjkmnpqrstuvwxyz", c) != NULL;
    check((geohash(text, 2) != 0) == known, "character", (size_t)c, 0);
  }
}

/* The logarithm's bits: equal to the scalar sequence above, and in sum to what every processor of
 * either byte order gave, and Python's floats (tests/backend/test_neg_log.py has the same sum). */
static void test_neg_log(void) {
  enum { COUNT = 1000 };
  uint64_t m[COUNT], state = random_state, sum = 0, bits[2];
  double out[COUNT];
  random_state = 2024;
  for (int round = 0; round < 1000; round++) {
    for (size_t i = 0; i < COUNT; i++) {
      const unsigned shift = 11 + (unsigned)(random64() % 53);
      m[i] = (random64() >> shift) | 1;
      if (i % 2) m[i] = ((uint64_t)1 << 53) - m[i]; /* u next to 1 */
    }
    rvh_neg_log(isa, m, COUNT - (size_t)round % 9, out);
    for (size_t i = 0; i < COUNT - (size_t)round % 9; i++) {
      const double expected = plain_neg_log(m[i]);
      memcpy(&bits[0], &out[i], 8);
      memcpy(&bits[1], &expected, 8);
      check(bits[0] == bits[1], "neg_log", i, (size_t)round);
      sum = sum * 0x9e3779b97f4a7c15u + bits[0];
    }
  }
  if (sum != NEG_LOG_SUM) fprintf(stderr, "sum %llx\n", (unsigned long long)sum);
  check(sum == NEG_LOG_SUM, "the sum of neg_log", 0, 0);
  random_state = state;
}

static void test_bad_ids(void) {
  rvh_nodes *nodes;
  size_t bad[2] = {9, 9};
  const uint8_t *text = (const uint8_t *)"abcabcab";
  const uint64_t empty[] = {0, 3, 3, 6}, twice[] = {0, 1, 3, 6, 8};
  check(
      rvh_nodes_new(&nodes, RVH_MURMUR, text, empty, 3, NULL, NULL, 0, NULL, bad) == RVH_EMPTY_ID &&
          bad[0] == 1,
      "empty id", bad[0], 0);
  check(rvh_nodes_new(&nodes, RVH_MURMUR, text, twice, 4, NULL, NULL, 0, NULL, bad) == RVH_OK,
        "unique", 0, 0);
  rvh_nodes_free(nodes);
  text = (const uint8_t *)"xyabxyab";
  const uint64_t pairs[] = {0, 2, 4, 6, 8};
  check(rvh_nodes_new(&nodes, RVH_MURMUR, text, pairs, 4, NULL, NULL, 0, NULL, bad) ==
                RVH_DUPLICATE_ID &&
            bad[0] == 0 && bad[1] == 2,
        "the first duplicate", bad[0], bad[1]);
}

/* ---- buckets ------------------------------------------------------------------------------ */

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
          const uint64_t b = plain_jump(attempt == 0 ? word : plain_mixed(word), counts[c]);
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

/* The word of a key that is not an integer: its digest without a node. */
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
  const rvh_column column = {
      .layout = RVH_OFFSETS, .data = data, .offsets = offsets, .offset_size = 8};
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

/* ---- composite keys ----------------------------------------------------------------------- */

enum { ROWS = 2500, SIZE = 10 }; /* more than two blocks; the widest S below */

static uint64_t number(size_t row) { return row * 0x9e3779b97f4a7c15u; }

/* The bytes of a row's text; all lengths from 0. */
static size_t text(size_t row, uint8_t *bytes) {
  const size_t size = row % (SIZE + 1);
  for (size_t b = 0; b < size; b++) bytes[b] = (uint8_t)('a' + (row + b) % 26);
  return size;
}

static size_t put_sized(uint8_t *to, const uint8_t *bytes, size_t size) {
  for (int b = 0; b < 4; b++) to[b] = (uint8_t)(size >> (8 * b));
  if (size > 0) memcpy(to + 4, bytes, size);
  return 4 + size;
}

static size_t put_number(uint8_t *to, uint64_t value) {
  for (int b = 0; b < 8; b++) to[b] = (uint8_t)(value >> (8 * b));
  return 8;
}

/* A column of every layout, the numbers in both byte orders, backwards and from the middle, and a
 * constant: of n rows, n on both sides of a block's border. */
static void test_compose(void) {
  static const size_t ns[] = {0, 1, 2, 1023, 1024, 1025, 2047, 2048, 2049, ROWS};
  static const uint8_t constant[] = "\3\0\0\0a\0\0";
  static const uint64_t constant_offsets[] = {0, 7};
  uint8_t *padded = allocate(ROWS * SIZE), *ucs4 = allocate(ROWS * SIZE * 4);
  uint8_t *native = allocate((ROWS + 5) * 8), *swapped = allocate(ROWS * 8);
  uint8_t *spans = allocate(ROWS * SIZE), *expected = allocate(ROWS * 100);
  uint64_t *offsets = allocate((ROWS + 1) * 8), *ends = allocate(ROWS * 8);
  uint64_t *expected_ends = allocate(ROWS * 8);
  size_t size = 0;
  memset(padded, 0, ROWS * SIZE);
  memset(ucs4, 0, ROWS * SIZE * 4);
  memset(native, 0xff, (ROWS + 5) * 8);
  offsets[0] = 0;
  for (size_t row = 0; row < ROWS; row++) {
    const uint64_t value = number(row);
    uint8_t bytes[SIZE];
    const size_t length = text(row, bytes);
    if (length > 0) memcpy(padded + row * SIZE, bytes, length);
    if (length > 0) memcpy(spans + offsets[row], bytes, length);
    offsets[row + 1] = offsets[row] + length;
    for (size_t b = 0; b < length; b++) put32(ucs4 + 4 * (row * SIZE + b), bytes[b], 0);
    memcpy(native + (row + 5) * 8, &value, 8);
    for (size_t b = 0; b < 8; b++) /* backwards too */
      swapped[(ROWS - 1 - row) * 8 + b] = native[(row + 5) * 8 + 7 - b];
    size += put_sized(expected + size, bytes, length);
    size += put_number(expected + size, value);
    size += put_sized(expected + size, bytes, length);
    size += put_sized(expected + size, constant + 4, 3);
    size += put_sized(expected + size, bytes, length);
    if (length > 0) memcpy(expected + size, bytes, length);
    size += length;
    size += put_number(expected + size, value);
    expected_ends[row] = size;
  }
  rvh_column text_spans = {
      .layout = RVH_OFFSETS, .data = spans, .offsets = offsets, .offset_size = 8};
  rvh_part parts[] = {
      {{.layout = RVH_PADDED, .data = padded, .stride = SIZE, .itemsize = SIZE}, RVH_SIZED, 0},
      {{.layout = RVH_INTEGERS, .data = native, .stride = 8, .itemsize = 8}, RVH_BARE, 5},
      {{.layout = RVH_UCS4, .data = ucs4, .stride = 4 * SIZE, .itemsize = 4 * SIZE}, RVH_SIZED, 0},
      {{.layout = RVH_OFFSETS, .data = constant, .offsets = constant_offsets, .offset_size = 8},
       RVH_SAME,
       0},
      {text_spans, RVH_SIZED, 0},
      {text_spans, RVH_BARE, 0},
      {{.layout = RVH_INTEGERS,
        .data = swapped + (ROWS - 1) * 8,
        .stride = -8,
        .itemsize = 8,
        .swapped = 1},
       RVH_BARE,
       0},
  };
  const size_t count = sizeof parts / sizeof *parts;
  size_t bad = 0;
  for (size_t i = 0; i < sizeof ns / sizeof *ns; i++) {
    const size_t n = ns[i];
    const size_t end = n > 0 ? (size_t)expected_ends[n - 1] : 0;
    rvh_buffer out = {NULL, 0, 0};
    check(rvh_compose(parts, count, n, &out, ends, NULL, &bad) == RVH_OK, "compose", n, 0);
    check(out.size == end, "composed size", n, out.size);
    check(n == 0 || memcmp(out.data, expected, end) == 0, "composed bytes", n, 0);
    check(memcmp(ends, expected_ends, n * 8) == 0, "ends", n, 0);
    free(out.data);
  }

  /* Again behind what is there, from the middle on. */
  rvh_buffer out = {NULL, 0, 0};
  const size_t half = 1200;
  check(rvh_compose(parts, count, half, &out, ends, NULL, &bad) == RVH_OK, "compose", half, 0);
  for (size_t p = 0; p < count; p++)
    if (parts[p].framing != RVH_SAME) parts[p].first += half;
  check(rvh_compose(parts, count, ROWS - half, &out, ends + half, NULL, &bad) == RVH_OK, "compose",
        half, 1);
  check(out.size == size && memcmp(out.data, expected, size) == 0, "composed in two", half, 0);
  check(memcmp(ends, expected_ends, ROWS * 8) == 0, "ends", half, 0);

  /* Wider rows than a block has bytes. */
  const size_t wide = 600000, before = out.size;
  uint8_t *rows = allocate(3 * wide);
  memset(rows, 'w', 3 * wide);
  const rvh_part two = {
      {.layout = RVH_PADDED, .data = rows, .stride = (ptrdiff_t)wide, .itemsize = wide},
      RVH_SIZED,
      0};
  const rvh_part twice[] = {two, two};
  check(rvh_compose(twice, 2, 3, &out, ends, NULL, &bad) == RVH_OK, "wide", 0, 0);
  check(out.size == before + 6 * (wide + 4) && ends[2] == out.size, "wide", 1, out.size);
  free(rows);

  /* The lowest bad row, here of the last part, which runs 7 rows ahead; a part that is too long. */
  static const size_t bad_rows[] = {ROWS - 1, 2055, 2054, 1032, 1031, 1029, 8, 7};
  for (size_t p = 0; p < count; p++) parts[p].first = 0;
  rvh_part texts[] = {parts[2], parts[4], parts[2]};
  texts[2].first = 7;
  for (size_t i = 0; i < sizeof bad_rows / sizeof *bad_rows; i++) {
    put32(ucs4 + 4 * bad_rows[i] * SIZE, 0xd800, 0);
    check(rvh_compose(texts, 3, ROWS - 7, &out, ends, NULL, &bad) == RVH_BAD_KEY &&
              bad == bad_rows[i] - 7,
          "bad part", bad_rows[i], bad);
  }
  if (sizeof(size_t) > 4) {
    const uint64_t long_offsets[] = {0, 1, 1 + ((uint64_t)1 << 32), 2 + ((uint64_t)1 << 32)};
    rvh_part too_long = {
        {.layout = RVH_OFFSETS, .data = spans, .offsets = long_offsets, .offset_size = 8},
        RVH_SIZED,
        0};
    check(rvh_compose(&too_long, 1, 3, &out, ends, NULL, &bad) == RVH_BAD_KEY && bad == 1,
          "too long", bad, 0);
  }

  int asked = 0;
  rvh_poll poll = {stop_at_once, &asked, 0, 0};
  check(rvh_compose(parts, 2, ROWS, &out, ends, &poll, &bad) == RVH_STOPPED && asked == 1,
        "stop composing", 0, 0);
  free(out.data);
  free(padded), free(ucs4), free(native), free(swapped), free(spans), free(expected);
  free(offsets), free(ends), free(expected_ends);
}

/* ---- hashes of columns --------------------------------------------------------------------- */

/* Elements with zero bytes at the ends of none, few or most, in memory of exactly their size, from
 * the front and from the back. */
static void check_column_hashes(size_t size, size_t rows, size_t gap, int zeros, int backwards) {
  const size_t stride = size + gap, bytes = rows > 0 ? (rows - 1) * stride + size : 0;
  uint8_t *data = allocate(bytes);
  uint64_t *offsets = allocate((rows + 1) * sizeof *offsets);
  uint64_t *hashes = allocate(rows * sizeof *hashes);
  blake2_simd_bytes *spans = allocate(rows * sizeof *spans);
  size_t bad;
  for (size_t i = 0; i < bytes; i++) data[i] = (uint8_t)(random64() | 1);
  for (size_t i = 0; i < rows; i++)
    if (zeros > 0 && random64() % (zeros == 1 ? 20 : 2) == 0) {
      const size_t left = random64() % (size + 1);
      memset(data + i * stride + left, 0, size - left);
    }
  const rvh_column padded = {.layout = RVH_PADDED,
                             .data = data + (backwards ? (rows - 1) * stride : 0),
                             .stride = backwards ? -(ptrdiff_t)stride : (ptrdiff_t)stride,
                             .itemsize = size};
  check(rvh_column_hashes(isa, &padded, 0, rows, hashes, spans, NULL, &bad) == RVH_OK, "hashes",
        size, rows);
  for (size_t i = 0; i < rows; i++) {
    const uint8_t *p = padded.data + (ptrdiff_t)i * padded.stride;
    const size_t left = rvh_without_padding(p, size);
    check(hashes[i] == plain_murmur64a(p, left, 2718281828u), "padded hashes", size, i);
  }
  /* the same where rows are chosen: of one size, but anywhere */
  int64_t *chosen = allocate(rows * sizeof *chosen);
  for (size_t i = 0; i < rows; i++) chosen[i] = (int64_t)(i < 2 ? i % rows : random64() % rows);
  rvh_column among = padded;
  among.rows = chosen;
  check(rvh_column_hashes(isa, &among, 0, rows, hashes, spans, NULL, &bad) == RVH_OK, "hashes",
        size, rows);
  for (size_t i = 0; i < rows; i++) {
    const uint8_t *p = padded.data + (ptrdiff_t)chosen[i] * padded.stride;
    const size_t left = rvh_without_padding(p, size);
    check(hashes[i] == plain_murmur64a(p, left, 2718281828u), "hashes of rows", size, i);
  }
  free(chosen);
  /* strings of one size, but for one of them */
  const size_t odd = random64() % (2 * rows), less = random64() % 2;
  offsets[0] = 0;
  for (size_t i = 0; i < rows; i++)
    offsets[i + 1] = offsets[i] + (i == odd && size > 0 ? size - less : size);
  const rvh_column strings = {
      .layout = RVH_OFFSETS, .data = data, .offsets = offsets, .offset_size = 8};
  check(rvh_column_hashes(isa, &strings, 0, rows, hashes, spans, NULL, &bad) == RVH_OK, "hashes",
        size, rows);
  for (size_t i = 0; i < rows; i++)
    check(hashes[i] == plain_murmur64a(data + offsets[i], offsets[i + 1] - offsets[i], 2718281828u),
          "hashes of strings", size, i);
  free(data), free(offsets), free(hashes), free(spans);
}

static void test_column_hashes(void) {
  for (size_t size = 1; size <= 80; size++)
    for (int zeros = 0; zeros < 3; zeros++)
      check_column_hashes(size, 1 + random64() % 150, random64() % 4, zeros, (int)(size % 2));
  for (size_t rows = 1; rows <= 80; rows++) check_column_hashes(8 + rows % 57, rows, 0, 1, 1);
}

/* ---- partition tables ---------------------------------------------------------------------- */

static const size_t partition_counts[] = {1,    2,     3,     5,     255,           256,
                                          1000, 65535, 65536, 65537, (1 << 24) - 1, 1 << 24};

static void test_partition(void) {
  uint8_t key[64];
  for (size_t i = 0; i < sizeof key; i++) key[i] = (uint8_t)random64();
  for (size_t size = 0; size <= sizeof key; size++) {
    uint8_t *bytes = allocate(size); /* exactly as many, so that a sanitizer sees one more */
    memcpy(bytes, key, size);
    for (size_t c = 0; c < sizeof partition_counts / sizeof *partition_counts; c++) {
      const size_t partitions = partition_counts[c];
      check(rvh_partition(partitions, (blake2_simd_bytes){bytes, size}) ==
                plain_partition(plain_murmur64a(bytes, size, 2718281828u), partitions),
            "partition", size, partitions);
    }
    free(bytes);
  }
}

enum { LOOKED_UP = 2100, TABLE_NODES = 7, LOOKUP_KEY = 11, MANY_PARTITIONS = 1000 };

/* Rows of a column whose partitions are known: their numbers, their owners, and owners' names of
 * any size, in arrays of exactly that size. */
static void check_lookup(const char *what, const rvh_column *column, const size_t *partitions,
                         size_t start, size_t stop, size_t k, size_t name_size) {
  const size_t rows = stop - start;
  size_t bad = 99;
  uint32_t *owners = allocate(MANY_PARTITIONS * k * sizeof *owners);
  uint8_t *names = allocate(TABLE_NODES * name_size), *named = allocate(rows * k * name_size);
  intptr_t *out = allocate(rows * k * sizeof *out), *numbers = allocate(rows * sizeof *numbers);
  for (size_t i = 0; i < MANY_PARTITIONS * k; i++)
    owners[i] = (uint32_t)(plain_mixed(i) % TABLE_NODES);
  for (size_t i = 0; i < TABLE_NODES * name_size; i++) names[i] = (uint8_t)plain_mixed(i);
  rvh_table table = {.partitions = MANY_PARTITIONS, .k = 1};
  check(rvh_lookup(isa, &table, column, start, stop, numbers, NULL, &bad) == RVH_OK, what, start,
        stop);
  table = (rvh_table){MANY_PARTITIONS, owners, k, NULL, 0};
  check(rvh_lookup(isa, &table, column, start, stop, out, NULL, &bad) == RVH_OK, what, start, stop);
  table.names = names;
  table.name_size = name_size;
  check(rvh_lookup(isa, &table, column, start, stop, named, NULL, &bad) == RVH_OK, what, start,
        stop);
  for (size_t i = 0; i < rows; i++) {
    check(numbers[i] == (intptr_t)partitions[start + i], what, i, 0);
    for (size_t j = 0; j < k; j++) {
      const size_t owner = owners[partitions[start + i] * k + j], at = i * k + j;
      check(out[at] == (intptr_t)owner, what, i, k);
      check(memcmp(named + at * name_size, names + owner * name_size, name_size) == 0, what, at,
            name_size);
    }
  }
  free(owners), free(names), free(named), free(out), free(numbers);
}

static size_t partition_of_bytes(const uint8_t *bytes, size_t size) {
  return plain_partition(plain_murmur64a(bytes, size, 2718281828u), MANY_PARTITIONS);
}

/* Runs of rows on both sides of a batch's border, all sizes of names, several owners. */
static void check_lookups(const char *what, const rvh_column *column, const size_t *partitions) {
  static const size_t runs[][2] = {{0, 0},    {7, 8},    {0, 1023},         {0, 1024},
                                   {3, 1027}, {3, 1028}, {1000, LOOKED_UP}, {0, LOOKED_UP}};
  for (size_t r = 0; r < sizeof runs / sizeof *runs; r++)
    for (size_t k = 1; k <= 3; k++)
      check_lookup(what, column, partitions, runs[r][0], runs[r][1], k, 5 + r);
  for (size_t size = 1; size <= 40; size++)
    check_lookup(what, column, partitions, 1020, 1030, 1 + size % 3, size);
}

static void test_lookup(void) {
  static size_t partitions[LOOKED_UP], of_numbers[LOOKED_UP];
  static uint64_t offsets[LOOKED_UP + 1];
  uint8_t *padded = allocate(LOOKED_UP * LOOKUP_KEY), *spans = allocate(LOOKED_UP * LOOKUP_KEY);
  uint8_t *ucs4[2], *integers[2];
  for (int swapped = 0; swapped < 2; swapped++) {
    ucs4[swapped] = allocate(LOOKED_UP * LOOKUP_KEY * 4);
    integers[swapped] = allocate(LOOKED_UP * 8);
    memset(ucs4[swapped], 0, LOOKED_UP * LOOKUP_KEY * 4);
  }
  memset(padded, 0, LOOKED_UP * LOOKUP_KEY);
  for (size_t row = 0; row < LOOKED_UP; row++) { /* ASCII, so that its code points are its bytes */
    uint8_t bytes[LOOKUP_KEY], number_bytes[8];
    const size_t size = row % (LOOKUP_KEY + 1);
    const uint64_t value = plain_mixed(row);
    for (size_t b = 0; b < size; b++) {
      bytes[b] = (uint8_t)('a' + plain_mixed(row + b) % 26);
      padded[row * LOOKUP_KEY + b] = spans[offsets[row] + b] = bytes[b];
      for (int swapped = 0; swapped < 2; swapped++)
        put32(ucs4[swapped] + 4 * (row * LOOKUP_KEY + b), bytes[b], swapped);
    }
    offsets[row + 1] = offsets[row] + size;
    partitions[row] = partition_of_bytes(bytes, size);
    memcpy(integers[0] + 8 * row, &value, 8);
    for (size_t b = 0; b < 8; b++) integers[1][8 * row + b] = integers[0][8 * row + 7 - b];
    for (int b = 0; b < 8; b++) number_bytes[b] = (uint8_t)(value >> (8 * b));
    of_numbers[row] = partition_of_bytes(number_bytes, 8);
  }
  rvh_column column = {.layout = RVH_OFFSETS, .data = spans, .offsets = offsets, .offset_size = 8};
  check_lookups("lookup of spans", &column, partitions);
  column = (rvh_column){
      .layout = RVH_PADDED, .data = padded, .stride = LOOKUP_KEY, .itemsize = LOOKUP_KEY};
  check_lookups("lookup of padded keys", &column, partitions);
  for (int swapped = 0; swapped < 2; swapped++) {
    column = (rvh_column){.layout = RVH_UCS4,
                          .data = ucs4[swapped],
                          .stride = 4 * LOOKUP_KEY,
                          .itemsize = 4 * LOOKUP_KEY,
                          .swapped = swapped};
    check_lookups("lookup of text", &column, partitions);
    column = (rvh_column){.layout = RVH_INTEGERS,
                          .data = integers[swapped],
                          .stride = 8,
                          .itemsize = 8,
                          .swapped = swapped};
    check_lookups("lookup of integers", &column, of_numbers);
  }

  /* The lowest key that is not text, in the first batch or a later one. */
  static const size_t bad_rows[] = {2099, 1024, 1023, 6, 5};
  intptr_t *out = allocate(LOOKED_UP * sizeof *out);
  const rvh_table table = {.partitions = MANY_PARTITIONS, .k = 1};
  column = (rvh_column){
      .layout = RVH_UCS4, .data = ucs4[0], .stride = 4 * LOOKUP_KEY, .itemsize = 4 * LOOKUP_KEY};
  for (size_t i = 0; i < sizeof bad_rows / sizeof *bad_rows; i++) {
    size_t bad = 0;
    put32(ucs4[0] + 4 * bad_rows[i] * LOOKUP_KEY, 0xd800, 0);
    check(rvh_lookup(isa, &table, &column, 5, LOOKED_UP, out, NULL, &bad) == RVH_BAD_KEY &&
              bad == bad_rows[i],
          "lookup of no text", bad_rows[i], bad);
  }
  free(out), free(padded), free(spans);
  for (int swapped = 0; swapped < 2; swapped++) free(ucs4[swapped]), free(integers[swapped]);
}

/* Keys of megabytes go one at a time, and the caller is asked about each few of them. */
static int stop_later(void *context) { return ++*(int *)context == 3; }

static void test_lookup_of_long_keys(void) {
  enum { LONG = 4000000 };
  uint8_t *key = allocate(LONG);
  memset(key, 'k', LONG);
  const size_t partition = partition_of_bytes(key, LONG);
  rvh_column column = {.layout = RVH_PADDED, .data = key, .itemsize = LONG}; /* stride 0: again */
  const rvh_table table = {.partitions = MANY_PARTITIONS, .k = 1};
  static intptr_t out[1000];
  size_t bad = 0;
  int asked = 0;
  rvh_poll poll = {stop_later, &asked, 0, 0};
  check(rvh_lookup(isa, &table, &column, 0, 9, out, NULL, &bad) == RVH_OK, "long keys", 0, 0);
  for (size_t i = 0; i < 9; i++) check(out[i] == (intptr_t)partition, "long keys", i, 0);
  check(rvh_lookup(isa, &table, &column, 0, 1000, out, &poll, &bad) == RVH_STOPPED && asked == 3,
        "stop a lookup of long keys", 0, 0);
  free(key);
}

/* ---- repeated keys ------------------------------------------------------------------------ */

/* Any number of keys, with repeats far apart: through four tables, and as many as there are. */
static void test_growth(void) {
  enum { DIFFERENT = 300000, MANY = 2 * DIFFERENT };
  uint64_t *data = allocate(MANY * 8);
  uint32_t *codes = allocate(MANY * sizeof *codes);
  size_t bad = 0;
  rvh_distinct d = {0};
  for (uint64_t i = 0; i < MANY; i++) data[i] = plain_mixed(i % DIFFERENT);
  const rvh_column column = {
      .layout = RVH_INTEGERS, .data = (const uint8_t *)data, .stride = 8, .itemsize = 8};
  check(rvh_distinct_add(&d, &column, 0, MANY, codes, NULL, &bad) == RVH_OK, "growth", 0, 0);
  check(d.count == DIFFERENT, "distinct keys", d.count, 0);
  for (size_t i = 0; i < MANY; i++) check(codes[i] == i % DIFFERENT, "growth", i, codes[i]);
  rvh_distinct_free(&d);
  check(d.count == 0 && d.bytes.data == NULL, "freed", 0, 0);
  free(data), free(codes);
}

/* x with x * m == 1 mod 2^64, by Newton's iteration */
static uint64_t inverse(uint64_t m) {
  uint64_t x = m;
  for (int i = 0; i < 6; i++) x *= 2 - m * x;
  return x;
}

/* The second block that brings every first block to the same hash: MurmurHash64A's steps undone. */
static uint64_t forged_block(uint64_t first) {
  const uint64_t m = 0xc6a4a7935bd1e995u;
  uint64_t k = first * m;
  k = (k ^ k >> 47) * m;
  uint64_t last = ((((2718281828u ^ 16 * m) ^ k) * m) ^ 42) * inverse(m);
  last ^= last >> 47;
  return last * inverse(m);
}

/* Keys of equal hashes, more than are looked for: the answer is right, and quickly there, even
 * where every row is a key that was not found again. */
static void test_equal_hashes(void) {
  enum { FORGED = 1000, MANY = 20 * FORGED };
  uint8_t *data = allocate(MANY * 16);
  uint32_t *codes = allocate(MANY * sizeof *codes);
  size_t bad = 0;
  rvh_distinct d = {0};
  for (size_t i = 0; i < MANY; i++) {
    const uint64_t blocks[2] = {i % FORGED + 1, forged_block(i % FORGED + 1)};
    for (size_t b = 0; b < 16; b++) data[16 * i + b] = (uint8_t)(blocks[b / 8] >> (8 * (b % 8)));
    check(plain_murmur64a(data + 16 * i, 16, 2718281828u) == plain_murmur64a(data, 16, 2718281828u),
          "forged", i, 0);
  }
  const rvh_column column = {.layout = RVH_FIXED, .data = data, .stride = 16, .itemsize = 16};
  check(rvh_distinct_add(&d, &column, 0, MANY, codes, NULL, &bad) == RVH_OK, "forged", 0, 0);
  for (size_t i = 0; i < MANY; i++)
    check(same_bytes(distinct_key(&d, codes[i]), data + 16 * i, 16), "forged", i, codes[i]);
  check(codes[MANY - FORGED] == 0, "the first are found", codes[MANY - FORGED], 0);
  check(d.count > FORGED && d.count < MANY, "the others are not", d.count, 0);
  rvh_distinct_free(&d);
  free(data), free(codes);
}

/* Asked at every turn, and content a number of times. */
typedef struct {
  rvh_poll *poll;
  int allowed;
} patience;

static int stop_after(void *context) {
  patience *left = context;
  left->poll->left = 0;
  return left->allowed-- == 0;
}

/* Bad keys at the ends of batches, keys of megabytes, no keys; and the question whether to stop,
 * before a batch and while a table grows. */
static void test_distinct_ends(void) {
  enum { ROW = 2100, LONG = 4000000, MANY = 32 * 1024 };
  static const size_t bad_rows[] = {2099, 1029, 1028, 6, 5};
  static uint32_t codes[MANY];
  size_t bad = 0;
  int asked = 0;
  rvh_distinct d = {0};
  uint8_t *text = allocate(ROW * 4), *key = allocate(LONG);
  uint64_t *words = allocate(MANY * sizeof *words);
  memset(text, 0, ROW * 4);
  rvh_column column = {.layout = RVH_UCS4, .data = text, .stride = 4, .itemsize = 4};
  check(rvh_distinct_add(&d, &column, 7, 0, codes, NULL, &bad) == RVH_OK && d.count == 0, "none", 0,
        0);
  for (size_t i = 0; i < sizeof bad_rows / sizeof *bad_rows; i++) {
    put32(text + 4 * bad_rows[i], 0xdfff, 0);
    check(rvh_distinct_add(&d, &column, 5, ROW - 5, codes, NULL, &bad) == RVH_BAD_KEY &&
              bad == bad_rows[i],
          "distinct no text", bad_rows[i], bad);
  }
  rvh_distinct_free(&d);

  memset(key, 'k', LONG);
  column = (rvh_column){.layout = RVH_PADDED, .data = key, .itemsize = LONG}; /* again and again */
  rvh_poll poll = {stop_later, &asked, 0, 0};
  check(rvh_distinct_add(&d, &column, 0, 9, codes, NULL, &bad) == RVH_OK && d.count == 1 &&
            same_bytes(distinct_key(&d, codes[8]), key, LONG),
        "long keys", d.count, 0);
  check(rvh_distinct_add(&d, &column, 0, 1000, codes, &poll, &bad) == RVH_STOPPED && asked == 3,
        "stop at long keys", 0, 0);
  rvh_distinct_free(&d);

  for (uint64_t i = 0; i < MANY; i++) words[i] = i;
  column = (rvh_column){
      .layout = RVH_INTEGERS, .data = (const uint8_t *)words, .stride = 8, .itemsize = 8};
  rvh_status status = RVH_STOPPED;
  int allowed = 0;
  for (; status == RVH_STOPPED; allowed++) {
    patience left = {&poll, allowed};
    poll = (rvh_poll){stop_after, &left, 0, 0};
    status = rvh_distinct_add(&d, &column, 0, MANY, codes, &poll, &bad);
    check(status == RVH_STOPPED ? d.count <= 1024 * (size_t)allowed : d.count == MANY, "stop",
          d.count, (size_t)allowed);
    rvh_distinct_free(&d);
  }
  check(status == RVH_OK && allowed > MANY / 1024 + 2, "questions", (size_t)allowed, 0);
  free(text), free(key), free(words);
}

/* ---- much work of few calls ---------------------------------------------------------------- */

/* A poll that stops at a later question each time: 0, 1, 2, 4, 6, 8, 11, ... */
static rvh_poll impatient(patience *left, rvh_poll *poll, int allowed) {
  *left = (patience){poll, allowed};
  return (rvh_poll){stop_after, left, 0, 0};
}

static int later(int allowed) { return allowed + 1 + allowed / 4; }

/* Once a poll has stopped a call it is not called again, and any work is too much. */
static void test_poll(void) {
  int asked = 0;
  rvh_poll poll = {stop_later, &asked, 0, 0};
  check(!rvh_stopped(&poll, 1) && !rvh_stopped(&poll, 1) && asked == 1, "poll", 0, 0);
  check(!rvh_stopped(&poll, RVH_POLL_WORK) && rvh_stopped(&poll, RVH_POLL_WORK), "poll", 1, 0);
  check(rvh_stopped(&poll, 0) && rvh_stopped(&poll, 1) && asked == 3 && poll.stopped, "poll", 2, 0);
  check(!rvh_stopped(NULL, SIZE_MAX), "no poll", 0, 0);
}

enum { MANY_IDS = 3000, MANY_BYTES = MANY_IDS * 24 };

/* Ids that differ early, late or in their length alone, and with `twice` two that are equal. */
static size_t make_many_ids(uint8_t *data, uint64_t *offsets, size_t n, size_t common, int twice) {
  offsets[0] = 0;
  for (size_t i = 0; i < n; i++) {
    const size_t number = (twice && i == n - 1) ? 0 : i;
    uint8_t *to = data + offsets[i];
    size_t size = common;
    memset(to, 'x', common);
    for (size_t left = number + 1; left > 0; left /= 5) to[size++] = (uint8_t)(left % 5 * 60);
    if (number % 7 == 3) to[size++] = 0;
    to[size++] = (uint8_t)(number % 2);
    offsets[i + 1] = offsets[i] + size;
  }
  return (size_t)offsets[n];
}

static int ascending(const uint8_t *data, const uint64_t *offsets, intptr_t a, intptr_t b) {
  const size_t na = (size_t)(offsets[a + 1] - offsets[a]);
  const size_t nb = (size_t)(offsets[b + 1] - offsets[b]);
  const int order = memcmp(data + offsets[a], data + offsets[b], na < nb ? na : nb);
  if (order != 0) return order < 0;
  return na != nb ? na < nb : a < b; /* equal ones as they stand */
}

static void test_ascending(void) {
  static const size_t counts[] = {0, 1, 2, 12, 13, 25, 700, MANY_IDS};
  uint8_t *data = allocate(MANY_BYTES);
  uint64_t *offsets = allocate((MANY_IDS + 1) * sizeof *offsets);
  intptr_t *order = allocate(MANY_IDS * sizeof *order);
  for (size_t c = 0; c < 8; c++) {
    for (size_t common = 0; common < 12; common += 5) {
      const size_t n = counts[c];
      make_many_ids(data, offsets, n, common, c % 2 == 0 && n > 2);
      check(rvh_ascending(data, offsets, n, order, NULL) == RVH_OK, "order", n, common);
      for (size_t i = 1; i < n; i++)
        check(ascending(data, offsets, order[i - 1], order[i]), "in order", n, i);
      uint8_t *seen = calloc(n + 1, 1);
      if (seen == NULL) abort();
      for (size_t i = 0; i < n; i++) seen[order[i]]++;
      for (size_t i = 0; i < n; i++) check(seen[i] == 1, "each once", n, i);
      free(seen);
    }
  }
  patience left;
  rvh_poll poll;
  int allowed = 0;
  for (rvh_status status = RVH_STOPPED; status == RVH_STOPPED; allowed = later(allowed)) {
    poll = impatient(&left, &poll, allowed);
    status = rvh_ascending(data, offsets, MANY_IDS, order, &poll);
    check(status == RVH_OK || status == RVH_STOPPED, "stop sorting", (size_t)allowed, 0);
  }
  check(allowed > MANY_IDS, "questions", (size_t)allowed, 0);
  free(order), free(offsets), free(data);
}

/* Preparing nodes stops wherever it asks, and what it does in between is bounded. */
static void test_many_nodes(rvh_scheme scheme) {
  uint8_t *data = allocate(MANY_BYTES);
  uint64_t *offsets = allocate((MANY_IDS + 1) * sizeof *offsets);
  rvh_nodes *nodes;
  size_t bad[2] = {9, 9};
  patience left;
  rvh_poll poll;
  int allowed = 0;
  make_many_ids(data, offsets, MANY_IDS, 3, 1);
  check(rvh_nodes_new(&nodes, scheme, data, offsets, MANY_IDS, NULL, NULL, 0, NULL, bad) ==
                RVH_DUPLICATE_ID &&
            bad[0] == 0 && bad[1] == MANY_IDS - 1,
        "of many ids two", bad[0], bad[1]);
  make_many_ids(data, offsets, MANY_IDS, 3, 0);
  for (rvh_status status = RVH_STOPPED; status == RVH_STOPPED; allowed = later(allowed)) {
    poll = impatient(&left, &poll, allowed);
    status = rvh_nodes_new(&nodes, scheme, data, offsets, MANY_IDS, NULL, NULL, 0, &poll, bad);
    check(status == (poll.stopped ? RVH_STOPPED : RVH_OK) && (nodes == NULL) == poll.stopped,
          "stop preparing", (size_t)allowed, 0);
  }
  check(allowed > 2 * MANY_IDS, "questions", (size_t)allowed, 0);

  /* All of them ranked for one key: a heap that asks while it is made and taken apart. */
  const blake2_simd_bytes key = {(const uint8_t *)"key", 3};
  intptr_t *chosen = allocate(MANY_IDS * sizeof *chosen);
  intptr_t *again = allocate(MANY_IDS * sizeof *again);
  uint64_t *words = allocate(MANY_IDS * 2 * sizeof *words);
  const rvh_column one = {.layout = RVH_FIXED, .data = key.data, .itemsize = 3};
  check(rvh_scores(isa, nodes, &one, 0, 1, words, NULL, bad) == RVH_OK, "scores", 0, 0);
  check(rvh_select_one(isa, nodes, key, MANY_IDS, chosen, NULL) == RVH_OK, "k of all", 0, 0);
  const size_t each = rvh_score_words(nodes);
  for (size_t i = 1; i < MANY_IDS; i++)
    check(words[each * (size_t)chosen[i - 1]] > words[each * (size_t)chosen[i]], "ranked", i, 0);
  int asked = 0;
  rvh_status status = RVH_STOPPED;
  for (; status == RVH_STOPPED; asked++) {
    poll = impatient(&left, &poll, asked);
    status = rvh_select_one(isa, nodes, key, MANY_IDS, again, &poll);
  }
  check(status == RVH_OK && asked > MANY_IDS / 128 + MANY_IDS / 1024 + MANY_IDS / 2048,
        "questions about a heap", (size_t)asked, 0);
  check(memcmp(chosen, again, MANY_IDS * sizeof *chosen) == 0, "the same", 0, 0);

  /* A domain for each node, so that levels are long. */
  uint32_t *domain = allocate(MANY_IDS * sizeof *domain);
  for (uint32_t i = 0; i < MANY_IDS; i++) domain[i] = i;
  const rvh_spread spread = {.levels = {{domain, MANY_IDS, 1}, {domain, MANY_IDS, 1}}, .count = 2};
  status = RVH_STOPPED;
  for (asked = 0; status == RVH_STOPPED; asked++) {
    poll = impatient(&left, &poll, asked);
    status =
        rvh_argselect_spread(isa, nodes, &one, 0, 1, MANY_IDS, &spread, NULL, 0, again, &poll, bad);
  }
  check(status == RVH_OK && asked > MANY_IDS / 128 + 3 * (MANY_IDS / 1024), "questions",
        (size_t)asked, 0);
  check(memcmp(chosen, again, MANY_IDS * sizeof *chosen) == 0, "alone each", 0, 0);
  free(domain), free(words), free(again), free(chosen);
  rvh_nodes_free(nodes);
  free(offsets), free(data);
}

/* Rings of many nodes: all k, whether those met are looked for or marked. */
static void test_ring(void) {
  enum { ON = 500, POINTS = 20000 };
  static const size_t ks[] = {1, 2, 31, 32, 33, 64, 65, ON - 1, ON};
  uint64_t *points = allocate(POINTS * sizeof *points);
  uint32_t *owners = allocate(POINTS * sizeof *owners);
  uint64_t keys[40], at[40];
  intptr_t *rows = allocate(40 * ON * sizeof *rows), *expected = allocate(ON * sizeof *expected);
  intptr_t *of_points = allocate(40 * ON * sizeof *of_points);
  const rvh_column column = {
      .layout = RVH_INTEGERS, .data = (const uint8_t *)keys, .stride = 8, .itemsize = 8};
  rvh_ring *ring;
  size_t bad = 0;
  patience left;
  rvh_poll poll;
  for (uint64_t i = 0; i < POINTS; i++) points[i] = i * (UINT64_MAX / POINTS);
  /* Most points are of few nodes, and each of the others has one, far behind. */
  for (size_t i = 0; i < POINTS; i++)
    owners[i] = (uint32_t)(i < POINTS - ON ? random64() % 40 : i - (POINTS - ON));
  for (size_t i = 0; i < 40; i++) keys[i] = random64();
  check(rvh_points(isa, RVH_POINT_XXH64, (rvh_tag){0}, &column, 0, 40, at, NULL, &bad) == RVH_OK,
        "points", 0, 0);
  int allowed = 0;
  for (rvh_status status = RVH_STOPPED; status == RVH_STOPPED; allowed++) {
    poll = impatient(&left, &poll, allowed);
    status = rvh_ring_new(&ring, RVH_POINT_XXH64, points, owners, POINTS, &poll);
    check(status == (poll.stopped ? RVH_STOPPED : RVH_OK) && (ring == NULL) == poll.stopped, "ring",
          (size_t)allowed, 0);
  }
  check(allowed == 6, "a ring asks for each 16,384 points and slices", (size_t)allowed, 0);
  for (size_t q = 0; q < sizeof ks / sizeof *ks; q++) {
    const size_t k = ks[q];
    check(rvh_ring_lookup(isa, ring, &column, 0, 40, k, rows, NULL, &bad) == RVH_OK, "ring", k, 0);
    for (size_t i = 0; i < 40; i++) {
      uint8_t met[ON] = {0};
      size_t n = 0, from = 0;
      while (from < POINTS && points[from] < at[i]) from++;
      for (; n < k; from++) {
        const uint32_t owner = owners[from % POINTS];
        if (!met[owner]) expected[n++] = (intptr_t)owner;
        met[owner] = 1;
      }
      check(memcmp(rows + i * k, expected, k * sizeof *rows) == 0, "owners", k, i);
      uint8_t data[8]; /* an integer's bytes are little-endian wherever this runs */
      for (size_t b = 0; b < 8; b++) data[b] = (uint8_t)(keys[i] >> (8 * b));
      const blake2_simd_bytes key = {data, 8};
      check(rvh_ring_lookup_one(ring, key, k, rows + i * k, NULL) == RVH_OK &&
                memcmp(rows + i * k, expected, k * sizeof *rows) == 0,
            "owners of one", k, i);
    }
    check(rvh_ring_lookup(isa, ring, &column, 0, 40, k, rows, NULL, &bad) == RVH_OK &&
              rvh_ring_nodes(ring, at, 40, k, of_points, NULL) == RVH_OK &&
              memcmp(rows, of_points, 40 * k * sizeof *rows) == 0,
          "owners of points", k, 0);
    for (size_t one = 0; k > 1 && one < 2; one++) {
      rvh_status status = RVH_STOPPED;
      for (allowed = 0; status == RVH_STOPPED; allowed++) {
        poll = impatient(&left, &poll, allowed);
        status = one ? rvh_ring_lookup_one(ring, (blake2_simd_bytes){(const uint8_t *)keys, 8}, k,
                                           rows, &poll)
                     : rvh_ring_lookup(isa, ring, &column, 0, 40, k, rows, &poll, &bad);
      }
      check(status == RVH_OK && (k < 65 || allowed > (one ? 0 : 40)), "questions of a ring", k,
            (size_t)allowed);
    }
  }
  poll = (rvh_poll){stop_at_once, &allowed, 0, 0};
  check(rvh_ring_nodes(ring, at, 40, 2, rows, &poll) == RVH_STOPPED, "stop points", 0, 0);
  rvh_ring_free(ring);
  free(of_points), free(expected), free(rows), free(owners), free(points);
}

/* Prefixes and keys of every length around a block; the best node is looked for one by one. */
static void test_prefixes(void) {
  enum { N = 12, LONGEST = 40, SEED = 7 };
  uint8_t text[N + LONGEST], names[N * N], key[LONGEST];
  uint64_t offsets[N + 1] = {0};
  intptr_t all[N], one;
  size_t bad = 0;
  int asked = 0;
  rvh_poll poll = {stop_at_once, &asked, 0, 0};
  check(plain_murmur3_32((const uint8_t *)"test", 4, 0) == 0xba6bd213u, "murmur3_32", 0, 0);
  for (size_t i = 0; i < sizeof names; i++) names[i] = (uint8_t)random64();
  for (size_t i = 0; i < N; i++) offsets[i + 1] = offsets[i] + (i == 3 ? 2 : i); /* 3 is as 2 */
  memcpy(names + offsets[3], names + offsets[2], 2);
  rvh_prefixes *prefixes = rvh_prefixes_new(names, offsets, N, SEED, 0);
  for (size_t size = 0; size < LONGEST; size++) {
    for (size_t i = 0; i < size; i++) key[i] = (uint8_t)random64();
    const rvh_column column = {.layout = RVH_FIXED, .data = key, .itemsize = size};
    check(rvh_prefixes_select(prefixes, &column, 0, 1, N, all, NULL, &bad) == RVH_OK &&
              rvh_prefixes_select(prefixes, &column, 0, 1, 1, &one, NULL, &bad) == RVH_OK &&
              one == all[0],
          "prefixes", size, 0);
    uint32_t before = UINT32_MAX;
    for (size_t j = 0; j < N; j++) {
      const size_t node = (size_t)all[j], length = (size_t)(offsets[node + 1] - offsets[node]);
      memcpy(text, names + offsets[node], length);
      memcpy(text + length, key, size);
      const uint32_t now = plain_murmur3_32(text, length + size, SEED);
      check(now < before || (now == before && (j == 0 || all[j - 1] < all[j])), "prefixes in order",
            size, j);
      before = now;
    }
    check(rvh_prefixes_select(prefixes, &column, 0, 1, 1, &one, &poll, &bad) == RVH_STOPPED,
          "stop prefixes", size, 0);
  }
  rvh_prefixes_free(prefixes);
  /* Of an accented e, the euro sign and a face, the lowest bytes are e9, ac and 00. */
  const char *utf8 = "a-\xc3\xa9-\xe2\x82\xac-\xf0\x9f\x98\x80-", *low = "a-\xe9-\xac-\0-";
  const uint64_t utf8_ends[] = {0, 2, 5, 9, 14}, low_ends[] = {0, 2, 4, 6, 8};
  rvh_prefixes *of_points = rvh_prefixes_new((const uint8_t *)utf8, utf8_ends, 4, SEED, 1);
  rvh_prefixes *of_bytes = rvh_prefixes_new((const uint8_t *)low, low_ends, 4, SEED, 0);
  for (uint8_t last = 0x80; last < 0xc0; last++) {
    const uint8_t points[] = {'k', 0xc3, last, 'e', 'y'}, bytes[] = {'k', last ^ 0x40, 'e', 'y'};
    const rvh_column one_key = {.layout = RVH_FIXED, .data = points, .itemsize = sizeof points};
    const rvh_column same = {.layout = RVH_FIXED, .data = bytes, .itemsize = sizeof bytes};
    intptr_t expected[4];
    check(rvh_prefixes_select(of_points, &one_key, 0, 1, 4, all, NULL, &bad) == RVH_OK &&
              rvh_prefixes_select(of_bytes, &same, 0, 1, 4, expected, NULL, &bad) == RVH_OK &&
              memcmp(all, expected, sizeof expected) == 0,
          "code points", last, 0);
  }
  rvh_prefixes_free(of_points), rvh_prefixes_free(of_bytes);
}

static void test_stop(const rvh_nodes *nodes) {
  int asked = 0;
  rvh_poll poll = {stop_at_once, &asked, 0, 0};
  intptr_t chosen[1];
  const blake2_simd_bytes key = {ids, 3};
  check(rvh_select_one(isa, nodes, key, 1, chosen, &poll) == RVH_STOPPED && asked == 1, "stop", 0,
        0);
  const rvh_column words = {.layout = RVH_INTEGERS, .data = ids, .stride = 8, .itemsize = 8};
  intptr_t out[3];
  poll.stopped = 0;
  check(rvh_jump(isa, &words, 0, 1, 9, 1, out, &poll) == RVH_STOPPED && asked == 2, "stop", 1, 0);
  poll.stopped = 0;
  check(rvh_jump(isa, &words, 0, 1, 9, 3, out, &poll) == RVH_STOPPED && asked == 3, "stop", 2, 0);
  poll.stopped = 0;
  check(rvh_jumpback(isa, &words, 0, 1, 9, out, &poll) == RVH_STOPPED && asked == 4, "stop", 3, 0);
}

int main(void) {
  const rvh_isa *all;
  const size_t n = rvh_isa_all(&all);
  make_ids();
  test_bad_ids();
  test_compose();
  test_partition();
  test_growth();
  test_equal_hashes();
  test_distinct_ends();
  test_balance(1);
  test_balance(1000);
  test_balance_of_equal_keys();
  test_cache();
  test_geohash();
  test_poll();
  test_ascending();
  for (size_t i = 0; i < n; i++) {
    isa = &all[i];
    if (blake2_simd_find(isa->hash->name) == NULL) {
      printf("%s: not available here, not tested\n", isa->hash->name);
      continue;
    }
    for (size_t j = 0; j < SETS; j++) make_nodes(&sets[j]);
    test_neg_log();
    test_rank_bounds();
    test_md5();
    test_modulo_hashes();
    test_tags();
    test_chains();
    test_bad_chains();
    test_any_bytes();
    test_offsets();
    test_rows();
    test_fixed();
    test_views();
    test_padded();
    test_ucs4();
    test_integers();
    test_buckets();
    test_distinct_buckets();
    test_words_of_integers();
    test_lookup();
    test_lookup_of_long_keys();
    test_column_hashes();
    test_best();
    test_key_words();
    test_many_nodes(RVH_BLAKE2B);
    test_many_nodes(RVH_MURMUR);
    test_ring();
    test_prefixes();
    for (size_t j = 0; j < SETS; j++) {
      test_ties(&sets[j]);
      test_many(&sets[j]);
      test_ranked(&sets[j]);
      test_spread(&sets[j]);
      test_stop(sets[j].nodes);
      rvh_nodes_free(sets[j].nodes);
    }
    printf("%s: tested\n", isa->hash->name);
  }
  printf("%lu checks passed\n", checks);
  return 0;
}
