/* AVX-512: what blake2_simd's vectors have, and arithmetic. Each vec_*.h defines the same names;
 * the *_lanes.h are written over them.
 *
 * V: unsigned 64-bit words. V_SRL and V_SLL take constants. D: IEEE doubles; no name here stands
 * for a fused multiply-add, because the contract's arithmetic has none. D_OF_INT is for whole
 * numbers below 2^53, which it converts exactly; D_LOAD and D_STORE take any address; D_TRUNC is
 * for 0 <= a < 2^63. */
#ifndef RVH_VEC_AVX512_H
#define RVH_VEC_AVX512_H

#include "blake2_simd_vec_avx512.h"

#define V_LOADU(p) _mm512_loadu_si512((const void *)(p))
#define V_STOREU(p, x) _mm512_storeu_si512((void *)(p), x)
#define V_ADD(a, b) _mm512_add_epi64(a, b)
#define V_SUB(a, b) _mm512_sub_epi64(a, b)
#define V_XOR3(a, b, c) _mm512_ternarylogic_epi64(a, b, c, 0x96)
#define V_AND(a, b) _mm512_and_si512(a, b)
#define V_AND_OR(a, b, c) _mm512_ternarylogic_epi64(a, b, c, 0xea)    /* (a & b) | c */
#define V_ANDNOT_OR(a, b, c) _mm512_ternarylogic_epi64(a, b, c, 0xae) /* (~a & b) | c */
#define V_MUL(a, b) _mm512_mullo_epi64(a, b)
#define V_SRL(a, n) _mm512_srli_epi64(a, n)
#define V_SLL(a, n) _mm512_slli_epi64(a, n)
#define V_MASK_AND(a, b) ((__mmask8)((a) & (b)))
#define V_FIRST(mask) lowest_bit(mask) /* the first lane that is set */
/* Words in the form in which V_ORDERED_GT compares them; twice gives the word back. */
#define V_ORDERED(x) (x)
#define V_ORDERED_GT(a, b) V_GT(a, b)
#define V_ORDERED_MAX(a, b) _mm512_max_epu64(a, b)
#define V_ORDERED_MIN(a, b) _mm512_min_epu64(a, b)

/* The less and the greater of two words that are bits of positive doubles: each in the units that
 * the other leaves idle. */
#define V_LEAST(a, b) D_BITS(D_MIN(D_OF_BITS(a), D_OF_BITS(b)))
#define V_MOST(a, b) _mm512_max_epu64(a, b)

#define D __m512d
#define D_SET1(x) _mm512_set1_pd(x)
#define D_LOAD(p) _mm512_loadu_pd(p)
#define D_STORE(p, x) _mm512_storeu_pd(p, x)
#define D_ADD(a, b) _mm512_add_pd(a, b)
#define D_SUB(a, b) _mm512_sub_pd(a, b)
#define D_MUL(a, b) _mm512_mul_pd(a, b)
#define D_DIV(a, b) _mm512_div_pd(a, b)
#define D_MIN(a, b) _mm512_min_pd(a, b)
#define D_MAX(a, b) _mm512_max_pd(a, b)
#define D_FLOOR(a) _mm512_roundscale_pd(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)
#define D_TRUNC(a) D_FLOOR(a)
#define D_LT(a, b) _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ)
#define D_SELECT(mask, a, b) _mm512_mask_mov_pd(b, mask, a)
#define D_OF_BITS(a) _mm512_castsi512_pd(a)
#define D_BITS(a) _mm512_castpd_si512(a)
#define D_OF_INT(a) _mm512_cvtepi64_pd(a)

/* W: unsigned 32-bit words, and the functions of MD5's rounds. */
#define W __m512i
#define W_LANES 16
#define W_LOAD(p) _mm512_load_si512((const void *)(p))
#define W_STORE(p, x) _mm512_store_si512((void *)(p), x)
#define W_SET1(x) _mm512_set1_epi32((int)(x))
#define W_ADD(a, b) _mm512_add_epi32(a, b)
#define W_ROTL(a, n) _mm512_rol_epi32(a, n)
#define W_MD5_F(b, c, d) _mm512_ternarylogic_epi32(b, c, d, 0xca)
#define W_MD5_G(b, c, d) _mm512_ternarylogic_epi32(b, c, d, 0xe4)
#define W_MD5_H(b, c, d) _mm512_ternarylogic_epi32(b, c, d, 0x96)
#define W_MD5_I(b, c, d) _mm512_ternarylogic_epi32(b, c, d, 0x39)

#endif
