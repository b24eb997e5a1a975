/* BLAKE2b with NEON: two messages at a time. Sixteen state words leave half of the 32 registers
 * free, and four independent Gs a half-round hide the latency, so plain intrinsics do. */

#include "blake2_simd_impl.h"

#if defined(BLAKE2_SIMD_ARM64)

#include "blake2_simd_vec_neon.h"

#define STREAMS 1
#define SCALAR 0

static const uint8_t rotate_24_bytes[16] = {3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10};
static const uint8_t rotate_16_bytes[16] = {2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9};

#define BYTES(a, table) vreinterpretq_u64_u8(vqtbl1q_u8(vreinterpretq_u8_u64(a), table))
#define ROTR_32(a) vreinterpretq_u64_u32(vrev64q_u32(vreinterpretq_u32_u64(a)))
#define ROTR_24(a) BYTES(a, rotate_24)
#define ROTR_16(a) BYTES(a, rotate_16)
#define ROTR_63(a) vsriq_n_u64(vaddq_u64(a, a), a, 63)
#define ADD_WORD(W, a, i) \
  if ((i) < (W)) a = vaddq_u64(a, V_LOAD(word + (i) * STRIDE));

#define MIX(a, b, c, d, rotate_d, rotate_b) \
  d = rotate_d(V_XOR(d, a));                \
  c = vaddq_u64(c, d);                      \
  b = rotate_b(V_XOR(b, c));
#define G(W, a, b, c, d, x, y)      \
  ADD_WORD(W, a, x)                 \
  a = vaddq_u64(a, b);              \
  MIX(a, b, c, d, ROTR_32, ROTR_24) \
  ADD_WORD(W, a, y)                 \
  a = vaddq_u64(a, b);              \
  MIX(a, b, c, d, ROTR_16, ROTR_63)
#define FIRST_G(W, a, b, c, d, x, y)  \
  if ((x) < (W)) {                    \
    ADD_WORD(W, a, x)                 \
    MIX(a, b, c, d, ROTR_32, ROTR_24) \
    ADD_WORD(W, a, y)                 \
    a = vaddq_u64(a, b);              \
    MIX(a, b, c, d, ROTR_16, ROTR_63) \
  }

#define ROUND_BEGIN                                       \
  const uint8x16_t rotate_24 = vld1q_u8(rotate_24_bytes); \
  const uint8x16_t rotate_16 = vld1q_u8(rotate_16_bytes);
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

#define IMPL blake2_simd_neon
#define IMPL_NAME "neon"
#include "blake2_simd_lanes.h"

#endif
