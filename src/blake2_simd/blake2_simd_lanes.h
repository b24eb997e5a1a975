/* The kernels, written once over vectors: each instruction set's file defines the vector and its
 * round, then includes this.
 *
 * Needed before the #include:
 *   V, V_LANES               a vector of V_LANES 64-bit words (V_LANES 1: a plain uint64_t)
 *   STREAMS                  1 or 2 vectors of messages side by side; two hide the latency of one
 *   V_LOAD V_STORE V_SET1    aligned memory, broadcast
 *   V_XOR V_OR V_SHL V_SHR   V_BSWAP (reverses the bytes of each word)
 *   ROUND(W, s0..s15)        one round on v0..v15 (and u0..u15), message words in m; words from W
 *                            on are zero and not added
 *   ROUND_BEGIN, ROUND_END   what the round needs around the twelve (may be empty)
 *   IMPL_NAME                the name, and IMPL the table to define
 */

#include "blake2_simd_impl.h"

#define LANES (V_LANES * STREAMS)

#if STREAMS == 2
#define BOTH(a, b) a b
#else
#define BOTH(a, b) a
#endif

/* RFC 7693, 2.7: the message schedule; rounds 10 and 11 repeat 0 and 1. */
#define TWELVE_ROUNDS(W)                                         \
  ROUND_BEGIN                                                    \
  ROUND(W, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) \
  ROUND(W, 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3) \
  ROUND(W, 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4) \
  ROUND(W, 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8) \
  ROUND(W, 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13) \
  ROUND(W, 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9) \
  ROUND(W, 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11) \
  ROUND(W, 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10) \
  ROUND(W, 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5) \
  ROUND(W, 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0) \
  ROUND(W, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) \
  ROUND(W, 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3) \
  ROUND_END

#define IV(i) V_SET1(blake2_simd_iv[i])

/* The state before a strip's block, one state for all lanes; the block is the last one. */
#define STRIP_BEGIN(p, offset)                                                          \
  V p##0 = V_SET1(h[0]), p##1 = V_SET1(h[1]), p##2 = V_SET1(h[2]), p##3 = V_SET1(h[3]); \
  V p##4 = V_SET1(h[4]), p##5 = V_SET1(h[5]), p##6 = V_SET1(h[6]), p##7 = V_SET1(h[7]); \
  V p##8 = IV(0), p##9 = IV(1), p##10 = IV(2), p##11 = IV(3);                           \
  V p##12 = V_XOR(IV(4), V_LOAD(strip->t + (offset))), p##13 = IV(5);                   \
  V p##14 = V_SET1(~blake2_simd_iv[6]), p##15 = IV(7);

/* Only the words of the digest that are asked for: the compiler drops what nobody reads. */
#define STRIP_HI(p, offset) V_STORE(hi + (offset), V_BSWAP(V_XOR(V_XOR(p##0, p##8), V_SET1(h[0]))));
#define STRIP_LO(p, offset) V_STORE(lo + (offset), V_BSWAP(V_XOR(V_XOR(p##1, p##9), V_SET1(h[1]))));

/* Strip kernels know their message words beyond W to be zero: 10% between W = 4 and 16. Without
 * the low word, 1 to 2% less. */
#define DEFINE_STRIP(W, NAME, WITH_LO)                                              \
  static void NAME(const blake2_simd_strip *strip) {                                \
    BLAKE2_SIMD_ALIGNED(64) uint64_t m[W * LANES];                                  \
    const uint64_t *prefix = strip->prefix, *h = strip->h;                          \
    uint64_t *hi = strip->hi, *lo = strip->lo;                                      \
    const size_t prefix_words = strip->prefix_words;                                \
    memcpy(m, strip->suffix, sizeof m);                                             \
    for (size_t i = 0; i < strip->count; i++) {                                     \
      for (size_t w = 0; w < prefix_words; w++) {                                   \
        V word = V_SET1(prefix[w]);                                                 \
        BOTH(V_STORE(m + w * LANES, V_OR(word, V_LOAD(strip->suffix + w * LANES))); \
             , V_STORE(m + w * LANES + V_LANES,                                     \
                       V_OR(word, V_LOAD(strip->suffix + w * LANES + V_LANES)));)   \
      }                                                                             \
      BOTH(STRIP_BEGIN(v, 0), STRIP_BEGIN(u, V_LANES))                              \
      TWELVE_ROUNDS(W)                                                              \
      BOTH(STRIP_HI(v, 0), STRIP_HI(u, V_LANES))                                    \
      if (WITH_LO) {                                                                \
        BOTH(STRIP_LO(v, 0), STRIP_LO(u, V_LANES))                                  \
        lo += LANES;                                                                \
      }                                                                             \
      prefix += prefix_words;                                                       \
      h += strip->h_stride;                                                         \
      hi += LANES;                                                                  \
    }                                                                               \
  }

