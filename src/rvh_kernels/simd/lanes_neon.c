/* Every kernel over vectors with NEON; the third key of a tile goes through the scalar registers.
 */

#include "blake2_simd_impl.h"

#if defined(BLAKE2_SIMD_ARM64)

#include "vec_neon.h"

#define STREAMS 1
#define SCALAR 1
#define IN_FLIGHT 2
#define VECTORS 2
#define BESIDE 2
#define NAME(kernel) rvh_##kernel##_neon
#include "lanes.h"

#endif
