/* BLAKE2b with AVX-512: two streams of eight messages, so 2 x 16 state words fill the 32 vector
 * registers exactly, and a seventeenth message in the scalar registers, whose units would be idle:
 * it comes free, 6% more hashes.
 *
 * Nothing spills only while every operation works in place and message words are added straight
 * from memory. Schedulers undo that (122 to 184 stack accesses a call with gcc 12 and clang 19 on
 * plain intrinsics), so each operation is one instruction of inline assembly that they cannot
 * split; 25.6 ns a hash became 21.5. Compilers without it get the intrinsics.
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
            : "m"(*(const V_mem *)(m + (i) * STRIDE + (stream) * V_LANES)));
#define XOR(a, b) __asm__("vpxorq %1, %0, %0" : "+v"(a) : "v"(b));
#define ROTR(a, n) __asm__("vprorq $" #n ", %0, %0" : "+v"(a));
#else
#define ADD(a, b) a = _mm512_add_epi64(a, b);
#define ADD_WORD(W, a, i, stream) \
  if ((i) < (W)) a = _mm512_add_epi64(a, V_LOAD(m + (i) * STRIDE + (stream) * V_LANES));
#define XOR(a, b) a = _mm512_xor_si512(a, b);
#define ROTR(a, n) a = _mm512_ror_epi64(a, n);
#endif

/* Quarters of G, on four columns or diagonals at once. The word is added before b: it does not
 * wait for anything, b does (2 to 8%). */
#define STEP_A(W, a, b, d, x, stream, r) ADD_WORD(W, a, x, stream) ADD(a, b) XOR(d, a) ROTR(d, r)
#define STEP_C(b, c, d, r) ADD(c, d) XOR(b, c) ROTR(b, r)

#define COLUMNS_A(W, p, x0, x1, x2, x3, stream, r) \
  STEP_A(W, p##0, p##4, p##12, x0, stream, r)      \
  STEP_A(W, p##1, p##5, p##13, x1, stream, r)      \
  STEP_A(W, p##2, p##6, p##14, x2, stream, r)      \
  STEP_A(W, p##3, p##7, p##15, x3, stream, r)
#define COLUMNS_C(p, r)         \
  STEP_C(p##4, p##8, p##12, r)  \
  STEP_C(p##5, p##9, p##13, r)  \
  STEP_C(p##6, p##10, p##14, r) \
  STEP_C(p##7, p##11, p##15, r)
#define DIAGONALS_A(W, p, x0, x1, x2, x3, stream, r) \
  STEP_A(W, p##0, p##5, p##15, x0, stream, r)        \
  STEP_A(W, p##1, p##6, p##12, x1, stream, r)        \
  STEP_A(W, p##2, p##7, p##13, x2, stream, r)        \
  STEP_A(W, p##3, p##4, p##14, x3, stream, r)
#define DIAGONALS_C(p, r)       \
  STEP_C(p##5, p##10, p##15, r) \
  STEP_C(p##6, p##11, p##12, r) \
  STEP_C(p##7, p##8, p##13, r)  \
  STEP_C(p##4, p##9, p##14, r)

/* Halves of G for the scalar message, put between the steps of the vectors. */
#define ROTR_SCALAR(x, n) ((x) >> (n) | (x) << (64 - (n)))
#define WORD_SCALAR(W, i) ((i) < (W) ? m[((i) < (W) ? (i) : 0) * STRIDE + WHOLE] : 0)
#define SCALAR_HALF(W, a, b, c, d, word, r, q) \
  x##a += WORD_SCALAR(W, word);                \
  x##a += x##b;                                \
  x##d = ROTR_SCALAR(x##d ^ x##a, r);          \
  x##c += x##d;                                \
  x##b = ROTR_SCALAR(x##b ^ x##c, q);
#define SCALAR_1(W, a, b, c, d, word) SCALAR_HALF(W, a, b, c, d, word, 32, 24)
#define SCALAR_2(W, a, b, c, d, word) SCALAR_HALF(W, a, b, c, d, word, 16, 63)

#define ROUND_BEGIN
#define ROUND_END
/* clang-format off */
#define ROUND(W, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15) \
  COLUMNS_A(W, v, s0, s2, s4, s6, 0, 32)       SCALAR_1(W, 0, 4, 8, 12, s0)            \
  COLUMNS_A(W, u, s0, s2, s4, s6, 1, 32)       SCALAR_2(W, 0, 4, 8, 12, s1)            \
  COLUMNS_C(v, 24)                             SCALAR_1(W, 1, 5, 9, 13, s2)            \
  COLUMNS_C(u, 24)                             SCALAR_2(W, 1, 5, 9, 13, s3)            \
  COLUMNS_A(W, v, s1, s3, s5, s7, 0, 16)       SCALAR_1(W, 2, 6, 10, 14, s4)           \
  COLUMNS_A(W, u, s1, s3, s5, s7, 1, 16)       SCALAR_2(W, 2, 6, 10, 14, s5)           \
  COLUMNS_C(v, 63)                             SCALAR_1(W, 3, 7, 11, 15, s6)           \
  COLUMNS_C(u, 63)                             SCALAR_2(W, 3, 7, 11, 15, s7)           \
  DIAGONALS_A(W, v, s8, s10, s12, s14, 0, 32)  SCALAR_1(W, 0, 5, 10, 15, s8)           \
  DIAGONALS_A(W, u, s8, s10, s12, s14, 1, 32)  SCALAR_2(W, 0, 5, 10, 15, s9)           \
  DIAGONALS_C(v, 24)                           SCALAR_1(W, 1, 6, 11, 12, s10)          \
  DIAGONALS_C(u, 24)                           SCALAR_2(W, 1, 6, 11, 12, s11)          \
  DIAGONALS_A(W, v, s9, s11, s13, s15, 0, 16)  SCALAR_1(W, 2, 7, 8, 13, s12)           \
  DIAGONALS_A(W, u, s9, s11, s13, s15, 1, 16)  SCALAR_2(W, 2, 7, 8, 13, s13)           \
  DIAGONALS_C(v, 63)                           SCALAR_1(W, 3, 4, 9, 14, s14)           \
  DIAGONALS_C(u, 63)                           SCALAR_2(W, 3, 4, 9, 14, s15)
/* clang-format on */

#define IMPL blake2_simd_avx512
#define IMPL_NAME "avx512"
#include "blake2_simd_lanes.h"

#endif
