/* What must hold of any input: a sanitizer and a fuzzer report where it does not. */
#ifndef REQUIRE_H
#define REQUIRE_H

#include <stdlib.h>

#define REQUIRE(ok)     \
  do {                  \
    if (!(ok)) abort(); \
  } while (0)

#endif
