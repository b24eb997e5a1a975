/* Requests in protobuf: what is in a message, and its keys as views.
 * https://protobuf.dev/programming-guides/encoding/
 *
 * A message is walked twice, to check and count it, and to write what was counted into memory of
 * that size. A field that is not known is a fault: it may have changed the answer. */

#include "rvh_kernels_impl.h"

enum { VARINT = 0, EIGHT = 1, SIZED = 2, FOUR = 5 };

/* By the numbers of fields: the wire types, as bits; 0 where there is no such field. */
typedef struct {
  uint8_t wires[RVH_FIELDS];
  unsigned repeated; /* the fields that may come several times, as bits */
} shape;

static const shape batch = {
    {0, 1 << SIZED, 1 << SIZED, 1 << EIGHT | 1 << SIZED, 1 << SIZED, 1 << FOUR | 1 << SIZED,
     1 << VARINT, 1 << VARINT, 1 << SIZED, 1 << VARINT},
    1 << RVH_KEYS | 1 << RVH_TEXTS | 1 << RVH_INTEGERS_FIELD | 1 << RVH_ENDS};
static const shape asked = {
    {0, 1 << SIZED, 1 << SIZED, 1 << EIGHT, 0, 0, 1 << VARINT, 1 << VARINT, 1 << SIZED, 0}, 0};

/* A walk over the fields. */
typedef struct {
  const uint8_t *message;
  size_t size, next; /* where the next field begins */
  const shape *shape;
  /* the current field: its number, where it begins and its bytes do, how many, or its number */
  uint32_t number;
  size_t begins, at, length;
  uint64_t value;
} walk;

static rvh_fault long_varint(const walk *w, size_t *at, uint64_t *value) {
  uint64_t sum = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (*at == w->size) return RVH_CUT;
    const uint8_t byte = w->message[(*at)++];
    sum |= (uint64_t)(byte & 127) << shift;
    if (byte < 128) {
      *value = sum;
      return shift == 63 && byte > 1 ? RVH_VARINT : RVH_SOUND;
    }
  }
  return RVH_VARINT;
}

static inline rvh_fault varint(const walk *w, size_t *at, uint64_t *value) {
  if (*at < w->size && w->message[*at] < 128) {
    *value = w->message[(*at)++];
    return RVH_SOUND;
  }
  return long_varint(w, at, value);
}

/* Goes on to the next field; w->next < w->size. With a fault, w->number is 0 where it is not the
 * field's own. */
static inline rvh_fault step(walk *w) {
  size_t at = w->begins = w->next;
  uint64_t tag, length;
  w->number = 0;
  rvh_fault fault = varint(w, &at, &tag);
  if (fault != RVH_SOUND) return fault;
  const unsigned wire = tag & 7;
  if (tag < 8 || tag > UINT32_MAX || at - w->begins > 5 || wire == 3 || wire == 4 || wire > FOUR)
    return RVH_TAG;
  const uint32_t number = (uint32_t)(tag >> 3);
  if (number >= RVH_FIELDS || w->shape->wires[number] == 0) {
    w->number = number;
    return RVH_UNKNOWN;
  }
  if (!(w->shape->wires[number] >> wire & 1)) {
    w->number = number;
    w->value = wire;
    return RVH_WIRE;
  }
  switch (wire) {
    case VARINT:
      fault = varint(w, &at, &w->value);
      length = 0;
      break;
    case SIZED:
      fault = varint(w, &at, &length);
      break;
    default:
      length = wire == EIGHT ? 8 : 4;
  }
  if (fault != RVH_SOUND) return fault;
  if (length > w->size - at) return RVH_CUT;
  w->number = number;
  w->at = at;
  w->length = (size_t)length;
  w->next = at + (size_t)length;
  return RVH_SOUND;
}

/* Checks the current field and counts it. */
static inline rvh_fault take(walk *w, rvh_field *field) {
  const uint32_t number = w->number;
  if (number == RVH_K && w->value > UINT32_MAX) return RVH_RANGE;
  const size_t width = number == RVH_INTEGERS_FIELD ? 8 : number == RVH_ENDS ? 4 : 0;
  if (width != 0 && w->length % width != 0) {
    w->value = w->length;
    return RVH_PACKED;
  }
  if (field->pieces > 0 && !(w->shape->repeated >> number & 1)) return RVH_TWICE;
  if (number == RVH_TEXTS || number == RVH_KNOWN) {
    const size_t valid = rvh_utf8(w->message + w->at, w->length);
    if (valid < w->length) {
      w->begins = field->pieces;
      w->value = valid;
      return RVH_UTF8;
    }
  }
  field->pieces++;
  field->count += width == 0 ? 1 : w->length / width;
  field->at = w->at;
  field->size = w->length;
  field->value = w->value;
  return RVH_SOUND;
}

