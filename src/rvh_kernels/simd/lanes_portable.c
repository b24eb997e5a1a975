/* Every kernel over vectors in portable C, one key at a time: the specification in C. */

#include "vec_portable.h"

#define STREAMS 1
#define SCALAR 0
#define IN_FLIGHT 4
#define VECTORS 1
#define BESIDE 3
#define NAME(kernel) rvh_##kernel##_portable
#include "lanes.h"
