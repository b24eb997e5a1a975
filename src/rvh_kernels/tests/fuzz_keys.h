/* Columns of keys of every layout out of a fuzzer's input. */
#ifndef FUZZ_KEYS_H
#define FUZZ_KEYS_H

#include "fuzz.h"
#include "plain.h"

typedef struct {
  rvh_column column;
  size_t count;            /* rows */
  size_t bad;              /* the first row without bytes, or `count` */
  blake2_simd_bytes *rows; /* before `bad` */
} keys;

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
    else if (!plain_element(&made.column, at, out, &made.rows[i]))
      break;
  }
  return made;
}

#endif
