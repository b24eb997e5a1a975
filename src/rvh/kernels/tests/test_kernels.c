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
  rvh_column text_spans = {.layout = RVH_OFFSETS, .data = spans, .offsets = offsets};
  rvh_part parts[] = {
      {{.layout = RVH_PADDED, .data = padded, .stride = SIZE, .itemsize = SIZE}, RVH_SIZED, 0},
      {{.layout = RVH_INTEGERS, .data = native, .stride = 8, .itemsize = 8}, RVH_BARE, 5},
      {{.layout = RVH_UCS4, .data = ucs4, .stride = 4 * SIZE, .itemsize = 4 * SIZE}, RVH_SIZED, 0},
      {{.layout = RVH_OFFSETS, .data = constant, .offsets = constant_offsets}, RVH_SAME, 0},
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
        {.layout = RVH_OFFSETS, .data = spans, .offsets = long_offsets}, RVH_SIZED, 0};
    check(rvh_compose(&too_long, 1, 3, &out, ends, NULL, &bad) == RVH_BAD_KEY && bad == 1,
          "too long", bad, 0);
  }

  int asked = 0;
  rvh_poll poll = {stop_at_once, &asked, 0};
  check(rvh_compose(parts, 2, ROWS, &out, ends, &poll, &bad) == RVH_STOPPED && asked == 1,
        "stop composing", 0, 0);
  free(out.data);
  free(padded), free(ucs4), free(native), free(swapped), free(spans), free(expected);
  free(offsets), free(ends), free(expected_ends);
}

static void test_stop(const rvh_nodes *nodes) {
  int asked = 0;
  rvh_poll poll = {stop_at_once, &asked, 0};
  intptr_t chosen[1];
  const blake2_simd_bytes key = {ids, 3};
  check(rvh_select_one(isa, nodes, key, 1, chosen, &poll) == RVH_STOPPED && asked == 1, "stop", 0,
        0);
}

int main(void) {
  static const rvh_isa sets[] = {
      {&blake2_simd_portable, rvh_topk_portable},
#if defined(BLAKE2_SIMD_X86)
      {&blake2_simd_avx2, rvh_topk_avx2},
      {&blake2_simd_avx512, rvh_topk_avx512},
#elif defined(BLAKE2_SIMD_ARM64)
      {&blake2_simd_neon, rvh_topk_neon},
#endif
  };
  make_ids();
  test_bad_ids();
  test_compose();
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
    rvh_nodes_free(nodes);
    printf("%s: tested\n", isa->hash->name);
  }
  printf("%lu checks passed\n", checks);
  return 0;
}
