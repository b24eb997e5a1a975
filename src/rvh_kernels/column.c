/* Columns of keys: elements of each layout as spans of bytes. */

#include "rvh_kernels_impl.h"

#include <stdlib.h>

size_t rvh_column_scratch(const rvh_column *column) {
  switch (column->layout) {
    case RVH_INTEGERS:
      return 8;
    case RVH_UCS4:
      return column->itemsize; /* a code point is 4 bytes in and 1 to 4 bytes out */
    case RVH_PADDED:
    case RVH_FIXED:
    case RVH_OFFSETS:
    case RVH_VIEWS:
      break;
  }
  return 0;
}

static uint64_t offset_at(const rvh_column *column, size_t i) {
  const uint8_t *p = (const uint8_t *)column->offsets + i * column->offset_size; /* unaligned */
  if (column->offset_size == 4) {
    uint32_t offset;
    memcpy(&offset, p, 4);
    return offset;
  }
  uint64_t offset;
  memcpy(&offset, p, 8);
  return offset;
}

size_t rvh_column_bytes(const rvh_column *column, size_t first, size_t n) {
  if (column->layout != RVH_OFFSETS && column->layout != RVH_VIEWS) return n * column->itemsize;
  if (column->layout == RVH_OFFSETS && column->rows == NULL)
    return (size_t)(offset_at(column, first + n) - offset_at(column, first));
  size_t sum = 0;
  for (size_t i = first; i < first + n; i++) {
    const size_t at = column->rows == NULL ? i : (size_t)column->rows[i];
    if (column->layout == RVH_OFFSETS) {
      sum += (size_t)(offset_at(column, at + 1) - offset_at(column, at));
    } else {
      uint32_t size;
      memcpy(&size, column->data + (ptrdiff_t)at * column->stride, 4);
      sum += size;
    }
  }
  return sum;
}

size_t rvh_column_batch(const rvh_column *column, size_t first, size_t n, size_t *bytes) {
  while ((*bytes = rvh_column_bytes(column, first, n)) > RVH_BATCH_BYTES && n > 1) n /= 2;
  return n;
}

size_t rvh_column_batch_scratch(const rvh_column *column, size_t n) {
  const size_t each = rvh_column_scratch(column);
  if (each <= RVH_BATCH_BYTES / n) return n * each;
  return each < RVH_BATCH_BYTES ? RVH_BATCH_BYTES : each;
}

static uint32_t load_code_point(const uint8_t *p, int swapped) {
  uint32_t c;
  memcpy(&c, p, 4);
  return swapped ? c >> 24 | (c >> 8 & 0xff00) | (c & 0xff00) << 8 | c << 24 : c;
}

/* Writes n code points of this machine's byte order as bytes; returns whether all were ASCII. Eight
 * at a time, which compilers turn into vectors: half the time of one by one. */
static int ascii(const uint8_t *p, size_t n, uint8_t *out) {
  uint32_t seen = 0;
  for (; n >= 8; n -= 8, p += 32, out += 8) {
    uint32_t c[8];
    memcpy(c, p, sizeof c);
    for (int i = 0; i < 8; i++) {
      seen |= c[i];
      out[i] = (uint8_t)c[i];
    }
  }
  for (; n > 0; n--, p += 4) {
    const uint32_t c = load_code_point(p, 0);
    seen |= c;
    *out++ = (uint8_t)c;
  }
  return seen < 0x80;
}

/* UTF-8 of n code points; returns the bytes written, or -1 for a surrogate or no code point. */
static ptrdiff_t utf8(const uint8_t *p, size_t n, int swapped, uint8_t *out) {
  uint8_t *start = out;
  while (n > 0 && load_code_point(p + 4 * (n - 1), 0) == 0) n--; /* zero in any byte order */
  if (!swapped && ascii(p, n, out)) return (ptrdiff_t)n;
  for (; n > 0; n--, p += 4) {
    uint32_t c = load_code_point(p, swapped);
    if (c < 0x80) {
      *out++ = (uint8_t)c;
    } else if (c < 0x800) {
      *out++ = (uint8_t)(0xc0 | c >> 6);
      *out++ = (uint8_t)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
      if (c >= 0xd800 && c < 0xe000) return -1;
      *out++ = (uint8_t)(0xe0 | c >> 12);
      *out++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
      *out++ = (uint8_t)(0x80 | (c & 0x3f));
    } else {
      if (c > 0x10ffff) return -1;
      *out++ = (uint8_t)(0xf0 | c >> 18);
      *out++ = (uint8_t)(0x80 | (c >> 12 & 0x3f));
      *out++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
      *out++ = (uint8_t)(0x80 | (c & 0x3f));
    }
  }
  return out - start;
}

/* Reads a view: up to 12 bytes stand in the view itself, after the size; of longer elements the
 * first four, then the buffer and the offset where they begin. Returns 0 for one that points
 * outside. https://arrow.apache.org/docs/format/Columnar.html#variable-size-binary-view-layout */
static int view(const rvh_column *column, const uint8_t *p, blake2_simd_bytes *span) {
  int32_t size, buffer, at;
  memcpy(&size, p, 4);
  if (size >= 0 && size <= 12) {
    *span = (blake2_simd_bytes){p + 4, (size_t)size};
    return 1;
  }
  memcpy(&buffer, p + 8, 4);
  memcpy(&at, p + 12, 4);
  if (size < 0 || buffer < 0 || at < 0 || (size_t)buffer >= column->buffer_count) return 0;
  if ((uint64_t)at + (uint64_t)size > column->sizes[buffer]) return 0;
  const uint8_t *data = (const uint8_t *)(uintptr_t)column->buffers[buffer];
  *span = (blake2_simd_bytes){data + at, (size_t)size};
  return 1;
}

