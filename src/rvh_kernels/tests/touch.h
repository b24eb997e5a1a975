/* Decodes a message as a server does, and reads every byte that its keys are said to have. */
#ifndef TOUCH_H
#define TOUCH_H

#include "../rvh_kernels.h"

#include <stdlib.h>
#include <string.h>

typedef enum { BATCH, ONE, FLAT, FORMATS } wire;

static volatile uint8_t touched; /* so that no compiler leaves the reading out */

static void touch(const uint8_t *p, size_t n) {
  for (size_t i = 0; i < n; i++) touched ^= p[i];
}

/* The elements of a column of texts or keys, as readers of columns see them. */
static void touch_column(const rvh_column *column, size_t n) {
  uint64_t bytes;
  if (n > 0 && rvh_bare_spans(column, 0, n, &bytes) != RVH_OK) abort();
  uint32_t *codes = malloc(n * sizeof *codes + 1);
  rvh_distinct distinct;
  size_t bad;
  memset(&distinct, 0, sizeof distinct);
  if (codes == NULL) abort();
  if (n > 0 && rvh_distinct_add(&distinct, column, 0, n, codes, NULL, &bad) != RVH_OK) abort();
  rvh_distinct_free(&distinct); /* it has read all bytes */
  free(codes);
}

static void touch_views(const uint8_t *message, size_t size, uint32_t number, size_t n) {
  uint8_t *views = malloc(16 * n + 1);
  if (views == NULL) abort();
  rvh_fill_views(message, size, number, views);
  const uint64_t buffer = (uint64_t)(uintptr_t)message, bytes = size;
  const rvh_column column = {.layout = RVH_VIEWS,
                             .data = views,
                             .stride = 16,
                             .buffers = &buffer,
                             .sizes = &bytes,
                             .buffer_count = 1};
  touch_column(&column, n);
  free(views);
}

static void touch_packed(const uint8_t *message, size_t size, uint32_t number, size_t n,
                         size_t width) {
  uint8_t *out = malloc(width * n + 1);
  if (out == NULL) abort();
  rvh_fill_packed(message, size, number, out);
  touch(out, width * n);
  free(out);
}

static rvh_fault decode(wire format, const uint8_t *message, size_t size, rvh_request *request) {
  const rvh_fault fault = format == FLAT ? rvh_scan_flatbuffer(message, size, request)
                                         : rvh_scan_protobuf(message, size, format == ONE, request);
  if (fault != request->fault) abort();
  if (fault != RVH_SOUND) return fault;
  const rvh_field *fields = request->fields;
  for (uint32_t number = RVH_INTEGERS_FIELD; number < RVH_FIELDS; number++)
    touch(message + fields[number].at, fields[number].size);
  if (format == ONE) {
    touch(message + fields[RVH_KEYS].at, fields[RVH_KEYS].size);
    touch(message + fields[RVH_TEXTS].at, fields[RVH_TEXTS].size);
  } else if (format == BATCH) {
    touch_views(message, size, RVH_KEYS, fields[RVH_KEYS].count);
    touch_views(message, size, RVH_TEXTS, fields[RVH_TEXTS].count);
    touch_packed(message, size, RVH_INTEGERS_FIELD, fields[RVH_INTEGERS_FIELD].count, 8);
    touch_packed(message, size, RVH_ENDS, fields[RVH_ENDS].count, 4);
  }
  return fault;
}

#endif
