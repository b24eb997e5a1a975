/* MD5 (RFC 1321) of messages of one block, a lane each. */

#define MD5_STEP(mix, a, b, c, d, w, i, r)                                               \
  a = W_ADD(W_ADD(a, mix(b, c, d)), W_ADD(W_LOAD((w) + lane), W_SET1(rvh_md5_sine[i]))); \
  a = W_ADD(W_ROTL(a, r), b);

#define MD5_ROUND(mix, first, step, i, r0, r1, r2, r3)                                          \
  for (int j = 0; j < 16; j += 4) {                                                             \
    MD5_STEP(mix, a, b, c, d, words + RVH_MD5_GROUP * (((first) + (step) * j) % 16), i + j, r0) \
    MD5_STEP(mix, d, a, b, c, words + RVH_MD5_GROUP * (((first) + (step) * (j + 1)) % 16),      \
             i + j + 1, r1)                                                                     \
    MD5_STEP(mix, c, d, a, b, words + RVH_MD5_GROUP * (((first) + (step) * (j + 2)) % 16),      \
             i + j + 2, r2)                                                                     \
    MD5_STEP(mix, b, c, d, a, words + RVH_MD5_GROUP * (((first) + (step) * (j + 3)) % 16),      \
             i + j + 3, r3)                                                                     \
  }

void NAME(md5)(const uint32_t *words, uint32_t *out) {
  for (size_t lane = 0; lane < RVH_MD5_GROUP; lane += W_LANES) {
    W a = W_SET1(0x67452301u), b = W_SET1(0xefcdab89u), c = W_SET1(0x98badcfeu),
      d = W_SET1(0x10325476u);
    MD5_ROUND(W_MD5_F, 0, 1, 0, 7, 12, 17, 22)
    MD5_ROUND(W_MD5_G, 1, 5, 16, 5, 9, 14, 20)
    MD5_ROUND(W_MD5_H, 5, 3, 32, 4, 11, 16, 23)
    MD5_ROUND(W_MD5_I, 0, 7, 48, 6, 10, 15, 21)
    W_STORE(out + lane, W_ADD(a, W_SET1(0x67452301u)));
    W_STORE(out + RVH_MD5_GROUP + lane, W_ADD(b, W_SET1(0xefcdab89u)));
    W_STORE(out + 2 * RVH_MD5_GROUP + lane, W_ADD(c, W_SET1(0x98badcfeu)));
    W_STORE(out + 3 * RVH_MD5_GROUP + lane, W_ADD(d, W_SET1(0x10325476u)));
  }
}

#undef MD5_ROUND
#undef MD5_STEP
