/* Columns of keys of every layout out of a fuzzer's input, and their elements' bytes by the
 * layouts' definitions. */
#ifndef FUZZ_KEYS_H
#define FUZZ_KEYS_H

#include "fuzz.h"

typedef struct {
  rvh_column column;
  size_t count;            /* rows */
  size_t bad;              /* the first row without bytes, or `count` */
  blake2_simd_bytes *rows; /* before `bad` */
} keys;

/* The lowest first. */
static inline uint64_t number_at(const uint8_t *p, size_t size, int swapped) {
  const uint16_t one = 1;
  const int little = *(const uint8_t *)&one == 1;
  uint64_t x = 0;
  for (size_t i = 0; i < size; i++) x |= (uint64_t)p[little != swapped ? i : size - 1 - i] << 8 * i;
  return x;
}

/* UTF-8 of a code point; returns its bytes, 0 where it has none. */
static inline size_t plain_utf8(uint64_t c, uint8_t *out) {
  const size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) return 0;
  for (size_t i = size; i-- > 1; c >>= 6) out[i] = (uint8_t)(0x80 | (c & 0x3f));
  out[0] = (uint8_t)(size == 1 ? c : c | (0xf00u >> size & 0xff));
  return size;
}

/* Where the bytes of element `at` are: in place or in `out`. Returns 0 where it has none. */
static inline int element(const rvh_column *c, size_t at, uint8_t *out, blake2_simd_bytes *span) {
  const uint8_t *p = c->layout == RVH_OFFSETS ? NULL : c->data + (ptrdiff_t)at * c->stride;
  *span = (blake2_simd_bytes){p, c->itemsize};
  switch (c->layout) {
    case RVH_FIXED:
      return 1;
    case RVH_PADDED:
      while (span->size > 0 && p[span->size - 1] == 0) span->size--;
      return 1;
    case RVH_UCS4: {
      size_t n = c->itemsize / 4, size = 0;
      while (n > 0 && number_at(p + 4 * (n - 1), 4, c->swapped) == 0) n--;
      for (size_t i = 0; i < n; i++) {
        const size_t more = plain_utf8(number_at(p + 4 * i, 4, c->swapped), out + size);
        if (more == 0) return 0;
        size += more;
      }
      *span = (blake2_simd_bytes){out, size};
      return 1;
    }
    case RVH_INTEGERS: {
      uint64_t x = number_at(p, c->itemsize, c->swapped);
      if (c->is_signed && c->itemsize < 8 && x >> (8 * c->itemsize - 1))
        x |= ~(uint64_t)0 << 8 * c->itemsize;
      for (size_t i = 0; i < 8; i++) out[i] = (uint8_t)(x >> 8 * i);
      *span = (blake2_simd_bytes){out, 8};
      return 1;
    }
    case RVH_OFFSETS: {
      const uint8_t *offset = (const uint8_t *)c->offsets + at * c->offset_size;
      const uint64_t start = number_at(offset, c->offset_size, 0);
      const uint64_t end = number_at(offset + c->offset_size, c->offset_size, 0);
      *span = (blake2_simd_bytes){c->data + start, (size_t)(end - start)};
      return 1;
    }
    case RVH_VIEWS: {
      const uint64_t size = number_at(p, 4, 0), buffer = number_at(p + 8, 4, 0);
      const uint64_t start = number_at(p + 12, 4, 0), most = INT32_MAX;
      *span = (blake2_simd_bytes){p + 4, (size_t)size};
      if (size <= 12) return 1;
      if (size > most || start > most || buffer >= c->buffer_count) return 0;
      span->data = (const uint8_t *)(uintptr_t)c->buffers[buffer] + start;
      return start + size <= c->sizes[buffer];
    }
  }
  abort();
}

/* A view: any 16 bytes, or one into a buffer, mostly near its end; the third is not there. */
static inline void make_view(input *in, const uint64_t *sizes, uint8_t *view) {
  const uint32_t kind = (uint32_t)below(in, 256), size = kind % 32, buffer = kind / 32 % 3;
  if (kind < 64) {
    for (size_t i = 0; i < 16; i++) view[i] = (uint8_t)take(in, 1);
  } else {
    const uint32_t end = buffer < 2 ? (uint32_t)sizes[buffer] : 0, past = (uint32_t)below(in, 16);
    const uint32_t fields[4] = {size, 0, buffer, past > 12 ? 0 : end - size + 1 - past};
    memcpy(view, fields, 16);
  }
}

