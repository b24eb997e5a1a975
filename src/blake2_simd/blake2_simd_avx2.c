/* BLAKE2b with AVX2: four messages at a time, sixteen registers for sixteen state words and a
 * temporary, and a fifth message in the scalar registers: the four wait for one another's results,
 * and the fifth fills the gaps (135 cycles a hash became 107). With two beside the four, Zen 4 and
 * Intel are slower (137 and 160): that is more than they can issue.
 *
 * One state word waits in memory, and which one is fixed here: word 11 between rounds,
 * word 8 in the middle of one. Left to the compiler, the spills made the same code run at anything
 * from 38 to 120 ns a hash; parked it is steady. As in the AVX-512 file, every operation is one
 * instruction in place (inline assembly), with the intrinsics for compilers without it.
 */

#include "blake2_simd_impl.h"

#if defined(BLAKE2_SIMD_X86)

#include "blake2_simd_vec_avx2.h"

#define STREAMS 1
#define SCALAR 1

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
#define ADD_AT(a, p) __asm__("vpaddq %1, %0, %0" : "+x"(a) : "m"(*(const V_mem *)(p)));
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
#define ADD_AT(a, p) a = _mm256_add_epi64(a, V_LOAD(p));
#define XOR(a, b) a = _mm256_xor_si256(a, b);
#define ROTR_32(a) a = _mm256_shuffle_epi32(a, 0xb1);
#define ROTR_24(a) a = _mm256_shuffle_epi8(a, rotate_24.vector);
#define ROTR_16(a) a = _mm256_shuffle_epi8(a, rotate_16.vector);
#define ROTR_63(a) a = _mm256_xor_si256(_mm256_add_epi64(a, a), _mm256_srli_epi64(a, 63));
#define PARK(place, a) place = a;
#define FETCH(a, place) a = place;
#endif

#define ROUND_BEGIN      \
  V parked_8, parked_11; \
  PARK(parked_11, v11)
#define ROUND_END FETCH(v11, parked_11)
#define REST_8       \
  PARK(parked_8, v8) \
  FETCH(v11, parked_11)
#define REST_11        \
  PARK(parked_11, v11) \
  FETCH(v8, parked_8)

#define IMPL blake2_simd_avx2
#define IMPL_NAME "avx2"
#include "blake2_simd_lanes.h"

#endif
