/* Columns of keys: elements of each layout as spans of bytes. */

#include "rvh_kernels_impl.h"

size_t rvh_column_scratch(const rvh_column *column) {
  switch (column->layout) {
    case RVH_INTEGERS:
      return 8;
    case RVH_UCS4:
      return column->itemsize; /* a code point is 4 bytes in and 1 to 4 bytes out */
    case RVH_PADDED:
    case RVH_OFFSETS:
      break;
  }
  return 0;
}

static uint32_t load_code_point(const uint8_t *p, int swapped) {
  uint32_t c;
  memcpy(&c, p, 4);
  return swapped ? c >> 24 | (c >> 8 & 0xff00) | (c & 0xff00) << 8 | c << 24 : c;
}

/* UTF-8 of n code points; returns the bytes written, or -1 for a surrogate or no code point. */
static ptrdiff_t utf8(const uint8_t *p, size_t n, int swapped, uint8_t *out) {
  uint8_t *start = out;
  while (n > 0 && load_code_point(p + 4 * (n - 1), 0) == 0) n--; /* zero in any byte order */
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

/* An integer of any width as its 64 bits, the sign extended. */
static uint64_t load_integer(const uint8_t *p, size_t size, int swapped, int is_signed) {
  uint8_t bytes[8];
  if (size == 8 && !swapped) { /* the commonest by far */
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
  const uint8_t *p = column->data + (ptrdiff_t)first * column->stride;
  const ptrdiff_t stride = column->stride;
  const int swapped = column->swapped, is_signed = column->is_signed;
  if (column->itemsize == 8 && stride == 8 && !swapped) {
    memcpy(out, p, 8 * n);
    return;
  }
  /* The size as a constant, so that a compiler makes one load of each. */
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

rvh_status rvh_column_spans(const rvh_column *column, size_t first, size_t n,
                            blake2_simd_bytes *spans, uint8_t *scratch, size_t *bad) {
  const uint8_t *p = column->data + (ptrdiff_t)first * column->stride;
  switch (column->layout) {
    case RVH_PADDED:
      for (size_t i = 0; i < n; i++, p += column->stride)
        spans[i] = (blake2_simd_bytes){p, rvh_without_padding(p, column->itemsize)};
      break;
    case RVH_UCS4:
      for (size_t i = 0; i < n; i++, p += column->stride) {
        ptrdiff_t size = utf8(p, column->itemsize / 4, column->swapped, scratch);
        if (size < 0) {
          *bad = first + i;
          return RVH_BAD_KEY;
        }
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
        const uint64_t *at = column->offsets + first + i;
        spans[i] = (blake2_simd_bytes){column->data + at[0], (size_t)(at[1] - at[0])};
      }
      break;
  }
  return RVH_OK;
}
