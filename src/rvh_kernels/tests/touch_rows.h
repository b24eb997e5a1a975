/* Reads rows of files as `rvh._tables` does, in memory of their own size, and checks what holds for
 * any bytes: places in order and within, and that what was written is read as it is. */
#ifndef TOUCH_ROWS_H
#define TOUCH_ROWS_H

#include "../rvh_kernels.h"
#include "require.h"

#include <string.h>

/* A newline and `size` bytes of text, in memory that ends with them. */
static uint8_t *lines_of(const uint8_t *text, size_t size) {
  uint8_t *lines = malloc(size + 1);
  REQUIRE(lines != NULL);
  lines[0] = '\n';
  if (size > 0) memcpy(lines + 1, text, size);
  return lines;
}

/* Returns how many ends of fields there are, 0 where the text needs a closer look. */
static size_t read_rows(const uint8_t *text, size_t size, uint8_t delimiter, int quoted,
                        size_t columns) {
  uint8_t *data = lines_of(text, size++), *out = malloc(size);
  int32_t *ends = malloc(size * sizeof *ends);
  REQUIRE(out != NULL && ends != NULL);
  rvh_row_texts rows = {.ends = ends};
  const int found = rvh_rows(data, size, delimiter, quoted, columns, 1 << 16, out, &rows);
  size_t count = 0;
  if (found) {
    const uint8_t *kept = rows.written > 0 ? out : data;
    const size_t length = rows.written > 0 ? rows.written : rows.passed + 1;
    count = rows.end_count;
    REQUIRE(count % columns == 1 % columns && ends[0] == 0);
    REQUIRE(rows.passed < size && data[rows.passed] == '\n' && length <= size);
    for (size_t i = 1; i < count; i++) {
      const uint8_t end = i % columns == 0 ? '\n' : delimiter;
      REQUIRE(ends[i] > ends[i - 1] && (size_t)ends[i] < length && kept[ends[i]] == end);
    }
    if (rows.written > 0) {
      REQUIRE((size_t)ends[count - 1] == length - 1);
      if (columns > 1) /* an empty value alone on its row is an empty line until a node follows */
        REQUIRE(read_rows(kept + 1, length - 1, delimiter, quoted, columns) == count);
    }
  }
  free(data);
  free(out);
  free(ends);
  return count;
}

/* Returns how many members the objects of the lines have, 0 where they need a closer look. */
static size_t read_objects(const uint8_t *text, size_t size) {
  uint8_t *data = lines_of(text, size++);
  intptr_t *ends = malloc((size + 1) * sizeof *ends);
  REQUIRE(ends != NULL);
  size_t lines = 0, count = 0;
  for (size_t i = 0; i < size; i++)
    if (data[i] == '\n') ends[lines++] = (intptr_t)i;
  if (data[size - 1] != '\n') ends[lines++] = (intptr_t)size;
  lines--;
  rvh_members members;
  if (rvh_objects(data, ends, lines, &members)) {
    int32_t *bounds = malloc((2 * lines + 1) * sizeof *bounds);
    REQUIRE(bounds != NULL && members.count <= RVH_MEMBERS);
    count = members.count;
    for (size_t n = 0; n < count; n++) {
      if (!rvh_values(data, ends, lines, members.names[n], bounds)) continue;
      for (size_t i = 0; i < lines; i++)
        REQUIRE(ends[i] < bounds[2 * i] && bounds[2 * i] < bounds[2 * i + 1] &&
                bounds[2 * i + 1] < ends[i + 1]);
    }
    free(bounds);
  }
  free(data);
  free(ends);
  return count;
}

#endif
