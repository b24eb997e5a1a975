/* BLAKE2b with AVX-512: two streams of eight messages, so 2 x 16 state words fill the 32 vector
 * registers exactly, and a seventeenth message in the scalar registers, whose units would be idle:
 * it comes free, 6% more hashes.
 *
 * Nothing spills only while every operation works in place and message words are added straight
 * from memory. Schedulers undo that (122 to 184 stack accesses a call with gcc 12 and clang 19 on
 * plain intrinsics), so each operation is one instruction of inline assembly that they cannot
 * split; 25.6 ns a hash became 21.5. Compilers without it get the intrinsics.
 *
 * A kernel is about as long as the op cache holds: docs/performance.md, "The layout of the code".
 */

#include "blake2_simd_impl.h"

#if defined(BLAKE2_SIMD_X86)

#include "blake2_simd_vec_avx512.h"

#define STREAMS 2
#define SCALAR 1

#if defined(__GNUC__)
typedef V V_mem __attribute__((aligned(64), may_alias));
#define ADD(a, b) __asm__("vpaddq %1, %0, %0" : "+v"(a) : "v"(b));
#define ADD_WORD(W, a, i, stream) \
  if ((i) < (W))                  \
    __asm__("vpaddq %1, %0, %0"   \
            : "+v"(a)             \
            : "m"(*(const V_mem *)(word + (i) * STRIDE + (stream) * V_LANES)));
#define XOR(a, b) __asm__("vpxorq %1, %0, %0" : "+v"(a) : "v"(b));
#define ROTR(a, n) __asm__("vprorq $" #n ", %0, %0" : "+v"(a));
#else
#define ADD(a, b) a = _mm512_add_epi64(a, b);
#define ADD_WORD(W, a, i, stream) \
  if ((i) < (W)) a = _mm512_add_epi64(a, V_LOAD(word + (i) * STRIDE + (stream) * V_LANES));
#define XOR(a, b) a = _mm512_xor_si512(a, b);
#define ROTR(a, n) a = _mm512_ror_epi64(a, n);
#endif

/* clang-format off */

/* Half of G on two columns or diagonals of one stream (p is v or u), step by step side by side. The
 * word is added before b: it does not wait for anything, b does (2 to 8%). */
