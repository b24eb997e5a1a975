/* libFuzzer on columns: the bytes of elements, composite keys, distinct keys, text, and the order
 * of byte strings, each against its definition. */

#include "fuzz_keys.h"

static void check_spans(input *in, const keys *k) {
  const size_t start = below(in, k->bad + 1); /* nothing is known of rows behind a bad one */
  const int good = k->bad == k->count;
  size_t total = 0;
  uint64_t all = 0;
  for (size_t row = start, n, size; row < k->count; row += n) {
    size_t bad = SIZE_MAX;
    n = rvh_column_batch(&k->column, row, k->count - row, &size);
    REQUIRE(n > 0 && n <= k->count - row && (n == 1 || size <= RVH_BATCH_BYTES));
    blake2_simd_bytes *spans = room(in, n * sizeof *spans);
    uint8_t *scratch = room(in, rvh_column_batch_scratch(&k->column, n));
    const rvh_status status = rvh_column_spans(&k->column, row, n, spans, scratch, &bad);
    const int is_bad = k->bad < row + n;
    REQUIRE(status == (is_bad ? RVH_BAD_KEY : RVH_OK) && (!is_bad || bad == k->bad));
    for (size_t i = row; i < row + n && i < k->bad; i++) {
      REQUIRE(plain_compare(spans[i - row], k->rows[i]) == 0);
      total += spans[i - row].size;
    }
    if (is_bad) break;
  }
  REQUIRE(rvh_bare_spans(&k->column, start, k->count, &all) == (good ? RVH_OK : RVH_BAD_KEY));
  REQUIRE(!good || all == total);
}

/* In two pieces: numbers in order of first appearance. */
static void check_distinct(input *in, const keys *k) {
  const size_t cut = below(in, k->bad + 1);
  uint32_t *codes = room(in, k->count * sizeof *codes);
  size_t bad = SIZE_MAX, count = 0;
  rvh_distinct d = {0};
  REQUIRE(rvh_distinct_add(&d, &k->column, 0, cut, codes, NULL, &bad) == RVH_OK);
  const rvh_status status =
      rvh_distinct_add(&d, &k->column, cut, k->count - cut, codes + cut, NULL, &bad);
  if (k->bad < k->count) {
    REQUIRE(status == RVH_BAD_KEY && bad == k->bad);
  } else {
    const uint64_t *offsets = (const uint64_t *)(const void *)d.offsets.data;
    REQUIRE(status == RVH_OK);
    for (size_t i = 0; i < k->count; i++) {
      REQUIRE(codes[i] < d.count && codes[i] <= count);
      REQUIRE(plain_compare(string(d.bytes.data, offsets, codes[i]), k->rows[i]) == 0);
      if (codes[i] < count) continue;
      for (size_t code = 0; code < count; code++)
        REQUIRE(plain_compare(string(d.bytes.data, offsets, code), k->rows[i]) != 0);
      count++;
    }
    REQUIRE(d.count == count);
  }
  rvh_distinct_free(&d);
}

static void check_compose(input *in, const keys *k) {
  enum { PARTS = 3 };
  rvh_part parts[PARTS];
  const size_t count = 1 + below(in, PARTS);
  size_t n = k->count, bad = SIZE_MAX, good = SIZE_MAX;
  for (size_t p = 0; p < count; p++) {
    parts[p] = (rvh_part){k->column, (rvh_framing)below(in, k->bad > 0 ? 3 : 2), 0};
    if (parts[p].framing == RVH_SAME) continue;
    parts[p].first = below(in, k->bad + 1);
    if (k->count - parts[p].first < n) n = k->count - parts[p].first;
    if (k->bad - parts[p].first < good) good = k->bad - parts[p].first;
  }
  uint64_t *ends = room(in, n * sizeof *ends);
  rvh_buffer out = {NULL, 0, 0};
  const rvh_status status = rvh_compose(parts, count, n, &out, ends, NULL, &bad);
  if (good < n) {
    REQUIRE(status == RVH_BAD_KEY && bad == good);
  } else {
    REQUIRE(status == RVH_OK && out.size == (n > 0 ? ends[n - 1] : 0));
    uint64_t at = 0;
    for (size_t i = 0; i < n; i++) {
      for (size_t j = 0; j < count; j++) {
        const size_t row = parts[j].framing == RVH_SAME ? 0 : parts[j].first + i;
        const size_t length = k->rows[row].size;
        for (size_t b = 0; b < 4 && parts[j].framing == RVH_SIZED; b++)
          REQUIRE(out.data[at++] == (uint8_t)(length >> 8 * b));
        const uint64_t ends_of_part[2] = {at, at + length};
        REQUIRE(plain_compare(string(out.data, ends_of_part, 0), k->rows[row]) == 0);
        at += length;
      }
      REQUIRE(at == ends[i]);
    }
  }
  free(out.data);
}

static void check_order(input *in) {
  const size_t n = below(in, 41);
  uint64_t *offsets = room(in, (n + 1) * sizeof *offsets);
  const uint8_t *data = strings(in, n, offsets);
  intptr_t *order = room(in, n * sizeof *order);
  uint8_t seen[40] = {0};
  REQUIRE(rvh_ascending(data, offsets, n, order, NULL) == RVH_OK);
  for (size_t i = 0; i < n; i++) {
    REQUIRE((size_t)order[i] < n && !seen[order[i]]++);
    if (i == 0) continue;
    const size_t a = (size_t)order[i - 1], b = (size_t)order[i];
    const int ascends = plain_compare(string(data, offsets, a), string(data, offsets, b));
    REQUIRE(ascends < 0 || (ascends == 0 && a < b));
  }
}

/* What is left of the input: the first sequence that is not what its code point is encoded as. */
static void check_text(input *in) {
  const size_t n = in->size;
  const uint8_t *p = bytes(in, n);
  size_t i = 0, size = 0;
  for (; i < n; i += size) {
    uint8_t again[4];
    size = p[i] < 0x80 ? 1 : p[i] < 0xe0 ? 2 : p[i] < 0xf0 ? 3 : 4;
    if (i + size > n) break;
    uint64_t point = size == 1 ? p[i] : p[i] & (0x7fu >> size);
    for (size_t b = 1; b < size; b++) point = point << 6 | (p[i + b] & 0x3f);
    if (plain_utf8(point, again) != size || memcmp(again, p + i, size) != 0) break;
  }
  REQUIRE(rvh_utf8(p, n) == i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  input in = {.data = data, .size = size};
  const keys k = make_keys(&in, ANY_LAYOUT);
  check_spans(&in, &k);
  check_distinct(&in, &k);
  check_compose(&in, &k);
  check_order(&in);
  check_text(&in);
  release(&in);
  return 0;
}
