/* Requests in FlatBuffers: a table verified by hand, and where its fields stand.
 * https://flatbuffers.dev/internals/
 *
 * Numbers are little-endian and read byte by byte, since a message may begin anywhere in memory. */

#include "rvh_kernels_impl.h"

/* The fields of the table in order: their numbers in selection.proto, the bytes of one in the
 * table, and those of an element where it is a vector. */
static const struct {
  uint8_t number, own, width;
} table_fields[] = {{RVH_DATA, 4, 1},  {RVH_ENDS, 4, 4},     {RVH_INTEGERS_FIELD, 4, 8},
                    {RVH_K, 4, 0},     {RVH_WITH_IDS, 1, 0}, {RVH_KNOWN, 4, 1},
                    {RVH_PINNED, 1, 0}};
enum { TABLE_FIELDS = sizeof table_fields / sizeof *table_fields };

typedef struct {
  const uint8_t *message;
  size_t size;
  rvh_request *request;
} buffer;

static rvh_fault broken(const buffer *b, size_t at) {
  b->request->at = at;
  return b->request->fault = RVH_OFFSET;
}

/* Whether `n` bytes at `at` are in the message. */
static int within(const buffer *b, uint64_t at, uint64_t n) {
  return at <= b->size && n <= b->size - at;
}

static uint32_t load(const buffer *b, size_t at, size_t n) {
  uint32_t value = 0;
  for (size_t i = 0; i < n; i++) value |= (uint32_t)b->message[at + i] << (8 * i);
  return value;
}

/* A vector or string whose offset stands at `at`. */
static rvh_fault vector(const buffer *b, size_t at, uint32_t number, size_t width) {
  rvh_field *field = &b->request->fields[number];
  const uint64_t begins = (uint64_t)at + load(b, at, 4);
  const int text = number == RVH_KNOWN;
  if (!within(b, begins, 4)) return broken(b, at);
  const uint64_t count = load(b, (size_t)begins, 4), size = count * width;
  if (!within(b, begins + 4, size + (uint64_t)text)) return broken(b, (size_t)begins);
  field->pieces = 1;
  field->count = (size_t)count;
  field->at = (size_t)begins + 4;
  field->size = (size_t)size;
  if (!text) return RVH_SOUND;
  if (b->message[field->at + field->size] != 0) return broken(b, (size_t)begins);
  const size_t valid = rvh_utf8(b->message + field->at, field->size);
  if (valid == field->size) return RVH_SOUND;
  b->request->field = number;
  b->request->at = 0;
  b->request->value = valid;
  return b->request->fault = RVH_UTF8;
}

rvh_fault rvh_scan_flatbuffer(const uint8_t *message, size_t size, rvh_request *request) {
  const buffer b = {message, size, request};
  memset(request, 0, sizeof *request);
  if (!within(&b, 0, 4)) return broken(&b, 0);
  const size_t table = load(&b, 0, 4);
  if (!within(&b, table, 4)) return broken(&b, 0);
  /* The vtable stands `back` bytes before the table, or after it where that is negative. */
  const int64_t back = (int32_t)load(&b, table, 4), place = (int64_t)table - back;
  if (place < 0 || !within(&b, (uint64_t)place, 4)) return broken(&b, table);
  const size_t vtable = (size_t)place;
  const size_t vtable_size = load(&b, vtable, 2), table_size = load(&b, vtable + 2, 2);
  if (vtable_size < 4 || vtable_size % 2 != 0 || !within(&b, vtable, vtable_size) ||
      table_size < 4 || !within(&b, table, table_size))
    return broken(&b, vtable);
  for (size_t i = 0; i < (vtable_size - 4) / 2; i++) {
    const size_t slot = vtable + 4 + 2 * i, offset = load(&b, slot, 2);
    if (offset == 0) continue; /* the field is not there */
    if (i >= TABLE_FIELDS) {
      request->field = (uint32_t)i;
      request->at = slot;
      return request->fault = RVH_UNKNOWN;
    }
    const uint32_t number = table_fields[i].number;
    const size_t own = table_fields[i].own, width = table_fields[i].width;
    if (offset < 4 || offset + own > table_size) return broken(&b, slot);
    if (width != 0) {
      if (vector(&b, table + offset, number, width) != RVH_SOUND) return request->fault;
    } else {
      request->fields[number].pieces = 1;
      request->fields[number].value = load(&b, table + offset, own);
    }
  }
  return RVH_SOUND;
}
