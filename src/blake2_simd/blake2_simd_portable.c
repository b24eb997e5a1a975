/* BLAKE2b in portable C, one message at a time: the specification that the other sets are held
 * against, right on any byte order. */

#include "blake2_simd_vec_portable.h"

#define STREAMS 1
#define SCALAR 0

#define ROTR(x, n) ((x) >> (n) | (x) << (64 - (n)))
#define WORD(W, i) ((i) < (W) ? word[(i) < (W) ? (i) : 0] : 0)

/* RFC 7693, 3.1 */
#define MIX(a, b, c, d, x, y) \
  d = ROTR(d ^ a, x);         \
  c = c + d;                  \
  b = ROTR(b ^ c, y);
#define G(W, a, b, c, d, x, y) \
  a = a + WORD(W, x) + b;      \
  MIX(a, b, c, d, 32, 24)      \
  a = a + WORD(W, y) + b;      \
  MIX(a, b, c, d, 16, 63)
#define FIRST_G(W, a, b, c, d, x, y) \
  if ((x) < (W)) {                   \
    a = a + WORD(W, x);              \
    MIX(a, b, c, d, 32, 24)          \
    a = a + WORD(W, y) + b;          \
    MIX(a, b, c, d, 16, 63)          \
  }

#define ROUND_BEGIN
#define ROUND_END
#define FIRST_COLUMNS(W)             \
  FIRST_G(W, v0, v4, v8, v12, 0, 1)  \
  FIRST_G(W, v1, v5, v9, v13, 2, 3)  \
  FIRST_G(W, v2, v6, v10, v14, 4, 5) \
  FIRST_G(W, v3, v7, v11, v15, 6, 7)
#define COLUMNS(W, s0, s1, s2, s3, s4, s5, s6, s7) \
  G(W, v0, v4, v8, v12, s0, s1)                    \
  G(W, v1, v5, v9, v13, s2, s3)                    \
  G(W, v2, v6, v10, v14, s4, s5)                   \
  G(W, v3, v7, v11, v15, s6, s7)
#define DIAGONALS(W, s0, s1, s2, s3, s4, s5, s6, s7) \
  G(W, v0, v5, v10, v15, s0, s1)                     \
  G(W, v1, v6, v11, v12, s2, s3)                     \
  G(W, v2, v7, v8, v13, s4, s5)                      \
  G(W, v3, v4, v9, v14, s6, s7)

#define IMPL blake2_simd_portable
#define IMPL_NAME "portable"
#include "blake2_simd_lanes.h"
