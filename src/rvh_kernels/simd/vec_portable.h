/* Plain C as a vector of one: what blake2_simd's vectors have, and arithmetic. */
#ifndef RVH_VEC_PORTABLE_H
#define RVH_VEC_PORTABLE_H

#include "blake2_simd_vec_portable.h"

#include <math.h>

#define V_LOADU(p) (*(p))
#define V_STOREU(p, x) (*(p) = (x))
#define V_ADD(a, b) ((a) + (b))
#define V_SUB(a, b) ((a) - (b))
#define V_XOR3(a, b, c) ((a) ^ (b) ^ (c))
#define V_AND(a, b) ((a) & (b))
#define V_AND_OR(a, b, c) (((a) & (b)) | (c))
#define V_ANDNOT_OR(a, b, c) ((~(a) & (b)) | (c))
#define V_MUL(a, b) ((a) * (b))
#define V_SRL(a, n) ((a) >> (n))
#define V_SLL(a, n) ((a) << (n))
#define V_MASK_AND(a, b) ((a) & (b))
#define V_FIRST(mask) ((size_t)((mask) == 0))
#define V_ORDERED(x) (x)
#define V_ORDERED_GT(a, b) ((a) > (b))
#define V_ORDERED_MAX(a, b) ((a) > (b) ? (a) : (b))
#define V_ORDERED_MIN(a, b) ((a) > (b) ? (b) : (a))
#define V_LEAST(a, b) ((a) < (b) ? (a) : (b))
#define V_MOST(a, b) ((a) > (b) ? (a) : (b))

static inline double rvh_double_of_bits(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
static inline uint64_t rvh_bits_of_double(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

#define D double
#define D_SET1(x) ((double)(x))
#define D_LOAD(p) (*(p))
#define D_STORE(p, x) (*(p) = (x))
#define D_ADD(a, b) ((a) + (b))
#define D_SUB(a, b) ((a) - (b))
#define D_MUL(a, b) ((a) * (b))
#define D_DIV(a, b) ((a) / (b))
#define D_MIN(a, b) ((a) < (b) ? (a) : (b))
#define D_MAX(a, b) ((a) > (b) ? (a) : (b))
#define D_FLOOR(a) floor(a)
#define D_TRUNC(a) ((double)(int64_t)(a)) /* floor() is a call where SSE4.1 is not assumed */
#define D_LT(a, b) ((a) < (b))
#define D_SELECT(mask, a, b) ((mask) ? (a) : (b))
#define D_OF_BITS(a) rvh_double_of_bits(a)
#define D_BITS(a) rvh_bits_of_double(a)
#define D_OF_INT(a) ((double)(a))

/* W: unsigned 32-bit words, and the functions of MD5's rounds. */
#define W uint32_t
#define W_LANES 1
#define W_LOAD(p) (*(p))
#define W_STORE(p, x) (*(p) = (x))
#define W_SET1(x) ((uint32_t)(x))
#define W_ADD(a, b) ((a) + (b))
#define W_ROTL(a, n) ((a) << (n) | (a) >> (32 - (n)))
#define W_MD5_F(b, c, d) ((d) ^ ((b) & ((c) ^ (d))))
#define W_MD5_G(b, c, d) ((c) ^ ((d) & ((b) ^ (c))))
#define W_MD5_H(b, c, d) ((b) ^ (c) ^ (d))
#define W_MD5_I(b, c, d) ((c) ^ ((b) | ~(d)))

#endif
