/* Every kernel over vectors in portable C, one key at a time: the specification in C. */

#include "vec_portable.h"

#define STREAMS 1
#define SCALAR 0
#ifndef IN_FLIGHT
#define IN_FLIGHT 4
#endif
#ifndef BESIDE
#define BESIDE 3
#endif
#define NAME(kernel) rvh_##kernel##_portable
#include "lanes.h"
