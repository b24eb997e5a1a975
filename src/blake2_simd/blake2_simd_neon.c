/* BLAKE2b with NEON: two messages at a time, and a third in the scalar registers. Plain intrinsics
 * do: sixteen state words leave half of the 32 registers free. For a second stream that is not
 * enough, as message words and the tables of rotations need some.
 *
 * On paper: two messages take 12 * (112 + W) vector operations, 696 cycles with two units at W = 4,
 * and as long with four units, where they wait for results. The third message's 12 * (96 + W)
 * scalar ones fit beside them, so it comes free: half as many hashes again. */

#include "blake2_simd_impl.h"

#if defined(BLAKE2_SIMD_ARM64)

#include "blake2_simd_vec_neon.h"

#define STREAMS 1
#define SCALAR 1

static const uint8_t rotate_24_bytes[16] = {3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10};
static const uint8_t rotate_16_bytes[16] = {2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9};

#define BYTES(a, table) vreinterpretq_u64_u8(vqtbl1q_u8(vreinterpretq_u8_u64(a), table))
#define ROTR_32(a) a = vreinterpretq_u64_u32(vrev64q_u32(vreinterpretq_u32_u64(a)));
#define ROTR_24(a) a = BYTES(a, rotate_24);
#define ROTR_16(a) a = BYTES(a, rotate_16);
#define ROTR_63(a) a = vsriq_n_u64(vaddq_u64(a, a), a, 63);
#define ADD(a, b) a = vaddq_u64(a, b);
#define ADD_AT(a, p) a = vaddq_u64(a, V_LOAD(p));
#define XOR(a, b) a = veorq_u64(a, b);

#define ROUND_BEGIN                                       \
  const uint8x16_t rotate_24 = vld1q_u8(rotate_24_bytes); \
  const uint8x16_t rotate_16 = vld1q_u8(rotate_16_bytes);
#define ROUND_END
#define REST_8
#define REST_11

#define IMPL blake2_simd_neon
#define IMPL_NAME "neon"
#include "blake2_simd_lanes.h"

#endif
