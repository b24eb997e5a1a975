/* Composite keys: for a block of rows at a time, the spans of every part, then their bytes.
 *
 * Each span is looked up once and kept, so sizes and bytes agree even if another thread writes to
 * the columns meanwhile. */

#include "rvh_kernels_impl.h"

#include <stdlib.h>

enum {
  ROWS = 1024,     /* of a block, or fewer */
  BYTES = 1 << 20, /* of a block: the work between two polls */
};

/* ---- memory ------------------------------------------------------------------------------- */

rvh_status rvh_reserve(rvh_buffer *out, size_t size, size_t more) {
  if (size <= out->capacity) return RVH_OK;
  size_t capacity = out->capacity + out->capacity / 2;
  if (capacity < size + more) capacity = size + more;
  uint8_t *data = realloc(out->data, capacity);
  if (data == NULL) return RVH_NO_MEMORY;
  out->data = data;
  out->capacity = capacity;
  return RVH_OK;
}

/* ---- one block ---------------------------------------------------------------------------- */

static size_t head_size(const rvh_part *part) { return part->framing == RVH_SIZED ? 4 : 0; }

/* The spans of a part in *n rows from `first` on. RVH_BAD_KEY sets *n to the rows before the bad
 * one. */
static rvh_status part_spans(const rvh_part *part, size_t first, size_t *n,
                             blake2_simd_bytes *spans, uint8_t *scratch) {
  size_t bad;
  rvh_status status;
  if (part->framing == RVH_SAME) {
    status = rvh_column_spans(&part->column, 0, 1, spans, scratch, &bad);
    for (size_t i = 1; i < *n; i++) spans[i] = spans[0];
    return status;
  }
  status = rvh_column_spans(&part->column, part->first + first, *n, spans, scratch, &bad);
  if (status == RVH_BAD_KEY) *n = bad - part->first - first;
  if (part->framing == RVH_SIZED)
    for (size_t i = 0; i < *n; i++)
      if ((uint64_t)spans[i].size > UINT32_MAX) {
        *n = i;
        return RVH_BAD_KEY;
      }
  return status;
}

/* Writes a part of n rows to each row's end, and moves the end. */
static void write_part(const blake2_simd_bytes *spans, size_t n, size_t head, uint8_t *data,
                       uint64_t *ends) {
  for (size_t i = 0; i < n; i++) {
    const size_t size = spans[i].size;
    uint8_t *to = data + ends[i];
    for (size_t b = 0; b < head; b++) to[b] = (uint8_t)(size >> (8 * b));
    if (size == 8) /* mostly integers: one store instead of a call */
      memcpy(to + head, spans[i].data, 8);
    else if (size > 0)
      memcpy(to + head, spans[i].data, size);
    ends[i] += head + size;
  }
}

typedef struct {
  const rvh_part *parts;
  size_t count;
  size_t rows; /* of a block */
  blake2_simd_bytes *spans;
  uint8_t *scratch;
} work;

static rvh_status one_block(const work *w, size_t first, size_t n, size_t left, rvh_buffer *out,
                            uint64_t *ends, size_t *bad) {
  rvh_status status = RVH_OK;
  uint8_t *scratch = w->scratch;
  memset(ends, 0, n * sizeof *ends);
  for (size_t p = 0; p < w->count; p++) {
    const rvh_part *part = &w->parts[p];
    blake2_simd_bytes *spans = w->spans + p * w->rows;
    /* After a bad row only those before it are looked at, so the lowest bad row is the answer. */
    if (part_spans(part, first, &n, spans, scratch) != RVH_OK) status = RVH_BAD_KEY;
    for (size_t i = 0; i < n; i++) ends[i] += head_size(part) + spans[i].size;
    scratch += w->rows * rvh_column_scratch(&part->column);
  }
  if (status != RVH_OK) {
    *bad = first + n;
    return status;
  }
  size_t at = out->size;
  for (size_t i = 0; i < n; i++) { /* turns sizes into where rows begin */
    const size_t size = (size_t)ends[i];
    ends[i] = at;
    at += size;
  }
  status = rvh_reserve(out, at, (at - out->size) / n * left);
  if (status != RVH_OK) return status;
  out->size = at;
  for (size_t p = 0; p < w->count && out->data != NULL; p++) /* NULL: no row so far has a byte */
    write_part(w->spans + p * w->rows, n, head_size(&w->parts[p]), out->data, ends);
  return RVH_OK;
}

/* ---- the call ----------------------------------------------------------------------------- */

/* How many rows have about BYTES bytes, at least one. */
static size_t block_rows(const rvh_part *parts, size_t count) {
  size_t each = 0;
  for (size_t p = 0; p < count; p++) {
    const rvh_column *column = &parts[p].column;
    each += sizeof(blake2_simd_bytes) + column->itemsize;
  }
  return each <= BYTES / ROWS ? ROWS : each < BYTES ? BYTES / each : 1;
}

rvh_status rvh_compose(const rvh_part *parts, size_t count, size_t n, rvh_buffer *out,
                       uint64_t *ends, rvh_poll *poll, size_t *bad) {
  work w = {.parts = parts, .count = count, .rows = block_rows(parts, count)};
  size_t scratch = 0;
  for (size_t p = 0; p < count; p++) scratch += rvh_column_scratch(&parts[p].column);
  w.spans = malloc(w.rows * (count * sizeof *w.spans + scratch));
  if (w.spans == NULL) return RVH_NO_MEMORY;
  w.scratch = (uint8_t *)(w.spans + w.rows * count);
  rvh_status status = RVH_OK;
  for (size_t first = 0, rows; first < n && status == RVH_OK; first += rows) {
    rows = n - first < w.rows ? n - first : w.rows;
    if (rvh_stopped(poll, RVH_POLL_WORK)) /* before each block */
      status = RVH_STOPPED;
    else
      status = one_block(&w, first, rows, n - first - rows, out, ends + first, bad);
  }
  free(w.spans);
  return status;
}
