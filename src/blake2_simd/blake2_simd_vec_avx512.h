/* AVX-512 (F, VL, BW, DQ): eight 64-bit words a vector. Each vector header defines the same
 * names; kernels are written over them. */
#ifndef BLAKE2_SIMD_VEC_AVX512_H
#define BLAKE2_SIMD_VEC_AVX512_H

#include <immintrin.h>
#include <stdint.h>

#define V __m512i
#define V_LANES 8
#define V_LOAD(p) _mm512_load_si512((const void *)(p))
#define V_STORE(p, x) _mm512_store_si512((void *)(p), x)
#define V_SET1(x) _mm512_set1_epi64((long long)(x))
#define V_XOR(a, b) _mm512_xor_si512(a, b)
#define V_OR(a, b) _mm512_or_si512(a, b)
#define V_SHL(a, n) _mm512_sll_epi64(a, _mm_cvtsi32_si128((int)(n)))
#define V_SHR(a, n) _mm512_srl_epi64(a, _mm_cvtsi32_si128((int)(n)))
#define V_BSWAP(a)                               \
  _mm512_shuffle_epi8(a, _mm512_broadcast_i32x4( \
                             _mm_setr_epi8(7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8)))

/* masks: unsigned comparison, any lane set, a where the mask is set and b elsewhere */
#define V_MASK __mmask8
#define V_GT(a, b) _mm512_cmpgt_epu64_mask(a, b)
#define V_EQ(a, b) _mm512_cmpeq_epi64_mask(a, b)
#define V_MASK_OR(a, b) ((__mmask8)((a) | (b)))
#define V_ANY(mask) ((mask) != 0)
#define V_SELECT(mask, a, b) _mm512_mask_mov_epi64(b, mask, a)

#endif
