/* BLAKE2b with AVX-512: two streams of eight messages, so 2 x 16 state words fill the 32 vector
 * registers exactly, and a seventeenth message in the scalar registers, whose units would be idle:
 * it comes free, 6% more hashes.
 *
 * Nothing spills only while every operation works in place and message words are added straight
 * from memory. Schedulers undo that (122 to 184 stack accesses a call with gcc 12 and clang 19 on
 * plain intrinsics), so each operation is one instruction of inline assembly that they cannot
 * split; 25.6 ns a hash became 21.5. Compilers without it get the intrinsics.
 *
 * A kernel is about as long as the op cache holds: docs/explanation/performance.md, "The layout of
 * the code".
 */

#include "blake2_simd_impl.h"

#if defined(BLAKE2_SIMD_X86)

#include "blake2_simd_vec_avx512.h"

#define STREAMS 2
#define SCALAR 1

#if defined(__GNUC__)
typedef V V_mem __attribute__((aligned(64), may_alias));
#define ADD(a, b) __asm__("vpaddq %1, %0, %0" : "+v"(a) : "v"(b));
#define ADD_AT(a, p) __asm__("vpaddq %1, %0, %0" : "+v"(a) : "m"(*(const V_mem *)(p)));
#define XOR(a, b) __asm__("vpxorq %1, %0, %0" : "+v"(a) : "v"(b));
#define ROTR(a, n) __asm__("vprorq $" #n ", %0, %0" : "+v"(a));
#else
#define ADD(a, b) a = _mm512_add_epi64(a, b);
#define ADD_AT(a, p) a = _mm512_add_epi64(a, V_LOAD(p));
#define XOR(a, b) a = _mm512_xor_si512(a, b);
#define ROTR(a, n) a = _mm512_ror_epi64(a, n);
#endif
#define ROTR_32(a) ROTR(a, 32)
#define ROTR_24(a) ROTR(a, 24)
#define ROTR_16(a) ROTR(a, 16)
#define ROTR_63(a) ROTR(a, 63)

#define ROUND_BEGIN
#define ROUND_END
#define REST_8
#define REST_11

#define IMPL blake2_simd_avx512
#define IMPL_NAME "avx512"
#define LOAD "blake2_simd_load_avx512.h"
#define ROW "blake2_simd_row_avx512.h"
#include "blake2_simd_lanes.h"

#endif