/* A code point, mostly of one byte, or something that is none. */
static inline uint32_t make_point(input *in) {
  const uint32_t first = (uint32_t)take(in, 1);
  return first < 0x80 ? first : (first & 0x7f) << 16 | (uint32_t)take(in, 2);
}

/* Up to 40 elements in a layout, or in one of a set of layouts (bits). */
static inline size_t make_elements(input *in, rvh_column *c, unsigned layouts) {
  const size_t n = 1 + below(in, 40);
  c->layout = (rvh_layout)below(in, 6);
  while ((layouts >> c->layout & 1) == 0) c->layout = (rvh_layout)((c->layout + 1) % 6);
  c->swapped = (int)below(in, 4);
  c->is_signed = c->swapped / 2;
  c->swapped %= 2;
  if (c->layout == RVH_OFFSETS) {
    uint64_t *offsets = room(in, (n + 1) * 8);
    c->data = strings(in, n, offsets);
    c->offset_size = c->is_signed ? 4 : 8;
    uint8_t *exact = room(in, (n + 1) * c->offset_size);
    for (size_t i = 0; i <= n; i++) {
      const uint32_t narrow = (uint32_t)offsets[i];
      memcpy(exact + i * c->offset_size, c->offset_size == 4 ? (const void *)&narrow : &offsets[i],
             c->offset_size);
    }
    c->offsets = exact;
    return n;
  }
  const size_t size = c->layout == RVH_VIEWS      ? 16
                      : c->layout == RVH_INTEGERS ? (size_t)1 << below(in, 4)
                      : c->layout == RVH_UCS4     ? 4 * below(in, 20)
                                                  : length(in);
  uint64_t *sizes = NULL;
  if (c->layout == RVH_VIEWS) {
    uint64_t *buffers = room(in, 16);
    sizes = room(in, 16);
    for (size_t i = 0; i < 2; i++) {
      sizes[i] = length(in);
      buffers[i] = (uintptr_t)bytes(in, (size_t)sizes[i]);
    }
    c->buffers = buffers;
    c->sizes = sizes;
    c->buffer_count = 2;
  }
  const size_t apart = below(in, 8), gap = apart / 2, step = size + gap;
  uint8_t *data = room(in, size + (n - 1) * step);
  for (size_t i = 0; i < n; i++) {
    uint8_t *p = data + i * step;
    for (size_t b = 0; b < size && c->layout != RVH_VIEWS && c->layout != RVH_UCS4; b++)
      p[b] = (uint8_t)take(in, 1);
    for (size_t b = 0; b < size && c->layout == RVH_UCS4; b += 4) {
      const uint32_t point = make_point(in);
      for (size_t j = 0; j < 4; j++) p[b + j] = ((const uint8_t *)&point)[c->swapped ? 3 - j : j];
    }
    if (c->layout == RVH_VIEWS) make_view(in, sizes, p);
  }
  c->itemsize = size;
  c->stride = apart % 2 ? -(ptrdiff_t)step : (ptrdiff_t)step;
  c->data = apart % 2 ? data + (n - 1) * step : data;
  return n;
}

enum { ANY_LAYOUT = 63 };

/* A column: all its elements, or some of them, each any number of times; now and then more rows
 * than the kernels work on at a time. */
static inline keys make_keys(input *in, unsigned layouts) {
  keys made = {.column = {0}};
  const size_t n = make_elements(in, &made.column, layouts), which = below(in, 256);
  made.count = n;
  if (which >= 128) {
    made.count = which < 248 ? which - 128 : 1020 + which - 248;
    int64_t *rows = room(in, made.count * sizeof *rows);
    const size_t step = 1 + below(in, 7);
    for (size_t i = 0; i < made.count; i++) rows[i] = (int64_t)(i * step % n);
    made.column.rows = rows;
  }
  made.rows = room(in, made.count * sizeof *made.rows);
  for (made.bad = 0; made.bad < made.count; made.bad++) {
    const size_t i = made.bad, at = made.column.rows ? (size_t)made.column.rows[i] : i;
    const int loaded = made.column.layout == RVH_UCS4 || made.column.layout == RVH_INTEGERS;
    uint8_t *out = loaded && i < n ? room(in, made.column.itemsize + 8) : NULL;
    if (i >= n) /* the same element again */
      made.rows[i] = made.rows[i - n];
    else if (!element(&made.column, at, out, &made.rows[i]))
      break;
  }
  return made;
}

#endif
