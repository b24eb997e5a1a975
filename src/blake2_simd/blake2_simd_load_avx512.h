/* Strings into lanes with AVX-512: for eight of them, eight words each, loaded up to where they end
 * and transposed. Masked loads read nothing behind a string, not even where memory ends there. */

/* Eight rows of eight words. */
static inline void transpose(V a[8]) {
  V b[8], c[8];
  for (int i = 0; i < 8; i += 2) { /* pairs of words */
    b[i] = _mm512_unpacklo_epi64(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_epi64(a[i], a[i + 1]);
  }
  for (int i = 0; i < 8; i += 4)
    for (int j = i; j < i + 2; j++) { /* pairs of pairs, whose order the next step puts right */
      c[j] = _mm512_shuffle_i64x2(b[j], b[j + 2], 0x88);
      c[j + 2] = _mm512_shuffle_i64x2(b[j], b[j + 2], 0xdd);
    }
  for (int j = 0; j < 4; j++) {
    a[j] = _mm512_shuffle_i64x2(c[j], c[j + 4], 0x88);
    a[j + 4] = _mm512_shuffle_i64x2(c[j], c[j + 4], 0xdd);
  }
}

/* Words `from` to from + 8 of a string. */
static inline V load_words(blake2_simd_bytes string, size_t from) {
  const size_t at = 8 * from;
  if (string.size <= at) return _mm512_setzero_si512();
  const size_t left = string.size - at;
  return _mm512_maskz_loadu_epi8(~(__mmask64)0 >> (64 - min_size(left, 64)), string.data + at);
}

static void load(uint64_t *words, const blake2_simd_bytes *suffix, size_t n, size_t rows) {
  const blake2_simd_bytes none = {NULL, 0};
  for (size_t first = 0; first < WHOLE; first += V_LANES)
    for (size_t w = 0; w < rows; w += 8) {
      V a[8];
      for (size_t i = 0; i < 8; i++) a[i] = load_words(first + i < n ? suffix[first + i] : none, w);
      transpose(a);
      for (size_t i = 0; i < 8 && w + i < rows; i++)
        V_STORE(words + (w + i) * STRIDE + first, a[i]);
    }
  blake2_simd_load_lane(words + WHOLE, STRIDE, n > WHOLE ? suffix[WHOLE] : none, rows);
}
