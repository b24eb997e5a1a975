/* NEON (AArch64): two 64-bit words a vector. The same names as every vector header. */
#ifndef BLAKE2_SIMD_VEC_NEON_H
#define BLAKE2_SIMD_VEC_NEON_H

#include <arm_neon.h>
#include <stdint.h>

#define V uint64x2_t
#define V_LANES 2
#define V_LOAD(p) vld1q_u64(p)
#define V_STORE(p, x) vst1q_u64(p, x)
#define V_SET1(x) vdupq_n_u64(x)
#define V_XOR(a, b) veorq_u64(a, b)
#define V_OR(a, b) vorrq_u64(a, b)
#define V_SHL(a, n) vshlq_u64(a, vdupq_n_s64((int64_t)(n)))
#define V_SHR(a, n) vshlq_u64(a, vdupq_n_s64(-(int64_t)(n)))
#define V_BSWAP(a) vreinterpretq_u64_u8(vrev64q_u8(vreinterpretq_u8_u64(a)))

/* masks: all ones or zero a word */
#define V_MASK uint64x2_t
#define V_GT(a, b) vcgtq_u64(a, b)
#define V_EQ(a, b) vceqq_u64(a, b)
#define V_MASK_OR(a, b) vorrq_u64(a, b)
#define V_ANY(mask) (vmaxvq_u32(vreinterpretq_u32_u64(mask)) != 0)
#define V_SELECT(mask, a, b) vbslq_u64(mask, a, b)

#endif
