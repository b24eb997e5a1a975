/* libFuzzer on the readers of rows. The first byte of an input says what the rest is: objects, or
 * rows of so many columns with or without quotes. */

#include "touch_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  if (data[0] == '{')
    read_objects(data, size);
  else
    read_rows(data + 1, size - 1, data[0] & 1 ? ',' : '\t', data[0] >> 1 & 1,
              1 + (data[0] >> 2 & 3));
  return 0;
}