/* Goes on over a piece with the same tag as the current one, where its tag and its length have one
 * byte each; returns whether there is one. Keys and texts are mostly such: half the time of step().
 * What is odd is left to step(). */
static inline int step_short(walk *w, uint8_t tag) {
  const size_t at = w->next + 2;
  if (at > w->size || w->message[at - 2] != tag || tag > 127) return 0;
  const uint8_t length = w->message[at - 1];
  if (length > 127 || length > w->size - at) return 0;
  w->at = at;
  w->length = length;
  w->next = at + length;
  return 1;
}

/* Counts the short pieces that follow the current one. */
static void count_short(walk *walked, rvh_field *field) {
  walk w = *walked; /* in registers */
  const int text = w.number == RVH_TEXTS;
  const uint8_t tag = w.message[w.begins];
  size_t count = 0;
  while (step_short(&w, tag)) {
    if (text && rvh_utf8(w.message + w.at, w.length) < w.length) break;
    walked->next = w.next;
    count++;
  }
  field->pieces += count;
  field->count += count;
}

rvh_fault rvh_scan_protobuf(const uint8_t *message, size_t size, int one, rvh_request *request) {
  walk w = {.message = message, .size = size, .shape = one ? &asked : &batch};
  rvh_fault fault = RVH_SOUND;
  memset(request, 0, sizeof *request);
  while (fault == RVH_SOUND && w.next < size) {
    fault = step(&w);
    if (fault == RVH_SOUND) fault = take(&w, &request->fields[w.number]);
    if (fault == RVH_SOUND && !one && (w.number == RVH_KEYS || w.number == RVH_TEXTS))
      count_short(&w, &request->fields[w.number]);
  }
  request->fault = fault;
  request->field = w.number;
  request->at = w.begins;
  request->value = w.value;
  return fault;
}

static inline void write_view(uint8_t *view, const walk *w) {
  const int32_t size = (int32_t)w->length, place[2] = {0, (int32_t)w->at};
  memcpy(view, &size, 4);
  if (size <= 12) {
    memset(view + 4, 0, 12);
    memcpy(view + 4, w->message + w->at, w->length);
  } else {
    memcpy(view + 4, w->message + w->at, 4);
    memcpy(view + 8, place, 8);
  }
}

void rvh_fill_views(const uint8_t *message, size_t size, uint32_t number, uint8_t *views) {
  walk w = {.message = message, .size = size, .shape = &batch};
  while (w.next < size && step(&w) == RVH_SOUND) {
    if (w.number != number) continue;
    const uint8_t tag = message[w.begins];
    do {
      write_view(views, &w);
      views += 16;
    } while (step_short(&w, tag));
  }
}

void rvh_fill_packed(const uint8_t *message, size_t size, uint32_t number, uint8_t *out) {
  walk w = {.message = message, .size = size, .shape = &batch};
  while (w.next < size && step(&w) == RVH_SOUND) {
    if (w.number != number) continue;
    memcpy(out, message + w.at, w.length);
    out += w.length;
  }
}

/* The length of the sequence of UTF-8 that begins with a byte above 0x7f; 0 where there is none.
 * The second byte has a range of its own: no overlong sequences, no surrogates, nothing above
 * U+10FFFF. */
static size_t sequence(const uint8_t *p, size_t left) {
  const uint8_t lead = p[0];
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (left < size || p[1] < low || p[1] > high) return 0;
  for (size_t i = 2; i < size; i++)
    if ((p[i] & 0xc0) != 0x80) return 0;
  return size;
}

static inline int eight_ascii(const uint8_t *p) {
  uint64_t word;
  memcpy(&word, p, 8);
  return (word & 0x8080808080808080u) == 0;
}

size_t rvh_utf8(const uint8_t *p, size_t n) {
  size_t i = 0;
  while (i < n) {
    if (n - i >= 8 && eight_ascii(p + i)) {
      i += 8;
    } else if (n >= 8 && n - i < 8 && eight_ascii(p + n - 8)) { /* the rest, some of it again */
      return n;
    } else if (p[i] < 0x80) {
      i++;
    } else {
      const size_t size = sequence(p + i, n - i);
      if (size == 0) return i;
      i += size;
    }
  }
  return n;
}
