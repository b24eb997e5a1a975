/* Rows of delimited text (RFC 4180): where the fields end, and the text that is written again. */
#include <string.h>

#include "rvh_kernels_impl.h"

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* Where the text that is kept so far ends, in the output, and what is dropped next. */
typedef struct {
  const uint8_t *data;
  uint8_t *out;
  size_t kept, written;
} copy;

static void drop(copy *text, size_t at) {
  memcpy(text->out + text->written, text->data + text->kept, at - text->kept);
  text->written += at - text->kept;
  text->kept = at + 1;
}

/* Whether one of 8 bytes is one of a pattern of 8 same ones: a high bit set in the result. */
static uint64_t match(uint64_t bytes, uint64_t pattern) {
  uint64_t differ = bytes ^ pattern;
  return (differ - ONES) & ~differ & HIGHS;
}

/* The place of the next delimiter, quote or line end, or `size`. */
static size_t next_special(const uint8_t *data, size_t at, size_t size, uint8_t delimiter) {
  const uint64_t between = ONES * delimiter;
  uint64_t bytes;
  for (; size - at >= 8; at += 8) {
    memcpy(&bytes, data + at, 8);
    if (match(bytes, between) | match(bytes, ONES * '"') | match(bytes, ONES * '\n') |
        match(bytes, ONES * '\r'))
      break;
  }
  for (; at < size; at++)
    if (data[at] == delimiter || data[at] == '"' || data[at] == '\n' || data[at] == '\r') break;
  return at;
}

/* Pass a value in quotes that begins at `at`; the place behind it, or 0 where it is not whole. */
static size_t pass_quoted(copy *text, size_t at, size_t size, uint8_t delimiter) {
  const uint8_t *data = text->data;
  size_t opening = at++;
  int needed = 0;
  for (;;) {
    at = next_special(data, at, size, delimiter);
    if (at >= size - 1) return 0; /* the last byte is not an end of a value either */
    if (data[at] != '"') {
      needed = 1;
    } else if (data[at + 1] == '"') {
      needed = 1;
      at++;
    } else {
      break;
    }
    at++;
  }
  if (!needed) {
    drop(text, opening);
    drop(text, at);
  }
  return at + 1;
}

int rvh_rows(const uint8_t *data, size_t size, uint8_t delimiter, int quoted, size_t columns,
             size_t limit, uint8_t *out, rvh_row_texts *rows) {
  copy text = {data, out, 0, 0}, whole;
  size_t at = 1, start = 1, field = 0, ends = 0, first = 1, end, closed;
  rows->ends[ends++] = 0;
  whole = text;
  for (;;) {
    /* one value: text up to a delimiter or a line end */
    closed = 0;
    if (quoted && at < size && data[at] == '"') {
      closed = at = pass_quoted(&text, at, size, delimiter);
      if (!at) break;
    }
    for (;;) {
      end = next_special(data, at, size, delimiter);
      if (end == size || data[end] == delimiter || data[end] == '\n') break;
      if (data[end] == '"') {
        if (quoted) return 0;
      } else if (end + 1 == size) {
        end = size;
        break;
      } else if (data[end + 1] != '\n') {
        return 0;
      } else {
        drop(&text, end);
        end++;
        break;
      }
      at = end + 1;
    }
    if (closed && end != closed && !(end == closed + 1 && data[closed] == '\r')) return 0;
    if (end == size) break;
    if (data[end] == '\n' && field == 0 && end - start <= (end > start && data[end - 1] == '\r')) {
      drop(&text, end); /* an empty line */
    } else {
      rows->ends[ends++] = (int32_t)(end - text.kept + text.written);
      field++;
      if (data[end] == '\n') {
        if (field != columns || end - start >= limit) return 0;
        field = 0;
      } else if (field == columns) {
        return 0;
      }
    }
    at = end + 1;
    if (data[end] == '\n') {
      start = at;
      whole = text;
      first = ends;
    }
  }
  rows->end_count = first;
  rows->passed = start - 1;
  text = whole;
  rows->written = 0;
  if (text.kept) {
    drop(&text, start);
    rows->written = text.written;
  }
  return 1;
}
