/* NEON: what blake2_simd's vectors have, and arithmetic. The names of every vec_*.h. */
#ifndef RVH_VEC_NEON_H
#define RVH_VEC_NEON_H

#include "blake2_simd_vec_neon.h"

#define V_LOADU(p) vld1q_u64(p)
#define V_STOREU(p, x) vst1q_u64(p, x)
#define V_ADD(a, b) vaddq_u64(a, b)
#define V_SUB(a, b) vsubq_u64(a, b)
#define V_XOR3(a, b, c) V_XOR(V_XOR(a, b), c)
#define V_AND(a, b) vandq_u64(a, b)
#define V_AND_OR(a, b, c) V_OR(V_AND(a, b), c)
#define V_ANDNOT_OR(a, b, c) V_OR(vbicq_u64(b, a), c)
#define V_MUL(a, b) rvh_mul_neon(a, b)
#define V_SRL(a, n) vshrq_n_u64(a, n)
#define V_SLL(a, n) vshlq_n_u64(a, n)
#define V_MASK_AND(a, b) vandq_u64(a, b)
#define V_FIRST(mask) ((size_t)(vgetq_lane_u64(mask, 0) == 0))
#define V_ORDERED(x) (x)
#define V_ORDERED_GT(a, b) V_GT(a, b)
#define V_ORDERED_MAX(a, b) V_SELECT(V_GT(a, b), a, b)
#define V_ORDERED_MIN(a, b) V_SELECT(V_GT(a, b), b, a)
#define V_LEAST(a, b) D_BITS(D_MIN(D_OF_BITS(a), D_OF_BITS(b)))
#define V_MOST(a, b) D_BITS(D_MAX(D_OF_BITS(a), D_OF_BITS(b)))

/* The low 64 bits, from products of halves. */
static inline uint64x2_t rvh_mul_neon(uint64x2_t a, uint64x2_t b) {
  const uint32x4_t swapped = vrev64q_u32(vreinterpretq_u32_u64(b));
  const uint64x2_t cross = vpaddlq_u32(vmulq_u32(vreinterpretq_u32_u64(a), swapped));
  return vaddq_u64(vmull_u32(vmovn_u64(a), vmovn_u64(b)), vshlq_n_u64(cross, 32));
}

#define D float64x2_t
#define D_SET1(x) vdupq_n_f64(x)
#define D_LOAD(p) vld1q_f64(p)
#define D_STORE(p, x) vst1q_f64(p, x)
#define D_ADD(a, b) vaddq_f64(a, b)
#define D_SUB(a, b) vsubq_f64(a, b)
#define D_MUL(a, b) vmulq_f64(a, b)
#define D_DIV(a, b) vdivq_f64(a, b)
#define D_MIN(a, b) vminq_f64(a, b)
#define D_MAX(a, b) vmaxq_f64(a, b)
#define D_FLOOR(a) vrndmq_f64(a)
#define D_TRUNC(a) D_FLOOR(a)
#define D_LT(a, b) vcltq_f64(a, b)
#define D_SELECT(mask, a, b) vbslq_f64(mask, a, b)
#define D_OF_BITS(a) vreinterpretq_f64_u64(a)
#define D_BITS(a) vreinterpretq_u64_f64(a)
#define D_OF_INT(a) vcvtq_f64_u64(a)

/* W: unsigned 32-bit words, and the functions of MD5's rounds. */
#define W uint32x4_t
#define W_LANES 4
#define W_LOAD(p) vld1q_u32(p)
#define W_STORE(p, x) vst1q_u32(p, x)
#define W_SET1(x) vdupq_n_u32(x)
#define W_ADD(a, b) vaddq_u32(a, b)
#define W_ROTL(a, n) vorrq_u32(vshlq_n_u32(a, n), vshrq_n_u32(a, 32 - (n)))
#define W_MD5_F(b, c, d) vbslq_u32(b, c, d)
#define W_MD5_G(b, c, d) vbslq_u32(d, b, c)
#define W_MD5_H(b, c, d) veorq_u32(veorq_u32(b, c), d)
#define W_MD5_I(b, c, d) veorq_u32(c, vornq_u32(b, d))

#endif
