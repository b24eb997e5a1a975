/* The readers of rows where there is no Python: what they find in text, and that no change of a
 * byte and no cut leads them outside, which the sanitizers see. */

#include "touch_rows.h"

#include <stdio.h>

static unsigned long checks;

static void check(int ok, const char *what) {
  checks++;
  if (ok) return;
  fprintf(stderr, "FAILED %s\n", what);
  exit(1);
}

static size_t rows(const char *text, int quoted, size_t columns) {
  return read_rows((const uint8_t *)text, strlen(text), ',', quoted, columns);
}

static size_t objects(const char *text) {
  return read_objects((const uint8_t *)text, strlen(text));
}

static void test_rows(void) {
  check(rows("a,b\nc,d\n", 1, 2) == 5, "two rows");
  check(rows("a,b\nc,d", 1, 2) == 3, "a row without its end waits");
  check(rows("\"a\",b\r\n\n\"c,\"\"\nd\",e\n", 1, 2) == 5, "quotes, CRLF, an empty line");
  check(rows("a,\"b\n", 1, 2) == 1, "a quote that is open waits");
  check(rows("\"a,b\n", 0, 2) == 3, "quotes as characters");
  check(rows("a,b,c\n", 1, 2) == 0, "too many columns");
  check(rows("a\n", 1, 2) == 0, "too few");
  check(rows("a\"b,c\n", 1, 2) == 0, "a quote within a value");
  check(rows("a\rb,c\n", 1, 2) == 0, "CR alone");
}

static void test_objects(void) {
  check(
      objects("{\"a\": 1, \"b\": [true, {\"c\": null}]}\n {\"b\":\"\\u00e9\",\"d\":-0.5e+9}") == 3,
      "members of two lines");
  check(objects("{\"\xc3\xa9\": \"\xf0\x9f\x98\x80\"}") == 1, "UTF-8");
  const char *const wrong[] = {"{\"a\": 1, \"a\": 2}",
                               "{\"a\": NaN}",
                               "{\"a\": 01}",
                               "{\"a\": 1,}",
                               "{\"a\": \"\xed\xa0\x80\"}",
                               "{\"a\": \"\xc3\"}",
                               "{\"a\": \"\\x\"}",
                               "{\"a\": {\"b\":1,\"b\":1}}",
                               "[1]",
                               "{\"a\": 1} 2",
                               "{\"a\": \"\t\"}",
                               "{\"a\": -}"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) check(objects(wrong[i]) == 0, wrong[i]);
  char deep[256] = "{\"a\":";
  memset(deep + 5, '[', 200);
  check(objects(deep) == 0, "nesting");
}

/* Every cut of the texts, and every byte of them as every other. */
static void test_damage(void) {
  const char *const texts[] = {"a,\"b\"\r\n\n\"c\"\"\n\",d\n",
                               "{\"a\": [1.5e3, \"\\n\xc3\xa9\"]}\n{\"b\": {\"c\": true}}\n"};
  uint8_t text[64];
  for (size_t t = 0; t < 2; t++) {
    const size_t size = strlen(texts[t]);
    for (size_t at = 0; at < size; at++) {
      memcpy(text, texts[t], size);
      for (unsigned byte = 0; byte < 256; byte++) {
        text[at] = (uint8_t)byte;
        for (size_t columns = 1; columns < 4; columns++) read_rows(text, size, ',', 1, columns);
        read_objects(text, size);
        checks++;
      }
      read_rows((const uint8_t *)texts[t], at, ',', 1, 2);
      read_objects((const uint8_t *)texts[t], at);
    }
  }
}

int main(void) {
  test_rows();
  test_objects();
  test_damage();
  printf("%lu checks of rows\n", checks);
  return 0;
}
