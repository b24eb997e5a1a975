/* BLAKE2b with AVX2: four messages at a time, sixteen registers for sixteen state words and a
 * temporary.
 *
 * One state word therefore waits in memory, and which one is fixed here: word 11 between rounds,
 * word 8 in the middle of one. Left to the compiler, the spills made the same code run at anything
 * from 38 to 120 ns a hash; parked it is a steady 37. As in the AVX-512 file, every operation is
 * one instruction in place (inline assembly), with the intrinsics for compilers without it.
 */

#include "blake2_simd_impl.h"

#if defined(BLAKE2_SIMD_X86)

#include "blake2_simd_vec_avx2.h"

#define STREAMS 1
#define SCALAR 0

static const union {
  uint8_t byte[32];
  __m256i vector;
} rotate_24 = {{3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10,
                3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10}},
  rotate_16 = {{2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9,
                2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9}};

#if defined(__GNUC__)
typedef V V_mem __attribute__((aligned(32), may_alias));
#define ADD(a, b) __asm__("vpaddq %1, %0, %0" : "+x"(a) : "x"(b));
#define ADD_WORD(W, a, i) \
  if ((i) < (W))          \
    __asm__("vpaddq %1, %0, %0" : "+x"(a) : "m"(*(const V_mem *)(word + (i) * STRIDE)));
#define XOR(a, b) __asm__("vpxor %1, %0, %0" : "+x"(a) : "x"(b));
#define ROTR_32(a) __asm__("vpshufd $0xb1, %0, %0" : "+x"(a));
#define ROTR_24(a) __asm__("vpshufb %1, %0, %0" : "+x"(a) : "m"(rotate_24.vector));
#define ROTR_16(a) __asm__("vpshufb %1, %0, %0" : "+x"(a) : "m"(rotate_16.vector));
#define ROTR_63(a)                                                        \
  {                                                                       \
    V twice;                                                              \
    __asm__("vpaddq %0, %0, %1\n\tvpsrlq $63, %0, %0\n\tvpxor %1, %0, %0" \
            : "+x"(a), "=&x"(twice));                                     \
  }
#define PARK(place, a) __asm__ volatile("vmovdqa %1, %0" : "=m"(place) : "x"(a));
#define FETCH(a, place) __asm__ volatile("vmovdqa %1, %0" : "=x"(a) : "m"(place));
#else
#define ADD(a, b) a = _mm256_add_epi64(a, b);
#define ADD_WORD(W, a, i) \
  if ((i) < (W)) a = _mm256_add_epi64(a, V_LOAD(word + (i) * STRIDE));
#define XOR(a, b) a = _mm256_xor_si256(a, b);
#define ROTR_32(a) a = _mm256_shuffle_epi32(a, 0xb1);
#define ROTR_24(a) a = _mm256_shuffle_epi8(a, rotate_24.vector);
#define ROTR_16(a) a = _mm256_shuffle_epi8(a, rotate_16.vector);
#define ROTR_63(a) a = _mm256_xor_si256(_mm256_add_epi64(a, a), _mm256_srli_epi64(a, 63));
#define PARK(place, a) place = a;
#define FETCH(a, place) a = place;
#endif

/* clang-format off */

/* Two Gs side by side: as many as fifteen registers and a temporary allow. */
#define PAIR(W, a0, b0, c0, d0, x0, y0, a1, b1, c1, d1, x1, y1)     \
  ADD_WORD(W, a0, x0) ADD_WORD(W, a1, x1) ADD(a0, b0) ADD(a1, b1)   \
  XOR(d0, a0) XOR(d1, a1) ROTR_32(d0) ROTR_32(d1)                   \
  ADD(c0, d0) ADD(c1, d1)                                           \
  XOR(b0, c0) XOR(b1, c1) ROTR_24(b0) ROTR_24(b1)                   \
  ADD_WORD(W, a0, y0) ADD_WORD(W, a1, y1) ADD(a0, b0) ADD(a1, b1)   \
  XOR(d0, a0) XOR(d1, a1) ROTR_16(d0) ROTR_16(d1)                   \
  ADD(c0, d0) ADD(c1, d1)                                           \
  XOR(b0, c0) XOR(b1, c1) ROTR_63(b0) ROTR_63(b1)

#define ROUND_BEGIN      \
  V parked_8, parked_11; \
  PARK(parked_11, v11)
#define ROUND_END FETCH(v11, parked_11)
#define COLUMNS(W, s0, s1, s2, s3, s4, s5, s6, s7)            \
  PAIR(W, v0, v4, v8, v12, s0, s1, v1, v5, v9, v13, s2, s3)   \
  PARK(parked_8, v8)                                          \
  FETCH(v11, parked_11)                                       \
  PAIR(W, v2, v6, v10, v14, s4, s5, v3, v7, v11, v15, s6, s7)
#define DIAGONALS(W, s0, s1, s2, s3, s4, s5, s6, s7)          \
  PAIR(W, v0, v5, v10, v15, s0, s1, v1, v6, v11, v12, s2, s3) \
  PARK(parked_11, v11)                                        \
  FETCH(v8, parked_8)                                         \
  PAIR(W, v2, v7, v8, v13, s4, s5, v3, v4, v9, v14, s6, s7)
#define FIRST_G(W, a, b, c, d, x)                               \
  if ((x) < (W)) {                                            \
    ADD_WORD(W, a, x) XOR(d, a) ROTR_32(d)                    \
    ADD(c, d) XOR(b, c) ROTR_24(b)                            \
    ADD_WORD(W, a, (x) + 1) ADD(a, b) XOR(d, a) ROTR_16(d)    \
    ADD(c, d) XOR(b, c) ROTR_63(b)                            \
  }
#define FIRST_COLUMNS(W)                                      \
  FIRST_G(W, v0, v4, v8, v12, 0)                                \
  FIRST_G(W, v1, v5, v9, v13, 2)                                \
  PARK(parked_8, v8)                                          \
  FETCH(v11, parked_11)                                       \
  FIRST_G(W, v2, v6, v10, v14, 4)                               \
  FIRST_G(W, v3, v7, v11, v15, 6)

/* clang-format on */

#define IMPL blake2_simd_avx2
#define IMPL_NAME "avx2"
#include "blake2_simd_lanes.h"

#endif
