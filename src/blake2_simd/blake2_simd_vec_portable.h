/* One 64-bit word as a vector of one: the names of every vector header in plain C. */
#ifndef BLAKE2_SIMD_VEC_PORTABLE_H
#define BLAKE2_SIMD_VEC_PORTABLE_H

#include "blake2_simd_impl.h"

#define V uint64_t
#define V_LANES 1
#define V_LOAD(p) (*(p))
#define V_STORE(p, x) (*(p) = (x))
#define V_SET1(x) ((uint64_t)(x))
#define V_XOR(a, b) ((a) ^ (b))
#define V_OR(a, b) ((a) | (b))
#define V_SHL(a, n) ((a) << (n))
#define V_SHR(a, n) ((a) >> (n))
#define V_BSWAP(a) blake2_simd_bswap(a)

#define V_MASK int
#define V_GT(a, b) ((a) > (b))
#define V_EQ(a, b) ((a) == (b))
#define V_MASK_OR(a, b) ((a) | (b))
#define V_ANY(mask) (mask)
#define V_SELECT(mask, a, b) ((mask) ? (a) : (b))

#endif