DEFINE_STRIP(4, strip_4, 1)
DEFINE_STRIP(8, strip_8, 1)
DEFINE_STRIP(16, strip_16, 1)
DEFINE_STRIP(4, strip_4_hi, 0)
DEFINE_STRIP(8, strip_8_hi, 0)
DEFINE_STRIP(16, strip_16_hi, 0)

static void strip(const blake2_simd_strip *job) {
  const int with_lo = job->lo != NULL;
  if (job->words <= 4)
    (with_lo ? strip_4 : strip_4_hi)(job);
  else if (job->words <= 8)
    (with_lo ? strip_8 : strip_8_hi)(job);
  else
    (with_lo ? strip_16 : strip_16_hi)(job);
}

/* A state for each lane, in memory between the blocks of longer messages. */
#define BLOCK_BEGIN(p, offset)                                                        \
  V p##0 = V_LOAD(h + (offset)), p##1 = V_LOAD(h + 1 * LANES + (offset));             \
  V p##2 = V_LOAD(h + 2 * LANES + (offset)), p##3 = V_LOAD(h + 3 * LANES + (offset)); \
  V p##4 = V_LOAD(h + 4 * LANES + (offset)), p##5 = V_LOAD(h + 5 * LANES + (offset)); \
  V p##6 = V_LOAD(h + 6 * LANES + (offset)), p##7 = V_LOAD(h + 7 * LANES + (offset)); \
  V p##8 = IV(0), p##9 = IV(1), p##10 = IV(2), p##11 = IV(3);                         \
  V p##12 = V_XOR(IV(4), V_LOAD(t + (offset))), p##13 = IV(5);                        \
  V p##14 = V_XOR(IV(6), V_LOAD(final + (offset))), p##15 = IV(7);

#define BLOCK_WORD(i, a, b, offset) \
  V_STORE(h + (i) * LANES + (offset), V_XOR(V_LOAD(h + (i) * LANES + (offset)), V_XOR(a, b)));
#define BLOCK_END(p, offset)         \
  BLOCK_WORD(0, p##0, p##8, offset)  \
  BLOCK_WORD(1, p##1, p##9, offset)  \
  BLOCK_WORD(2, p##2, p##10, offset) \
  BLOCK_WORD(3, p##3, p##11, offset) \
  BLOCK_WORD(4, p##4, p##12, offset) \
  BLOCK_WORD(5, p##5, p##13, offset) \
  BLOCK_WORD(6, p##6, p##14, offset) \
  BLOCK_WORD(7, p##7, p##15, offset)

#define DEFINE_COMPRESS(W)                                                    \
  static void compress_##W(uint64_t *h, const uint64_t *m, const uint64_t *t, \
                           const uint64_t *final) {                           \
    BOTH(BLOCK_BEGIN(v, 0), BLOCK_BEGIN(u, V_LANES))                          \
    TWELVE_ROUNDS(W)                                                          \
    BOTH(BLOCK_END(v, 0), BLOCK_END(u, V_LANES))                              \
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

static void shift(uint64_t *out, const uint64_t *words, size_t n, unsigned bits) {
  if (bits == 0) {
    memcpy(out, words, n * LANES * sizeof *out);
    return;
  }
  for (size_t l = 0; l < LANES; l += V_LANES) {
    V carry = V_SET1(0);
    for (size_t w = 0; w < n; w++) {
      V word = V_LOAD(words + w * LANES + l);
      V_STORE(out + w * LANES + l, V_OR(V_SHL(word, bits), carry));
      carry = V_SHR(word, 64 - bits);
    }
  }
}

const blake2_simd IMPL = {IMPL_NAME, LANES, shift, strip, compress};
