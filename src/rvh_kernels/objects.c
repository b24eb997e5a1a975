/* Lines of JSON objects (RFC 8259): whether each is sound, and where a member stands. */
#include <string.h>

#include "rvh_kernels_impl.h"

enum { DEEPEST = 100 };
#define ONES UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* A line that is being read, to `end`, and the names of members that stand in its open objects. */
typedef struct {
  const uint8_t *end;
  size_t count;
  blake2_simd_bytes names[RVH_MEMBERS];
} reading;

static const uint8_t *pass_blank(const uint8_t *at, const uint8_t *end) {
  while (at < end && (*at == ' ' || *at == '\t' || *at == '\r')) at++;
  return at;
}

/* Pass one character that is not ASCII; NULL where it is not UTF-8. */
static const uint8_t *pass_character(const uint8_t *at, const uint8_t *end) {
  size_t more = *at < 0xE0 ? 1 : *at < 0xF0 ? 2 : 3, i;
  uint8_t low = 0x80, high = 0xBF;
  if (*at < 0xC2 || *at > 0xF4 || (size_t)(end - at) <= more) return NULL;
  if (*at == 0xE0) low = 0xA0;
  if (*at == 0xED) high = 0x9F; /* halves of UTF-16's pairs */
  if (*at == 0xF0) low = 0x90;
  if (*at == 0xF4) high = 0x8F;
  if (at[1] < low || at[1] > high) return NULL;
  for (i = 2; i <= more; i++)
    if ((at[i] & 0xC0) != 0x80) return NULL;
  return at + more + 1;
}

static int is_hex(uint8_t byte) {
  uint8_t lower = byte | 0x20;
  return (byte >= '0' && byte <= '9') || (lower >= 'a' && lower <= 'f');
}

static const uint8_t *pass_escape(const uint8_t *at, const uint8_t *end) {
  if (end - at < 2) return NULL;
  if (at[1] != 'u') return memchr("\"\\/bfnrt", at[1], 8) ? at + 2 : NULL;
  if (end - at < 6 || !is_hex(at[2]) || !is_hex(at[3]) || !is_hex(at[4]) || !is_hex(at[5]))
    return NULL;
  return at + 6;
}

/* Pass a text from behind its opening quote to behind the closing one; NULL where it is none. */
static const uint8_t *pass_text(const uint8_t *at, const uint8_t *end, int *escaped) {
  uint64_t bytes, quote, slash;
  *escaped = 0;
  for (;;) {
    for (; end - at >= 8; at += 8) {
      memcpy(&bytes, at, 8);
      quote = bytes ^ (ONES * '"');
      slash = bytes ^ (ONES * '\\');
      /* a high bit for what is not ASCII, a control character, a quote, a backslash */
      if ((bytes | (bytes - ONES * 0x20) | (quote - ONES) | (slash - ONES)) & HIGHS) break;
    }
    if (at >= end || *at < 0x20) return NULL;
    if (*at == '"') return at + 1;
    if (*at == '\\') {
      *escaped = 1;
      at = pass_escape(at, end);
    } else if (*at >= 0x80) {
      at = pass_character(at, end);
    } else {
      at++;
    }
    if (at == NULL) return NULL;
  }
}

static const uint8_t *pass_digits(const uint8_t *at, const uint8_t *end) {
  const uint8_t *start = at;
  while (at < end && *at >= '0' && *at <= '9') at++;
  return at == start ? NULL : at;
}

static const uint8_t *pass_number(const uint8_t *at, const uint8_t *end) {
  const uint8_t *start = at;
  if (at < end && *at == '-') at++;
  if (at < end && *at == '0')
    at++;
  else
    at = pass_digits(at, end);
  if (at != NULL && at < end && *at == '.') at = pass_digits(at + 1, end);
  if (at != NULL && at < end && (*at | 0x20) == 'e') {
    at++;
    if (at < end && (*at == '+' || *at == '-')) at++;
    at = pass_digits(at, end);
  }
  /* Python reads no integer of thousands of digits. */
  return at != NULL && at - start > 300 ? NULL : at;
}

static const uint8_t *pass_word(const uint8_t *at, const uint8_t *end, const char *word) {
  size_t size = strlen(word);
  return (size_t)(end - at) >= size && memcmp(at, word, size) == 0 ? at + size : NULL;
}

static int same(blake2_simd_bytes one, blake2_simd_bytes other) {
  return one.size == other.size && memcmp(one.data, other.data, one.size) == 0;
}

/* Pass the name of a member and the colon; `at` is behind the blanks before it. */
static const uint8_t *pass_name(const uint8_t *at, const uint8_t *end, blake2_simd_bytes *name) {
  int escaped;
  if (at >= end || *at != '"') return NULL;
  name->data = at + 1;
  at = pass_text(at + 1, end, &escaped);
  if (at == NULL || escaped) return NULL;
  name->size = (size_t)(at - 1 - name->data);
  at = pass_blank(at, end);
  return at < end && *at == ':' ? pass_blank(at + 1, end) : NULL;
}

