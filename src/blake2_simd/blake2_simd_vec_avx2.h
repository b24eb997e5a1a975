/* AVX2: four 64-bit words a vector. The same names as every vector header. */
#ifndef BLAKE2_SIMD_VEC_AVX2_H
#define BLAKE2_SIMD_VEC_AVX2_H

#include <immintrin.h>
#include <stdint.h>

#define V __m256i
#define V_LANES 4
#define V_LOAD(p) _mm256_load_si256((const __m256i *)(p))
#define V_STORE(p, x) _mm256_store_si256((__m256i *)(p), x)
#define V_SET1(x) _mm256_set1_epi64x((long long)(x))
#define V_XOR(a, b) _mm256_xor_si256(a, b)
#define V_OR(a, b) _mm256_or_si256(a, b)
#define V_SHL(a, n) _mm256_sll_epi64(a, _mm_cvtsi32_si128((int)(n)))
#define V_SHR(a, n) _mm256_srl_epi64(a, _mm_cvtsi32_si128((int)(n)))
#define V_BSWAP(a)                                                                                 \
  _mm256_shuffle_epi8(a, _mm256_setr_epi8(7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8, 7, \
                                          6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8))

/* masks: all ones or zero a word; AVX2 compares signed words only, hence the flipped top bit */
#define V_MASK __m256i
#define V_FLIP(a) _mm256_xor_si256(a, _mm256_set1_epi64x((long long)0x8000000000000000u))
#define V_GT(a, b) _mm256_cmpgt_epi64(V_FLIP(a), V_FLIP(b))
#define V_EQ(a, b) _mm256_cmpeq_epi64(a, b)
#define V_MASK_OR(a, b) _mm256_or_si256(a, b)
#define V_ANY(mask) (!_mm256_testz_si256(mask, mask))
#define V_SELECT(mask, a, b) _mm256_blendv_epi8(b, a, mask)

#endif
