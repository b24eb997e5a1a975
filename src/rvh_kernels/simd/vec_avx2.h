/* AVX2: what blake2_simd's vectors have, and arithmetic. The names of every vec_*.h. */
#ifndef RVH_VEC_AVX2_H
#define RVH_VEC_AVX2_H

#include "blake2_simd_vec_avx2.h"

#define V_LOADU(p) _mm256_loadu_si256((const __m256i *)(p))
#define V_STOREU(p, x) _mm256_storeu_si256((__m256i *)(p), x)
#define V_ADD(a, b) _mm256_add_epi64(a, b)
#define V_SUB(a, b) _mm256_sub_epi64(a, b)
#define V_XOR3(a, b, c) V_XOR(V_XOR(a, b), c)
#define V_AND(a, b) _mm256_and_si256(a, b)
#define V_AND_OR(a, b, c) V_OR(V_AND(a, b), c)
#define V_ANDNOT_OR(a, b, c) V_OR(_mm256_andnot_si256(a, b), c)
#define V_MUL(a, b) rvh_mul_avx2(a, b)
#define V_SRL(a, n) _mm256_srli_epi64(a, n)
#define V_SLL(a, n) _mm256_slli_epi64(a, n)
#define V_MASK_AND(a, b) _mm256_and_si256(a, b)
#define V_FIRST(mask) lowest_bit((unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(mask)))
#define V_ORDERED(x) V_FLIP(x)
#define V_ORDERED_GT(a, b) _mm256_cmpgt_epi64(a, b)
#define V_ORDERED_MAX(a, b) V_SELECT(V_ORDERED_GT(a, b), a, b)
#define V_ORDERED_MIN(a, b) V_SELECT(V_ORDERED_GT(a, b), b, a)
#define V_LEAST(a, b) D_BITS(D_MIN(D_OF_BITS(a), D_OF_BITS(b)))
#define V_MOST(a, b) D_BITS(D_MAX(D_OF_BITS(a), D_OF_BITS(b)))

/* The low 64 bits: the product of the low halves, and above it what is left of the other two, which
 * one instruction makes; where b is a constant, its turned halves are one too. */
static inline __m256i rvh_mul_avx2(__m256i a, __m256i b) {
  const __m256i cross = _mm256_mullo_epi32(a, _mm256_shuffle_epi32(b, 0xb1));
  const __m256i upper = _mm256_blend_epi32(cross, _mm256_setzero_si256(), 0x55);
  const __m256i sum = _mm256_add_epi32(_mm256_mul_epu32(a, b), _mm256_slli_epi64(cross, 32));
  return _mm256_add_epi32(sum, upper);
}

/* Whole numbers below 2^53: 2^84 and 2^52 take in the halves as mantissa bits, and go again. */
static inline __m256d rvh_double_avx2(__m256i a) {
  const __m256i high =
      _mm256_or_si256(_mm256_srli_epi64(a, 32), _mm256_set1_epi64x(0x4530000000000000));
  const __m256i low = _mm256_blend_epi32(a, _mm256_set1_epi64x(0x4330000000000000), 0xaa);
  return _mm256_add_pd(_mm256_sub_pd(_mm256_castsi256_pd(high), _mm256_set1_pd(0x1p84 + 0x1p52)),
                       _mm256_castsi256_pd(low));
}

#define D __m256d
#define D_SET1(x) _mm256_set1_pd(x)
#define D_LOAD(p) _mm256_loadu_pd(p)
#define D_STORE(p, x) _mm256_storeu_pd(p, x)
#define D_ADD(a, b) _mm256_add_pd(a, b)
#define D_SUB(a, b) _mm256_sub_pd(a, b)
#define D_MUL(a, b) _mm256_mul_pd(a, b)
#define D_DIV(a, b) _mm256_div_pd(a, b)
#define D_MIN(a, b) _mm256_min_pd(a, b)
#define D_MAX(a, b) _mm256_max_pd(a, b)
#define D_FLOOR(a) _mm256_floor_pd(a)
#define D_TRUNC(a) D_FLOOR(a)
#define D_LT(a, b) _mm256_castpd_si256(_mm256_cmp_pd(a, b, _CMP_LT_OQ))
#define D_SELECT(mask, a, b) _mm256_blendv_pd(b, a, _mm256_castsi256_pd(mask))
#define D_OF_BITS(a) _mm256_castsi256_pd(a)
#define D_BITS(a) _mm256_castpd_si256(a)
#define D_OF_INT(a) rvh_double_avx2(a)

/* W: unsigned 32-bit words, and the functions of MD5's rounds. */
#define W __m256i
#define W_LANES 8
#define W_LOAD(p) _mm256_load_si256((const __m256i *)(const void *)(p))
#define W_STORE(p, x) _mm256_store_si256((__m256i *)(void *)(p), x)
#define W_SET1(x) _mm256_set1_epi32((int)(x))
#define W_ADD(a, b) _mm256_add_epi32(a, b)
#define W_ROTL(a, n) _mm256_or_si256(_mm256_slli_epi32(a, n), _mm256_srli_epi32(a, 32 - (n)))
#define W_MD5_F(b, c, d) _mm256_xor_si256(d, _mm256_and_si256(b, _mm256_xor_si256(c, d)))
#define W_MD5_G(b, c, d) _mm256_xor_si256(c, _mm256_and_si256(d, _mm256_xor_si256(b, c)))
#define W_MD5_H(b, c, d) _mm256_xor_si256(_mm256_xor_si256(b, c), d)
#define W_MD5_I(b, c, d) \
  _mm256_xor_si256(c, _mm256_or_si256(b, _mm256_xor_si256(d, _mm256_set1_epi32(-1))))

#endif