/* An integer of any width as its 64 bits, the sign extended. */
static uint64_t load_integer(const uint8_t *p, size_t size, int swapped, int is_signed) {
  uint8_t bytes[8];
  if (size == 8 && !swapped) { /* by far the most common */
    uint64_t x;
    memcpy(&x, p, 8);
    return x;
  }
  for (size_t i = 0; i < size; i++) bytes[i] = p[swapped ? size - 1 - i : i];
  switch (size) {
    case 1:
      return is_signed ? (uint64_t)(int64_t)(int8_t)bytes[0] : bytes[0];
    case 2: {
      uint16_t x;
      memcpy(&x, bytes, 2);
      return is_signed ? (uint64_t)(int64_t)(int16_t)x : x;
    }
    case 4: {
      uint32_t x;
      memcpy(&x, bytes, 4);
      return is_signed ? (uint64_t)(int64_t)(int32_t)x : x;
    }
    default: {
      uint64_t x;
      memcpy(&x, bytes, 8);
      return x;
    }
  }
}

void rvh_column_integers(const rvh_column *column, size_t first, size_t n, uint64_t *out) {
  const ptrdiff_t stride = column->stride;
  const int swapped = column->swapped, is_signed = column->is_signed;
  if (column->rows != NULL) {
    for (size_t i = 0; i < n; i++)
      out[i] = load_integer(column->data + (ptrdiff_t)column->rows[first + i] * stride,
                            column->itemsize, swapped, is_signed);
    return;
  }
  const uint8_t *p = column->data + (ptrdiff_t)first * stride;
  if (column->itemsize == 8 && stride == 8 && !swapped) {
    memcpy(out, p, 8 * n);
    return;
  }
  /* With the size as a constant, each is compiled to one load. */
#define CASE(size)                                        \
  case size:                                              \
    for (size_t i = 0; i < n; i++, p += stride)           \
      out[i] = load_integer(p, size, swapped, is_signed); \
    break;
  switch (column->itemsize) {
    CASE(1)
    CASE(2)
    CASE(4)
    CASE(8)
  }
#undef CASE
}

/* The spans of elements first to first + n, whatever `rows` says; returns how many come before the
 * first without bytes. *free_scratch moves on by what they use. */
static size_t spans_of(const rvh_column *column, size_t first, size_t n, blake2_simd_bytes *spans,
                       uint8_t **free_scratch) {
  uint8_t *scratch = *free_scratch;
  const uint8_t *p = column->data + (ptrdiff_t)first * column->stride;
  switch (column->layout) {
    case RVH_PADDED:
      for (size_t i = 0; i < n; i++, p += column->stride)
        spans[i] = (blake2_simd_bytes){p, rvh_without_padding(p, column->itemsize)};
      break;
    case RVH_FIXED:
      for (size_t i = 0; i < n; i++, p += column->stride)
        spans[i] = (blake2_simd_bytes){p, column->itemsize};
      break;
    case RVH_UCS4:
      for (size_t i = 0; i < n; i++, p += column->stride) {
        ptrdiff_t size = utf8(p, column->itemsize / 4, column->swapped, scratch);
        if (size < 0) return i;
        spans[i] = (blake2_simd_bytes){scratch, (size_t)size};
        scratch += size;
      }
      break;
    case RVH_INTEGERS:
      for (size_t i = 0; i < n; i++, p += column->stride, scratch += 8) {
        uint64_t x = load_integer(p, column->itemsize, column->swapped, column->is_signed);
        for (int b = 0; b < 8; b++) scratch[b] = (uint8_t)(x >> (8 * b));
        spans[i] = (blake2_simd_bytes){scratch, 8};
      }
      break;
    case RVH_OFFSETS:
      for (size_t i = 0; i < n; i++) {
        const uint64_t at = offset_at(column, first + i), end = offset_at(column, first + i + 1);
        spans[i] = (blake2_simd_bytes){column->data + at, (size_t)(end - at)};
      }
      break;
    case RVH_VIEWS:
      for (size_t i = 0; i < n; i++, p += column->stride)
        if (!view(column, p, &spans[i])) return i;
      break;
  }
  *free_scratch = scratch;
  return n;
}

rvh_status rvh_column_spans(const rvh_column *column, size_t first, size_t n,
                            blake2_simd_bytes *spans, uint8_t *scratch, size_t *bad) {
  size_t done = 0;
  if (column->rows == NULL)
    done = spans_of(column, first, n, spans, &scratch);
  else
    while (done < n &&
           spans_of(column, (size_t)column->rows[first + done], 1, spans + done, &scratch) == 1)
      done++;
  if (done == n) return RVH_OK;
  *bad = first + done;
  return RVH_BAD_KEY;
}

rvh_status rvh_bare_spans(const rvh_column *column, size_t start, size_t stop, uint64_t *bytes) {
  enum { BATCH = 1024 };
  blake2_simd_bytes spans[BATCH];
  size_t bad;
  rvh_status status = RVH_OK;
  uint8_t *scratch = malloc(BATCH * rvh_column_scratch(column) + 1);
  if (scratch == NULL) return RVH_NO_MEMORY;
  *bytes = 0;
  for (size_t row = start, n; row < stop && status == RVH_OK; row += n) {
    n = stop - row < BATCH ? stop - row : BATCH;
    status = rvh_column_spans(column, row, n, spans, scratch, &bad);
    for (size_t i = 0; i < n && status == RVH_OK; i++) *bytes += spans[i].size;
  }
  free(scratch);
  return status;
}
