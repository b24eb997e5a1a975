/* libFuzzer on the decoders of requests. The first byte of an input is the format, the rest is the
 * message, in memory of its own size: a sanitizer sees each byte that is read beyond it. */

#include "touch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  rvh_request request;
  if (size == 0) return 0;
  uint8_t *message = malloc(size - 1 > 0 ? size - 1 : 1);
  if (message == NULL) abort();
  memcpy(message, data + 1, size - 1);
  decode((wire)(data[0] % FORMATS), message, size - 1, &request);
  free(message);
  return 0;
}
