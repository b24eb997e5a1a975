/* One suffix behind prefixes that stand in the lanes, with AVX-512: moved there by permutations and
 * by shifts that differ from lane to lane. Eight messages are one stream, which takes six tenths of
 * the time of two; a seventeenth message would be one alone, and is left out. */

/* Puts the suffix, of which `low` and `high` are eight words each, behind eight prefixes. */
static inline void put_behind(uint64_t *m, const blake2_simd_eight *eight, V low, V high,
                              size_t words) {
  const V tail = V_LOAD(eight->tail),
          bits = _mm512_slli_epi64(_mm512_and_epi64(tail, V_SET1(7)), 3);
  const V rest = _mm512_sub_epi64(V_SET1(64), bits), prefix_end = V_SET1(16);
  V from = _mm512_sub_epi64(V_SET1(0), _mm512_srli_epi64(tail, 3)), last = V_SET1(0);
  for (size_t w = 0; w < words; w++, m += STRIDE) {
    const __mmask8 within = _mm512_cmplt_epu64_mask(from, prefix_end);
    const V word = _mm512_maskz_permutex2var_epi64(within, low, from, high);
    const V moved = V_OR(_mm512_sllv_epi64(word, bits), _mm512_srlv_epi64(last, rest));
    V_STORE(m, w < eight->words ? V_OR(moved, V_LOAD(eight->word + w * V_LANES)) : moved);
    last = word;
    from = _mm512_add_epi64(from, V_SET1(1));
  }
}

/* clang-format off */

