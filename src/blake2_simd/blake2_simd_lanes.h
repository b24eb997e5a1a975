/* The kernels, written once over vectors: each instruction set's file defines the vector and its
 * round, then includes this.
 *
 * Needed before the #include:
 *   V, V_LANES               a vector of V_LANES 64-bit words (V_LANES 1: a plain uint64_t)
 *   STREAMS                  1 or 2 vectors of messages side by side; two hide the latency of one
 *   SCALAR                   1: one message more in the scalar registers, which are idle anyway
 *   V_LOAD V_STORE V_SET1    aligned memory, broadcast
 *   V_XOR V_OR V_SHL V_SHR   V_BSWAP (reverses the bytes of each word)
 *   ADD(a, b) XOR(a, b)      statements: a += b, a ^= b,
 *   ROTR_32(a) _24 _16 _63   a rotated to the right,
 *   ADD_AT(a, p)             a += the vector in aligned memory at p
 *   ROUND_BEGIN, ROUND_END   what is needed around the twelve rounds (may be empty)
 *   REST_8, REST_11          between halves of a half round: word 8 of the state, or word 11, may
 *                            wait in memory from here until the other does (may be empty)
 *   IMPL_NAME                the name, and IMPL the table to define
 *   LOAD                     optional: the file with a faster load()
 *   ROW                      optional: the file with row()
 */

#include "blake2_simd_impl.h"

#define WHOLE (V_LANES * STREAMS) /* lanes in vectors */
#define LANES (WHOLE + SCALAR)
#define STRIDE ((LANES + V_LANES - 1) / V_LANES * V_LANES)

#if STREAMS == 2
#define BOTH(a, b) a b
#else
#define BOTH(a, b) a
#endif
#if SCALAR
#define IF_SCALAR(a) a
#else
#define IF_SCALAR(a)
#endif

#if defined(__GNUC__) && defined(BLAKE2_SIMD_X86)
/* A kernel is 20 KB of straight code. Run after other code, it comes from the decoders at half
 * speed unless a jump makes the front end look for it in the op cache again: once a round. */
#define JUMP __asm__ volatile("jmp 1f\n1:");
/* The same pointer, of which the compiler does not know where it points: it addresses message words
 * from it, with displacements of one byte, and not from the stack pointer. */
#define HIDE(pointer) __asm__("" : "+r"(pointer) : : "memory");
#define ADD_SCALAR(a, b) __asm__("add %1, %0" : "+r"(a) : "r"(b));
#define ADD_AT_SCALAR(a, p) __asm__("add %1, %0" : "+r"(a) : "m"(*(p)));
#define XOR_SCALAR(a, b) __asm__("xor %1, %0" : "+r"(a) : "r"(b));
#define ROTR_SCALAR(a, n) __asm__("ror $" #n ", %0" : "+r"(a));
#else
#define JUMP
#define HIDE(pointer)
#define ADD_SCALAR(a, b) a += b;
#define ADD_AT_SCALAR(a, p) a += *(p);
#define XOR_SCALAR(a, b) a ^= b;
#define ROTR_SCALAR(a, n) a = a >> n | a << (64 - n);
#endif

/* clang-format off */

/* Half of G on two columns or diagonals of one stream (p: v or u), step by step side by side. The
 * message word is added before b: it does not wait for anything, b does (2 to 8%). */
#define WORD(W, a, i, stream)                                                                   \
  if ((i) < (W)) { ADD_AT(a, word + (i) * STRIDE + (stream) * V_LANES) }
