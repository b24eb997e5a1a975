/* The decoders of requests where there is no Python: what they find in messages, and that no change
 * of a byte and no cut leads them outside, which the sanitizers see. */

#include "touch.h"

#include <stdio.h>

static unsigned long checks;

static void check(int ok, const char *what, size_t n) {
  checks++;
  if (ok) return;
  fprintf(stderr, "FAILED %s (%zu)\n", what, n);
  exit(1);
}

/* Two keys, one of them too long for a view; k = 300, with_ids, known_fingerprint "f", pinned. */
static const uint8_t keys[] = {0x0a, 1,    'a', 0x30, 0xac, 2,   0x0a, 13,  't', 'h',
                               'i',  'r',  't', 'e',  'e',  'n', ' ',  'b', 'y', 't',
                               'e',  0x38, 1,   0x42, 1,    'f', 0x48, 1};
/* Texts, the second of which has a letter of each length. */
static const uint8_t texts[] = {0x12, 1,    'a',  0x12, 10,   'b',  0xc3, 0xa9, 0xe2,
                                0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80, 0x12, 0};
/* Integers: 1 by itself, then 2 and -1 packed. */
static const uint8_t integers[] = {0x19, 1,    0,    0,    0,    0,    0,    0,    0,
                                   0x1a, 16,   2,    0,    0,    0,    0,    0,    0,
                                   0,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
/* data "abc", ends 1 and 3. */
static const uint8_t packed[] = {0x22, 3, 'a', 'b', 'c', 0x2a, 8, 1, 0, 0, 0, 3, 0, 0, 0};
static const uint8_t asked[] = {0x12, 1, 'a', 0x30, 2, 0x42, 0};
/* A table at 20 whose vtable is at 4: data "abc" at 36, ends 1 and 3 at 44, k = 2. */
static const uint8_t flat[] = {20, 0,  0,  0,  14, 0,  16, 0, 4, 0,  8, 0, 0, 0, 12, 0, 0, 0, 0,
                               0,  16, 0,  0,  0,  12, 0,  0, 0, 16, 0, 0, 0, 2, 0,  0, 0, 3, 0,
                               0,  0,  97, 98, 99, 0,  2,  0, 0, 0,  1, 0, 0, 0, 3,  0, 0, 0};

static void test_keys(void) {
  rvh_request request;
  const rvh_field *fields = request.fields;
  uint8_t views[32];
  int32_t size, place[2];
  check(decode(BATCH, keys, sizeof keys, &request) == RVH_SOUND, "keys", 0);
  check(fields[RVH_KEYS].count == 2, "keys", 1);
  check(fields[RVH_K].value == 300 && fields[RVH_WITH_IDS].value == 1, "keys", 2);
  check(fields[RVH_KNOWN].size == 1 && keys[fields[RVH_KNOWN].at] == 'f', "keys", 3);
  check(fields[RVH_PINNED].value == 1, "keys", 4);
  rvh_fill_views(keys, sizeof keys, RVH_KEYS, views);
  memcpy(&size, views, 4);
  check(size == 1 && views[4] == 'a' && views[5] == 0 && views[15] == 0, "short view", 0);
  memcpy(&size, views + 16, 4);
  memcpy(place, views + 24, 8);
  check(size == 13 && memcmp(views + 20, "thir", 4) == 0, "long view", 0);
  check(place[0] == 0 && place[1] == 8, "long view", 1);
}

static void test_other_forms(void) {
  rvh_request request;
  uint8_t out[24];
  check(decode(BATCH, texts, sizeof texts, &request) == RVH_SOUND, "texts", 0);
  check(request.fields[RVH_TEXTS].count == 3, "texts", 1);
  check(decode(BATCH, integers, sizeof integers, &request) == RVH_SOUND, "integers", 0);
  check(request.fields[RVH_INTEGERS_FIELD].count == 3, "integers", 1);
  check(request.fields[RVH_INTEGERS_FIELD].pieces == 2, "integers", 2);
  rvh_fill_packed(integers, sizeof integers, RVH_INTEGERS_FIELD, out);
  check(out[0] == 1 && out[8] == 2 && out[16] == 0xff && out[23] == 0xff, "integers", 3);
  check(decode(BATCH, packed, sizeof packed, &request) == RVH_SOUND, "packed", 0);
  check(request.fields[RVH_DATA].at == 2 && request.fields[RVH_DATA].size == 3, "packed", 1);
  check(request.fields[RVH_ENDS].count == 2 && request.fields[RVH_ENDS].at == 7, "packed", 2);
  check(decode(ONE, asked, sizeof asked, &request) == RVH_SOUND, "asked", 0);
  check(request.fields[RVH_TEXTS].at == 2 && request.fields[RVH_TEXTS].size == 1, "asked", 1);
  check(request.fields[RVH_KNOWN].pieces == 1, "asked", 2);
}

static void test_flat(void) {
  rvh_request request;
  const rvh_field *fields = request.fields;
  check(decode(FLAT, flat, sizeof flat, &request) == RVH_SOUND, "flat", 0);
  check(fields[RVH_DATA].size == 3 && flat[fields[RVH_DATA].at] == 'a', "flat", 1);
  check(fields[RVH_ENDS].count == 2 && flat[fields[RVH_ENDS].at] == 1, "flat", 2);
  check(fields[RVH_K].value == 2 && fields[RVH_KNOWN].pieces == 0, "flat", 3);
}

static void test_utf8(void) {
  static const struct {
    const char *text;
    size_t valid;
  } cases[] = {{"", 0},
               {"abcdefghijklm", 13},
               {"abcdefghijklm\x80", 13},
               {"abcdefgh\xc3\xa9", 10},
               {"abcdefg\xc3", 7},
               {"\xc0\x80", 0},
               {"\xe0\x80\x80", 0},
               {"\xed\x9f\xbf\xed\xa0\x80", 3},
               {"\xf0\x8f\xbf\xbf", 0},
               {"\xf4\x8f\xbf\xbf\xf4\x90\x80\x80", 4},
               {"\xf5\x80\x80\x80", 0},
               {"\xe2\x82", 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    check(rvh_utf8((const uint8_t *)cases[i].text, strlen(cases[i].text)) == cases[i].valid,
          "UTF-8", i);
}

/* Every cut of a message, and every value of each of its bytes, in memory of just that size. */
static void test_damaged(wire format, const uint8_t *message, size_t size) {
  rvh_request request;
  for (size_t n = 0; n < size; n++) {
    uint8_t *copy = malloc(n + 1);
    if (copy == NULL) abort();
    memcpy(copy + 1, message, n); /* at an odd address */
    decode(format, copy + 1, n, &request);
    free(copy);
  }
  uint8_t *copy = malloc(size);
  if (copy == NULL) abort();
  for (size_t at = 0; at < size; at++)
    for (unsigned byte = 0; byte < 256; byte++) {
      memcpy(copy, message, size);
      copy[at] = (uint8_t)byte;
      decode(format, copy, size, &request);
      checks++;
    }
  free(copy);
}

int main(void) {
  test_keys();
  test_other_forms();
  test_flat();
  test_utf8();
  for (int i = 0; i < FORMATS; i++) {
    test_damaged((wire)i, keys, sizeof keys);
    test_damaged((wire)i, texts, sizeof texts);
    test_damaged((wire)i, integers, sizeof integers);
    test_damaged((wire)i, packed, sizeof packed);
    test_damaged((wire)i, asked, sizeof asked);
    test_damaged((wire)i, flat, sizeof flat);
  }
  printf("%lu checks passed\n", checks);
  return 0;
}