#define TWO(W, p, a, b, c, d, x, e, f, g, h, y, stream, r, q)         \
  ADD_WORD(W, p##a, x, stream) ADD_WORD(W, p##e, y, stream)           \
  ADD(p##a, p##b) ADD(p##e, p##f) XOR(p##d, p##a) XOR(p##h, p##e)     \
  ROTR(p##d, r) ROTR(p##h, r) ADD(p##c, p##d) ADD(p##g, p##h)         \
  XOR(p##b, p##c) XOR(p##f, p##g) ROTR(p##b, q) ROTR(p##f, q)

/* A column of round 0 of a strip: see first_columns(). */
#define FIRST_1(W, p, a, b, c, d, x, stream)                          \
  if ((x) < (W)) {                                                    \
    ADD_WORD(W, p##a, x, stream) XOR(p##d, p##a) ROTR(p##d, 32)       \
    ADD(p##c, p##d) XOR(p##b, p##c) ROTR(p##b, 24)                    \
  }
#define FIRST_2(W, p, a, b, c, d, x, stream)                          \
  if ((x) < (W)) {                                                    \
    ADD_WORD(W, p##a, x, stream)                                      \
    ADD(p##a, p##b) XOR(p##d, p##a) ROTR(p##d, 16)                    \
    ADD(p##c, p##d) XOR(p##b, p##c) ROTR(p##b, 63)                    \
  }

#define ROUND_BEGIN
#define ROUND_END
#define FIRST_COLUMNS(W)                                                                            \
  FIRST_1(W, v, 0, 4, 8, 12, 0, 0)  FIRST_1(W, v, 1, 5, 9, 13, 2, 0)   SCALAR_FIRST_1(W, 0, 4, 8, 12, 0)  \
  FIRST_1(W, v, 2, 6, 10, 14, 4, 0) FIRST_1(W, v, 3, 7, 11, 15, 6, 0)  SCALAR_FIRST_2(W, 0, 4, 8, 12, 1)  \
  FIRST_1(W, u, 0, 4, 8, 12, 0, 1)  FIRST_1(W, u, 1, 5, 9, 13, 2, 1)   SCALAR_FIRST_1(W, 1, 5, 9, 13, 2)  \
  FIRST_1(W, u, 2, 6, 10, 14, 4, 1) FIRST_1(W, u, 3, 7, 11, 15, 6, 1)  SCALAR_FIRST_2(W, 1, 5, 9, 13, 3)  \
  FIRST_2(W, v, 0, 4, 8, 12, 1, 0)  FIRST_2(W, v, 1, 5, 9, 13, 3, 0)   SCALAR_FIRST_1(W, 2, 6, 10, 14, 4) \
  FIRST_2(W, v, 2, 6, 10, 14, 5, 0) FIRST_2(W, v, 3, 7, 11, 15, 7, 0)  SCALAR_FIRST_2(W, 2, 6, 10, 14, 5) \
  FIRST_2(W, u, 0, 4, 8, 12, 1, 1)  FIRST_2(W, u, 1, 5, 9, 13, 3, 1)   SCALAR_FIRST_1(W, 3, 7, 11, 15, 6) \
  FIRST_2(W, u, 2, 6, 10, 14, 5, 1) FIRST_2(W, u, 3, 7, 11, 15, 7, 1)  SCALAR_FIRST_2(W, 3, 7, 11, 15, 7)
#define COLUMNS(W, s0, s1, s2, s3, s4, s5, s6, s7)                                                  \
  TWO(W, v, 0, 4, 8, 12, s0, 1, 5, 9, 13, s2, 0, 32, 24)     SCALAR_1(W, 0, 4, 8, 12, s0)           \
  TWO(W, v, 2, 6, 10, 14, s4, 3, 7, 11, 15, s6, 0, 32, 24)   SCALAR_2(W, 0, 4, 8, 12, s1)           \
  TWO(W, u, 0, 4, 8, 12, s0, 1, 5, 9, 13, s2, 1, 32, 24)     SCALAR_1(W, 1, 5, 9, 13, s2)           \
  TWO(W, u, 2, 6, 10, 14, s4, 3, 7, 11, 15, s6, 1, 32, 24)   SCALAR_2(W, 1, 5, 9, 13, s3)           \
  TWO(W, v, 0, 4, 8, 12, s1, 1, 5, 9, 13, s3, 0, 16, 63)     SCALAR_1(W, 2, 6, 10, 14, s4)          \
  TWO(W, v, 2, 6, 10, 14, s5, 3, 7, 11, 15, s7, 0, 16, 63)   SCALAR_2(W, 2, 6, 10, 14, s5)          \
  TWO(W, u, 0, 4, 8, 12, s1, 1, 5, 9, 13, s3, 1, 16, 63)     SCALAR_1(W, 3, 7, 11, 15, s6)          \
  TWO(W, u, 2, 6, 10, 14, s5, 3, 7, 11, 15, s7, 1, 16, 63)   SCALAR_2(W, 3, 7, 11, 15, s7)
#define DIAGONALS(W, s0, s1, s2, s3, s4, s5, s6, s7)                                                \
  TWO(W, v, 0, 5, 10, 15, s0, 1, 6, 11, 12, s2, 0, 32, 24)   SCALAR_1(W, 0, 5, 10, 15, s0)          \
  TWO(W, v, 2, 7, 8, 13, s4, 3, 4, 9, 14, s6, 0, 32, 24)     SCALAR_2(W, 0, 5, 10, 15, s1)          \
  TWO(W, u, 0, 5, 10, 15, s0, 1, 6, 11, 12, s2, 1, 32, 24)   SCALAR_1(W, 1, 6, 11, 12, s2)          \
  TWO(W, u, 2, 7, 8, 13, s4, 3, 4, 9, 14, s6, 1, 32, 24)     SCALAR_2(W, 1, 6, 11, 12, s3)          \
  TWO(W, v, 0, 5, 10, 15, s1, 1, 6, 11, 12, s3, 0, 16, 63)   SCALAR_1(W, 2, 7, 8, 13, s4)           \
  TWO(W, v, 2, 7, 8, 13, s5, 3, 4, 9, 14, s7, 0, 16, 63)     SCALAR_2(W, 2, 7, 8, 13, s5)           \
  TWO(W, u, 0, 5, 10, 15, s1, 1, 6, 11, 12, s3, 1, 16, 63)   SCALAR_1(W, 3, 4, 9, 14, s6)           \
  TWO(W, u, 2, 7, 8, 13, s5, 3, 4, 9, 14, s7, 1, 16, 63)     SCALAR_2(W, 3, 4, 9, 14, s7)

/* clang-format on */

#define IMPL blake2_simd_avx512
#define IMPL_NAME "avx512"
#define LOAD "blake2_simd_load_avx512.h"
#define ROW "blake2_simd_row_avx512.h"
#include "blake2_simd_lanes.h"

#endif