static const uint8_t *pass_value(reading *line, const uint8_t *at, int depth);

static const uint8_t *pass_list(reading *line, const uint8_t *at, int depth) {
  at = pass_blank(at + 1, line->end);
  if (at < line->end && *at == ']') return at + 1;
  for (;;) {
    at = pass_value(line, at, depth);
    if (at == NULL) return NULL;
    at = pass_blank(at, line->end);
    if (at >= line->end) return NULL;
    if (*at == ']') return at + 1;
    if (*at != ',') return NULL;
    at = pass_blank(at + 1, line->end);
  }
}

static const uint8_t *pass_object(reading *line, const uint8_t *at, int depth) {
  size_t first = line->count, i;
  blake2_simd_bytes name;
  at = pass_blank(at + 1, line->end);
  if (at < line->end && *at == '}') return at + 1;
  for (;;) {
    at = pass_name(at, line->end, &name);
    if (at == NULL || line->count == RVH_MEMBERS) return NULL;
    for (i = first; i < line->count; i++)
      if (same(line->names[i], name)) return NULL;
    line->names[line->count++] = name;
    at = pass_value(line, at, depth);
    if (at == NULL) return NULL;
    at = pass_blank(at, line->end);
    if (at >= line->end) return NULL;
    if (*at == '}') break;
    if (*at != ',') return NULL;
    at = pass_blank(at + 1, line->end);
  }
  line->count = first;
  return at + 1;
}

static const uint8_t *pass_value(reading *line, const uint8_t *at, int depth) {
  int escaped;
  if (at >= line->end || (depth == DEEPEST && (*at == '{' || *at == '['))) return NULL;
  switch (*at) {
    case '"':
      return pass_text(at + 1, line->end, &escaped);
    case '{':
      return pass_object(line, at, depth + 1);
    case '[':
      return pass_list(line, at, depth + 1);
    case 't':
      return pass_word(at, line->end, "true");
    case 'f':
      return pass_word(at, line->end, "false");
    case 'n':
      return pass_word(at, line->end, "null");
    default:
      return pass_number(at, line->end);
  }
}

/* The number of a member among all; `guess` is what it is where objects are alike. */
static size_t number_of(rvh_members *members, blake2_simd_bytes name, size_t guess) {
  size_t number;
  if (guess < members->count && same(members->names[guess], name)) return guess;
  for (number = 0; number < members->count; number++)
    if (same(members->names[number], name)) return number;
  if (number < RVH_MEMBERS) members->names[members->count++] = name;
  return number;
}

int rvh_objects(const uint8_t *data, const intptr_t *ends, size_t lines, rvh_members *members) {
  size_t line_of[RVH_MEMBERS] = {0}; /* the last line that has the member, from 1 */
  reading line;
  blake2_simd_bytes name;
  size_t i, number;
  members->count = line.count = 0;
  for (i = 0; i < lines; i++) {
    const uint8_t *at = pass_blank(data + ends[i] + 1, data + ends[i + 1]);
    line.end = data + ends[i + 1];
    if (at >= line.end || *at != '{') return 0;
    at = pass_blank(at + 1, line.end);
    for (number = 0;; number++) {
      at = pass_name(at, line.end, &name);
      if (at == NULL) return 0;
      number = number_of(members, name, number);
      if (number == RVH_MEMBERS || line_of[number] == i + 1) return 0;
      line_of[number] = i + 1;
      at = pass_value(&line, at, 1);
      if (at == NULL) return 0;
      at = pass_blank(at, line.end);
      if (at >= line.end) return 0;
      if (*at == '}') break;
      if (*at != ',') return 0;
      at = pass_blank(at + 1, line.end);
    }
    if (pass_blank(at + 1, line.end) != line.end) return 0;
  }
  return 1;
}

int rvh_values(const uint8_t *data, const intptr_t *ends, size_t lines, blake2_simd_bytes name,
               int32_t *bounds) {
  reading line;
  blake2_simd_bytes own;
  size_t i;
  line.count = 0;
  for (i = 0; i < lines; i++) {
    const uint8_t *at = pass_blank(data + ends[i] + 1, data + ends[i + 1]), *value;
    line.end = data + ends[i + 1];
    do {
      if (at == NULL || at >= line.end || *at == '}') return 0;
      value = pass_name(pass_blank(at + 1, line.end), line.end, &own);
      at = value == NULL ? NULL : pass_value(&line, value, 1);
      if (at == NULL) return 0;
      bounds[2 * i] = (int32_t)(value - data);
      bounds[2 * i + 1] = (int32_t)(at - data);
      at = pass_blank(at, line.end);
    } while (!same(own, name));
  }
  return 1;
}
