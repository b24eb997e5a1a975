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
#define V_MUL(a, b) ((a) * (b))
#define V_SRL(a, n) ((a) >> (n))
#define V_SLL(a, n) ((a) << (n))
#define V_MASK_AND(a, b) ((a) & (b))
#define V_ORDERED(x) (x)
#define V_ORDERED_GT(a, b) ((a) > (b))
#define V_ORDERED_MAX(a, b) ((a) > (b) ? (a) : (b))

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

#endif