#define TWO(W, p, a, b, c, d, i, e, f, g, h, j, stream, r, q)                                   \
  WORD(W, p##a, i, stream) WORD(W, p##e, j, stream) ADD(p##a, p##b) ADD(p##e, p##f)             \
  XOR(p##d, p##a) XOR(p##h, p##e) ROTR_##r(p##d) ROTR_##r(p##h) ADD(p##c, p##d) ADD(p##g, p##h) \
  XOR(p##b, p##c) XOR(p##f, p##g) ROTR_##q(p##b) ROTR_##q(p##f)

/* Halves of G for the scalar message, put between the steps of the vectors. */
#if SCALAR
#define WORD_SCALAR(W, a, i)                                                                    \
  if ((i) < (W)) { ADD_AT_SCALAR(a, word + (i) * STRIDE + WHOLE) }
#define MIX_SCALAR(a, b, c, d, r, q)                                                            \
  XOR_SCALAR(x##d, x##a) ROTR_SCALAR(x##d, r) ADD_SCALAR(x##c, x##d)                            \
  XOR_SCALAR(x##b, x##c) ROTR_SCALAR(x##b, q)
#define SCALAR_1(W, a, b, c, d, i)                                                              \
  WORD_SCALAR(W, x##a, i) ADD_SCALAR(x##a, x##b) MIX_SCALAR(a, b, c, d, 32, 24)
#define SCALAR_2(W, a, b, c, d, i)                                                              \
  WORD_SCALAR(W, x##a, i) ADD_SCALAR(x##a, x##b) MIX_SCALAR(a, b, c, d, 16, 63)
#else
#define SCALAR_1(W, a, b, c, d, i)
#define SCALAR_2(W, a, b, c, d, i)
#endif

#if STREAMS == 2
#define COLUMNS(W, s0, s1, s2, s3, s4, s5, s6, s7)                                              \
  TWO(W, v, 0, 4, 8, 12, s0, 1, 5, 9, 13, s2, 0, 32, 24)    SCALAR_1(W, 0, 4, 8, 12, s0)        \
  TWO(W, v, 2, 6, 10, 14, s4, 3, 7, 11, 15, s6, 0, 32, 24)  SCALAR_2(W, 0, 4, 8, 12, s1)        \
  TWO(W, u, 0, 4, 8, 12, s0, 1, 5, 9, 13, s2, 1, 32, 24)    SCALAR_1(W, 1, 5, 9, 13, s2)        \
  TWO(W, u, 2, 6, 10, 14, s4, 3, 7, 11, 15, s6, 1, 32, 24)  SCALAR_2(W, 1, 5, 9, 13, s3)        \
  TWO(W, v, 0, 4, 8, 12, s1, 1, 5, 9, 13, s3, 0, 16, 63)    SCALAR_1(W, 2, 6, 10, 14, s4)       \
  TWO(W, v, 2, 6, 10, 14, s5, 3, 7, 11, 15, s7, 0, 16, 63)  SCALAR_2(W, 2, 6, 10, 14, s5)       \
  TWO(W, u, 0, 4, 8, 12, s1, 1, 5, 9, 13, s3, 1, 16, 63)    SCALAR_1(W, 3, 7, 11, 15, s6)       \
  TWO(W, u, 2, 6, 10, 14, s5, 3, 7, 11, 15, s7, 1, 16, 63)  SCALAR_2(W, 3, 7, 11, 15, s7)
#define DIAGONALS(W, s0, s1, s2, s3, s4, s5, s6, s7)                                            \
  TWO(W, v, 0, 5, 10, 15, s0, 1, 6, 11, 12, s2, 0, 32, 24)  SCALAR_1(W, 0, 5, 10, 15, s0)       \
  TWO(W, v, 2, 7, 8, 13, s4, 3, 4, 9, 14, s6, 0, 32, 24)    SCALAR_2(W, 0, 5, 10, 15, s1)       \
  TWO(W, u, 0, 5, 10, 15, s0, 1, 6, 11, 12, s2, 1, 32, 24)  SCALAR_1(W, 1, 6, 11, 12, s2)       \
  TWO(W, u, 2, 7, 8, 13, s4, 3, 4, 9, 14, s6, 1, 32, 24)    SCALAR_2(W, 1, 6, 11, 12, s3)       \
  TWO(W, v, 0, 5, 10, 15, s1, 1, 6, 11, 12, s3, 0, 16, 63)  SCALAR_1(W, 2, 7, 8, 13, s4)        \
  TWO(W, v, 2, 7, 8, 13, s5, 3, 4, 9, 14, s7, 0, 16, 63)    SCALAR_2(W, 2, 7, 8, 13, s5)        \
  TWO(W, u, 0, 5, 10, 15, s1, 1, 6, 11, 12, s3, 1, 16, 63)  SCALAR_1(W, 3, 4, 9, 14, s6)        \
  TWO(W, u, 2, 7, 8, 13, s5, 3, 4, 9, 14, s7, 1, 16, 63)    SCALAR_2(W, 3, 4, 9, 14, s7)
#else
#define COLUMNS(W, s0, s1, s2, s3, s4, s5, s6, s7)                                              \
  TWO(W, v, 0, 4, 8, 12, s0, 1, 5, 9, 13, s2, 0, 32, 24)                                        \
  SCALAR_1(W, 0, 4, 8, 12, s0) SCALAR_2(W, 0, 4, 8, 12, s1)                                     \
  TWO(W, v, 0, 4, 8, 12, s1, 1, 5, 9, 13, s3, 0, 16, 63)                                        \
  REST_8                                                                                        \
  SCALAR_1(W, 1, 5, 9, 13, s2) SCALAR_2(W, 1, 5, 9, 13, s3)                                     \
  TWO(W, v, 2, 6, 10, 14, s4, 3, 7, 11, 15, s6, 0, 32, 24)                                      \
  SCALAR_1(W, 2, 6, 10, 14, s4) SCALAR_2(W, 2, 6, 10, 14, s5)                                   \
  TWO(W, v, 2, 6, 10, 14, s5, 3, 7, 11, 15, s7, 0, 16, 63)                                      \
  SCALAR_1(W, 3, 7, 11, 15, s6) SCALAR_2(W, 3, 7, 11, 15, s7)
#define DIAGONALS(W, s0, s1, s2, s3, s4, s5, s6, s7)                                            \
  TWO(W, v, 0, 5, 10, 15, s0, 1, 6, 11, 12, s2, 0, 32, 24)                                      \
  SCALAR_1(W, 0, 5, 10, 15, s0) SCALAR_2(W, 0, 5, 10, 15, s1)                                   \
  TWO(W, v, 0, 5, 10, 15, s1, 1, 6, 11, 12, s3, 0, 16, 63)                                      \
  REST_11                                                                                       \
  SCALAR_1(W, 1, 6, 11, 12, s2) SCALAR_2(W, 1, 6, 11, 12, s3)                                   \
  TWO(W, v, 2, 7, 8, 13, s4, 3, 4, 9, 14, s6, 0, 32, 24)                                        \
  SCALAR_1(W, 2, 7, 8, 13, s4) SCALAR_2(W, 2, 7, 8, 13, s5)                                     \
  TWO(W, v, 2, 7, 8, 13, s5, 3, 4, 9, 14, s7, 0, 16, 63)                                        \
  SCALAR_1(W, 3, 4, 9, 14, s6) SCALAR_2(W, 3, 4, 9, 14, s7)
#endif

/* What is left of round 0's columns after first_columns(). */
#define FIRST(W, p, a, b, c, d, i, stream)                                                      \
  WORD(W, p##a, i, stream) XOR(p##d, p##a) ROTR_32(p##d)                                        \
  ADD(p##c, p##d) XOR(p##b, p##c) ROTR_24(p##b)                                                 \
  WORD(W, p##a, (i) + 1, stream) ADD(p##a, p##b) XOR(p##d, p##a) ROTR_16(p##d)                  \
  ADD(p##c, p##d) XOR(p##b, p##c) ROTR_63(p##b)
#define FIRST_SCALAR(W, a, b, c, d, i)                                                          \
  WORD_SCALAR(W, x##a, i) MIX_SCALAR(a, b, c, d, 32, 24) SCALAR_2(W, a, b, c, d, (i) + 1)
#define FIRST_COLUMN(W, a, b, c, d, i)                                                          \
  if ((i) < (W)) {                                                                              \
    BOTH(FIRST(W, v, a, b, c, d, i, 0), FIRST(W, u, a, b, c, d, i, 1))                          \
    IF_SCALAR(FIRST_SCALAR(W, a, b, c, d, i))                                                   \
  }
#define FIRST_COLUMNS(W)                                                                        \
  FIRST_COLUMN(W, 0, 4, 8, 12, 0)                                                               \
  FIRST_COLUMN(W, 1, 5, 9, 13, 2)                                                               \
  REST_8                                                                                        \
  FIRST_COLUMN(W, 2, 6, 10, 14, 4)                                                              \
  FIRST_COLUMN(W, 3, 7, 11, 15, 6)

#define ROUND(W, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15)          \
  JUMP                                                                                          \
  COLUMNS(W, s0, s1, s2, s3, s4, s5, s6, s7)                                                    \
  DIAGONALS(W, s8, s9, s10, s11, s12, s13, s14, s15)

/* clang-format on */

/* RFC 7693, 2.7: the message schedule; rounds 10 and 11 repeat 0 and 1. */
#define ROUND_0(W) ROUND(W, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
#define ROUNDS_1_TO_10(W)                                        \
  ROUND(W, 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3) \
  ROUND(W, 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4) \
  ROUND(W, 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8) \
  ROUND(W, 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13) \
  ROUND(W, 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9) \
  ROUND(W, 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11) \
  ROUND(W, 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10) \
  ROUND(W, 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5) \
  ROUND(W, 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0) \
  ROUND(W, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
#define ROUND_11(W) ROUND(W, 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3) ROUND_END

/* Of one block whose state before it is the lanes' own. */
#define TWELVE_ROUNDS(W) \
  ROUND_BEGIN            \
  ROUND_0(W)             \
  ROUNDS_1_TO_10(W)      \
  ROUND_11(W)

/* Of a strip's block, from first_columns(), but for the last, which depends on what is asked for.
 */
#define STRIP_ROUNDS(W)                      \
  ROUND_BEGIN                                \
  FIRST_COLUMNS(W)                           \
  DIAGONALS(W, 8, 9, 10, 11, 12, 13, 14, 15) \
  ROUNDS_1_TO_10(W)

/* The state before a strip's block is the same in all lanes, but for the counter in word 12. So is
 * what round 0 does to columns that add no words (2 and 3 of four words): done here, once. In the
 * others only the first a = a + b is. 1.5 to 2%. */
static void first_columns(uint64_t start[16], const uint64_t h[8], size_t words) {
#define ROTATED(x, n) ((x) >> (n) | (x) << (64 - (n)))
  memcpy(start, h, 8 * sizeof *h);
  memcpy(start + 8, blake2_simd_iv, sizeof blake2_simd_iv);
  start[14] = ~start[14]; /* it is the last block */
  for (size_t i = 0; i < 4; i++) {
    uint64_t *a = start + i, *b = a + 4, *c = a + 8, *d = a + 12;
    *a += *b;
    if (2 * i < words) continue;
    *d = ROTATED(*d ^ *a, 32);
    *c += *d;
    *b = ROTATED(*b ^ *c, 24);
    *a += *b;
    *d = ROTATED(*d ^ *a, 16);
    *c += *d;
    *b = ROTATED(*b ^ *c, 63);
  }
#undef ROTATED
}

#define IV(i) V_SET1(blake2_simd_iv[i])

/* The state of a strip's block after first_columns(). */
#define START(i) V_SET1(start[i])
#define STRIP_BEGIN(p, offset)                                              \
  V p##0 = START(0), p##1 = START(1), p##2 = START(2), p##3 = START(3);     \
  V p##4 = START(4), p##5 = START(5), p##6 = START(6), p##7 = START(7);     \
  V p##8 = START(8), p##9 = START(9), p##10 = START(10), p##11 = START(11); \
  V p##12 = V_XOR(START(12), V_LOAD(t + (offset))), p##13 = START(13);      \
  V p##14 = START(14), p##15 = START(15);

#define STRIP_BEGIN_SCALAR                                                 \
  uint64_t x0 = start[0], x1 = start[1], x2 = start[2], x3 = start[3];     \
  uint64_t x4 = start[4], x5 = start[5], x6 = start[6], x7 = start[7];     \
  uint64_t x8 = start[8], x9 = start[9], x10 = start[10], x11 = start[11]; \
  uint64_t x12 = start[12] ^ t[WHOLE], x13 = start[13], x14 = start[14], x15 = start[15];

/* Only the words of the digest that are asked for: the compiler drops what nobody reads. */
#define STRIP_END(p, out, offset, a, b, i) \
  V_STORE(out + (offset), V_BSWAP(V_XOR(V_XOR(p##a, p##b), V_SET1(h[i]))));
#define STRIP_END_SCALAR(out, a, b, i) out[WHOLE] = blake2_simd_bswap(x##a ^ x##b ^ h[i]);
#define STRIP_WORD(out, a, b, i)                                           \
  BOTH(STRIP_END(v, out, 0, a, b, i), STRIP_END(u, out, V_LANES, a, b, i)) \
  IF_SCALAR(STRIP_END_SCALAR(out, a, b, i))

#ifdef LOAD
#include LOAD
#else
static void load(uint64_t *words, const blake2_simd_bytes *suffix, size_t n, size_t rows) {
  for (size_t l = 0; l < LANES; l++, words++)
    blake2_simd_load_lane(words, STRIDE, l < n ? suffix[l] : (blake2_simd_bytes){0}, rows);
}
#endif

/* Whole vectors, the lanes between LANES and STRIDE included, whose words are any. */
static void shift(uint64_t *out, const uint64_t *words, size_t n, unsigned bits) {
  for (size_t l = 0; l < STRIDE; l += V_LANES) {
    V carry = V_SET1(0);
    for (size_t w = 0; w < n; w++) {
      const V word = V_LOAD(words + w * STRIDE + l);
      V_STORE(out + w * STRIDE + l, V_OR(V_SHL(word, bits), carry));
      carry = V_SHR(V_SHR(word, 1), 63 - bits);
    }
  }
}

/* What the prefixes of one length have in common, besides the words behind them. */
typedef struct {
  BLAKE2_SIMD_ALIGNED(64) uint64_t begin[STRIDE]; /* the suffixes' part of the prefix's last word */
  BLAKE2_SIMD_ALIGNED(64) uint64_t t[STRIDE];     /* bytes of the whole message */
} common;

/* Puts the suffixes behind prefixes of a group's length, into m[words][STRIDE]. */
static void put_suffixes(uint64_t *m, common *c, const blake2_simd_strip *strip,
                         const blake2_simd_group *group, size_t words) {
  const size_t last = group->words - 1, rows = min_size(strip->rows, words - last);
  shift(m + last * STRIDE, strip->suffix, rows, 8 * (group->tail % 8));
  for (size_t l = 0; l < STRIDE; l += V_LANES) {
    V_STORE(c->begin + l, V_LOAD(m + last * STRIDE + l));
    for (size_t w = last + rows; w < words; w++) V_STORE(m + w * STRIDE + l, V_SET1(0));
  }
  for (size_t l = 0; l < STRIDE; l++) c->t[l] = group->t + group->tail + strip->size[l];
}

/* Puts a prefix before them, in all lanes. */
static void put_prefix(uint64_t *m, const common *c, const uint64_t *prefix, size_t words) {
  const size_t last = words - 1;
  const V joined = V_SET1(prefix[last]);
  for (size_t l = 0; l < STRIDE; l += V_LANES) {
    for (size_t w = 0; w < last; w++) V_STORE(m + w * STRIDE + l, V_SET1(prefix[w]));
    V_STORE(m + last * STRIDE + l, V_OR(joined, V_LOAD(c->begin + l)));
  }
}

/* Strip kernels know their message words beyond W to be zero: 10% between W = 4 and 16. Without
 * the low word, 1 to 2% less: the last round is there twice, and the rest of the code once. */
#define DEFINE_STRIP(W)                                                             \
  static void strip_##W(const blake2_simd_strip *strip, size_t n, int with_lo) {    \
    BLAKE2_SIMD_ALIGNED(64) uint64_t m[W * STRIDE];                                 \
    common c;                                                                       \
    const uint64_t *t = c.t, *started = NULL;                                       \
    uint64_t start[16] = {0};                                                       \
    for (; n > 0; n--, strip++) {                                                   \
      const blake2_simd_group *group = strip->group;                                \
      uint64_t *hi = strip->hi, *lo = strip->lo;                                    \
      for (size_t i = strip->skip, left = strip->count; left > 0; i = 0, group++) { \
        const uint64_t *prefix = group->prefix + i * group->words;                  \
        const uint64_t *h = group->h + i * group->h_stride;                         \
        put_suffixes(m, &c, strip, group, W);                                       \
        for (; i < group->count && left > 0; i++, left--) {                         \
          if (h != started) first_columns(start, started = h, W);                   \
          put_prefix(m, &c, prefix, group->words);                                  \
          const uint64_t *word = m;                                                 \
          HIDE(word)                                                                \
          BOTH(STRIP_BEGIN(v, 0), STRIP_BEGIN(u, V_LANES))                          \
          IF_SCALAR(STRIP_BEGIN_SCALAR)                                             \
          STRIP_ROUNDS(W)                                                           \
          if (with_lo) {                                                            \
            ROUND_11(W)                                                             \
            STRIP_WORD(hi, 0, 8, 0)                                                 \
            STRIP_WORD(lo, 1, 9, 1)                                                 \
            lo += STRIDE;                                                           \
          } else {                                                                  \
            ROUND_11(W)                                                             \
            STRIP_WORD(hi, 0, 8, 0)                                                 \
          }                                                                         \
          prefix += group->words;                                                   \
          h += group->h_stride;                                                     \
          hi += STRIDE;                                                             \
        }                                                                           \
      }                                                                             \
    }                                                                               \
  }

DEFINE_STRIP(4)
DEFINE_STRIP(6)
DEFINE_STRIP(8)
DEFINE_STRIP(16)

static void strip(const blake2_simd_strip *strips, size_t n, size_t words, int with_lo) {
  if (words <= 4)
    strip_4(strips, n, with_lo);
  else if (words <= 6)
    strip_6(strips, n, with_lo);
  else if (words <= 8)
    strip_8(strips, n, with_lo);
  else
    strip_16(strips, n, with_lo);
}

/* A state for each lane, in memory between the blocks of longer messages. */
#define STATE(i, offset) V_LOAD(h + (i) * STRIDE + (offset))
#define BLOCK_BEGIN(p, offset)                                                 \
  V p##0 = STATE(0, offset), p##1 = STATE(1, offset), p##2 = STATE(2, offset); \
  V p##3 = STATE(3, offset), p##4 = STATE(4, offset), p##5 = STATE(5, offset); \
  V p##6 = STATE(6, offset), p##7 = STATE(7, offset);                          \
  V p##8 = IV(0), p##9 = IV(1), p##10 = IV(2), p##11 = IV(3);                  \
  V p##12 = V_XOR(IV(4), V_LOAD(t + (offset))), p##13 = IV(5);                 \
  V p##14 = V_XOR(IV(6), V_LOAD(final + (offset))), p##15 = IV(7);
#define SCALAR_STATE(i) h[(i) * STRIDE + WHOLE]
#define BLOCK_BEGIN_SCALAR                                                          \
  uint64_t x0 = SCALAR_STATE(0), x1 = SCALAR_STATE(1), x2 = SCALAR_STATE(2);        \
  uint64_t x3 = SCALAR_STATE(3), x4 = SCALAR_STATE(4), x5 = SCALAR_STATE(5);        \
  uint64_t x6 = SCALAR_STATE(6), x7 = SCALAR_STATE(7);                              \
  uint64_t x8 = blake2_simd_iv[0], x9 = blake2_simd_iv[1], x10 = blake2_simd_iv[2]; \
  uint64_t x11 = blake2_simd_iv[3], x12 = blake2_simd_iv[4] ^ t[WHOLE];             \
  uint64_t x13 = blake2_simd_iv[5], x14 = blake2_simd_iv[6] ^ final[WHOLE];         \
  uint64_t x15 = blake2_simd_iv[7];

#define BLOCK_END(i, p, offset, a, b) \
  V_STORE(h + (i) * STRIDE + (offset), V_XOR(STATE(i, offset), V_XOR(p##a, p##b)));
#define BLOCK_WORD(i, a, b)                                      \
  BOTH(BLOCK_END(i, v, 0, a, b), BLOCK_END(i, u, V_LANES, a, b)) \
  IF_SCALAR(SCALAR_STATE(i) ^= x##a ^ x##b;)

#define DEFINE_COMPRESS(W)                                                       \
  static void compress_##W(uint64_t *h, const uint64_t *word, const uint64_t *t, \
                           const uint64_t *final) {                              \
    BOTH(BLOCK_BEGIN(v, 0), BLOCK_BEGIN(u, V_LANES))                             \
    IF_SCALAR(BLOCK_BEGIN_SCALAR)                                                \
    TWELVE_ROUNDS(W)                                                             \
    BLOCK_WORD(0, 0, 8)                                                          \
    BLOCK_WORD(1, 1, 9)                                                          \
    BLOCK_WORD(2, 2, 10)                                                         \
    BLOCK_WORD(3, 3, 11)                                                         \
    BLOCK_WORD(4, 4, 12)                                                         \
    BLOCK_WORD(5, 5, 13)                                                         \
    BLOCK_WORD(6, 6, 14)                                                         \
    BLOCK_WORD(7, 7, 15)                                                         \
  }

DEFINE_COMPRESS(4)
DEFINE_COMPRESS(8)
DEFINE_COMPRESS(16)

static void compress(uint64_t *h, const uint64_t *m, const uint64_t *t, const uint64_t *final,
                     size_t words) {
  if (words <= 4)
    compress_4(h, m, t, final);
  else if (words <= 8)
    compress_8(h, m, t, final);
  else
    compress_16(h, m, t, final);
}

#ifdef ROW
#include ROW
#else
#define row NULL
#endif

const blake2_simd IMPL = {IMPL_NAME, LANES, STRIDE, load, shift, strip, compress, row};