/* Half of G on all columns or diagonals of a stream (p is v or u), step by step side by side. */
#define FOUR(W, p, stream, a, b, c, d, e, f, g, h, i, j, k, l, n, o, q, r, s0, s1, s2, s3, t, z)  \
  WORD(W, p##a, s0, stream) WORD(W, p##e, s1, stream)                                            \
  WORD(W, p##i, s2, stream) WORD(W, p##n, s3, stream)                                            \
  ADD(p##a, p##b) ADD(p##e, p##f) ADD(p##i, p##j) ADD(p##n, p##o)                                \
  XOR(p##d, p##a) XOR(p##h, p##e) XOR(p##l, p##i) XOR(p##r, p##n)                                \
  ROTR(p##d, t) ROTR(p##h, t) ROTR(p##l, t) ROTR(p##r, t)                                        \
  ADD(p##c, p##d) ADD(p##g, p##h) ADD(p##k, p##l) ADD(p##q, p##r)                                \
  XOR(p##b, p##c) XOR(p##f, p##g) XOR(p##j, p##k) XOR(p##o, p##q)                                \
  ROTR(p##b, z) ROTR(p##f, z) ROTR(p##j, z) ROTR(p##o, z)
#define FOUR_COLUMNS(W, p, stream, s0, s1, s2, s3, t, z)                                         \
  FOUR(W, p, stream, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15, s0, s1, s2, s3, t, z)
#define FOUR_DIAGONALS(W, p, stream, s0, s1, s2, s3, t, z)                                       \
  FOUR(W, p, stream, 0, 5, 10, 15, 1, 6, 11, 12, 2, 7, 8, 13, 3, 4, 9, 14, s0, s1, s2, s3, t, z)

/* clang-format on */

#define LANES_BEGIN(p, t)                                                 \
  V p##0 = V_SET1(h[0]), p##1 = V_SET1(h[1]), p##2 = V_SET1(h[2]);        \
  V p##3 = V_SET1(h[3]), p##4 = V_SET1(h[4]), p##5 = V_SET1(h[5]);        \
  V p##6 = V_SET1(h[6]), p##7 = V_SET1(h[7]), p##8 = IV(0), p##9 = IV(1); \
  V p##10 = IV(2), p##11 = IV(3), p##12 = V_XOR(IV(4), t), p##13 = IV(5); \
  V p##14 = V_SET1(~blake2_simd_iv[6]), p##15 = IV(7);
#define LANES_END(p, out, a, b, i) V_STORE(out, V_BSWAP(V_XOR(V_XOR(p##a, p##b), V_SET1(h[i]))));

#undef COLUMNS
#undef DIAGONALS
#define COLUMNS(W, s0, s1, s2, s3, s4, s5, s6, s7) \
  FOUR_COLUMNS(W, v, 0, s0, s2, s4, s6, 32, 24)    \
  FOUR_COLUMNS(W, v, 0, s1, s3, s5, s7, 16, 63)
#define DIAGONALS(W, s0, s1, s2, s3, s4, s5, s6, s7) \
  FOUR_DIAGONALS(W, v, 0, s0, s2, s4, s6, 32, 24)    \
  FOUR_DIAGONALS(W, v, 0, s1, s3, s5, s7, 16, 63)
#define DEFINE_EIGHT(W)                                                                      \
  static void eight_##W(const uint64_t *word, const uint64_t *h, const V t[2], uint64_t *hi, \
                        uint64_t *lo) {                                                      \
    HIDE(word)                                                                               \
    LANES_BEGIN(v, t[0])                                                                     \
    TWELVE_ROUNDS(W)                                                                         \
    LANES_END(v, hi, 0, 8, 0)                                                                \
    LANES_END(v, lo, 1, 9, 1)                                                                \
  }
DEFINE_EIGHT(8)
DEFINE_EIGHT(16)

#undef COLUMNS
#undef DIAGONALS
#define COLUMNS(W, s0, s1, s2, s3, s4, s5, s6, s7) \
  FOUR_COLUMNS(W, v, 0, s0, s2, s4, s6, 32, 24)    \
  FOUR_COLUMNS(W, u, 1, s0, s2, s4, s6, 32, 24)    \
  FOUR_COLUMNS(W, v, 0, s1, s3, s5, s7, 16, 63)    \
  FOUR_COLUMNS(W, u, 1, s1, s3, s5, s7, 16, 63)
#define DIAGONALS(W, s0, s1, s2, s3, s4, s5, s6, s7) \
  FOUR_DIAGONALS(W, v, 0, s0, s2, s4, s6, 32, 24)    \
  FOUR_DIAGONALS(W, u, 1, s0, s2, s4, s6, 32, 24)    \
  FOUR_DIAGONALS(W, v, 0, s1, s3, s5, s7, 16, 63)    \
  FOUR_DIAGONALS(W, u, 1, s1, s3, s5, s7, 16, 63)
#define DEFINE_SIXTEEN(W)                                                                      \
  static void sixteen_##W(const uint64_t *word, const uint64_t *h, const V t[2], uint64_t *hi, \
                          uint64_t *lo) {                                                      \
    HIDE(word)                                                                                 \
    LANES_BEGIN(v, t[0])                                                                       \
    LANES_BEGIN(u, t[1])                                                                       \
    TWELVE_ROUNDS(W)                                                                           \
    LANES_END(v, hi, 0, 8, 0)                                                                  \
    LANES_END(u, hi + V_LANES, 0, 8, 0)                                                        \
    LANES_END(v, lo, 1, 9, 1)                                                                  \
    LANES_END(u, lo + V_LANES, 1, 9, 1)                                                        \
  }
DEFINE_SIXTEEN(8)
DEFINE_SIXTEEN(16)

static void row(const blake2_simd_eight *eight, size_t n, const uint64_t *h, uint64_t before,
                blake2_simd_bytes suffix, uint64_t *hi, uint64_t *lo) {
  BLAKE2_SIMD_ALIGNED(64) uint64_t m[16 * STRIDE];
  const V low = load_words(suffix, 0), high = load_words(suffix, 8);
  const int is_short = eight[n - 1].longest + suffix.size <= 64;
  V t[2];
  for (size_t i = 0; i < n; i++) {
    put_behind(m + i * V_LANES, &eight[i], low, high, is_short ? 8 : 16);
    t[i] = _mm512_add_epi64(V_SET1(before + suffix.size), V_LOAD(eight[i].tail));
  }
  if (n == 1)
    (is_short ? eight_8 : eight_16)(m, h, t, hi, lo);
  else
    (is_short ? sixteen_8 : sixteen_16)(m, h, t, hi, lo);
}
