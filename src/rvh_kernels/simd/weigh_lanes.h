/* Weighted scores: w / -ln(u), u taken from the score, in IEEE doubles.
 *
 * The sequence of operations in neg_log() is the contract (docs/reference/contract.md has it in
 * words): every instruction set and the pure-Python backend execute it, so their bits are equal. It
 * is fdlibm's log (Sun Microsystems, 1993: reduction to [sqrt(1/2), sqrt(2)), s = f / (2+f), an
 * even polynomial in s) in the one-branch form of FreeBSD's k_log.h, with the sign turned. Within
 * 0.87 ulp (tests/backend/test_neg_log.py).
 *
 * Weighted scores are not negative, so their bits rank as they do, and everything behind goes on
 * with words. */

#include "rvh_kernels_impl.h"

#include <float.h>

#if FLT_EVAL_METHOD < 0 || FLT_EVAL_METHOD > 1
#error "doubles are computed wider than they are, as the x87 does: use SSE2 (-mfpmath=sse)"
#endif

/* -ln(m * 2^-53), 0 < m < 2^53 */
ALWAYS_INLINE D neg_log(V m) {
  const V sqrt_half = V_SET1(0x3fe6a09e667f3bcdu); /* the bits of sqrt(1/2) */
  const V offset = V_SUB(D_BITS(D_OF_INT(m)), sqrt_half);
  /* m = 2^e * x, sqrt(1/2) <= x < sqrt(2);  f = x - 1;  k = 53 - e */
  const V x = V_ADD(V_AND(offset, V_SET1(0xfffffffffffffu)), sqrt_half);
  const D e = D_OF_BITS(V_OR(V_SRL(offset, 52), V_SET1(0x4330000000000000u))); /* 2^52 + e */
  const D f = D_SUB(D_OF_BITS(x), D_SET1(1.0));
  const D k = D_SUB(D_SET1(0x1p52 + 53), e);
  const D s = D_DIV(f, D_ADD(D_SET1(2.0), f));
  const D z = D_MUL(s, s), w = D_MUL(z, z);
  D even = D_ADD(D_SET1(2.222219843214978396e-01), D_MUL(w, D_SET1(1.531383769920937332e-01)));
  even = D_MUL(w, D_ADD(D_SET1(3.999999999940941908e-01), D_MUL(w, even)));
  D odd = D_ADD(D_SET1(1.818357216161805012e-01), D_MUL(w, D_SET1(1.479819860511658591e-01)));
  odd = D_ADD(D_SET1(2.857142874366239149e-01), D_MUL(w, odd));
  odd = D_MUL(z, D_ADD(D_SET1(6.666666666666735130e-01), D_MUL(w, odd)));
  const D half = D_MUL(D_MUL(D_SET1(0.5), f), f);
  const D low = D_SUB(D_MUL(s, D_ADD(half, D_ADD(even, odd))),
                      D_MUL(k, D_SET1(1.90821492927058770002e-10))); /* ln(2), low part */
  return D_ADD(D_MUL(k, D_SET1(6.93147180369123816490e-01)), D_SUB(D_SUB(half, low), f));
}

/* The bits of the weighted score. */
ALWAYS_INLINE V weighted(V score, D weight, int murmur) {
  if (!murmur) /* u = ((h >> 12) + 0.5) * 2^-52 = ((h >> 11) | 1) * 2^-53 */
    return D_BITS(D_DIV(weight, neg_log(V_OR(V_SRL(score, 11), V_SET1(1)))));
  const V m = V_AND(score, V_SET1(((uint64_t)1 << 53) - 1));
  const V bits = D_BITS(D_DIV(weight, neg_log(m)));
  return V_SELECT(V_EQ(m, V_SET1(0)), V_SET1(0), bits); /* u = 0 weighs nothing */
}

/* Scores that stand `stride` apart, one for each of `count` weights. */
ALWAYS_INLINE void weigh_apart(uint64_t *words, size_t stride, const double *weight, size_t count,
                               int murmur) {
  for (size_t i = 0; i < count; i += V_LANES) {
    const size_t n = count - i < V_LANES ? count - i : V_LANES;
    BLAKE2_SIMD_ALIGNED(64) uint64_t word[V_LANES] = {0};
    BLAKE2_SIMD_ALIGNED(64) double w[V_LANES] = {0};
    for (size_t l = 0; l < n; l++) {
      word[l] = words[(i + l) * stride];
      w[l] = weight[i + l];
    }
    V_STORE(word, weighted(V_LOAD(word), D_LOAD(w), murmur));
    for (size_t l = 0; l < n; l++) words[(i + l) * stride] = word[l];
  }
}

ALWAYS_INLINE void weigh_tile(uint64_t *words, const double *weight, size_t count, int murmur) {
  for (size_t i = 0; i < count; i++)
    for (size_t l = 0; l < WHOLE; l += V_LANES) {
      uint64_t *p = words + i * STRIDE + l;
      V_STORE(p, weighted(V_LOAD(p), D_SET1(weight[i]), murmur));
    }
  if (SCALAR) weigh_apart(words + WHOLE, STRIDE, weight, count, murmur);
}

void NAME(weigh_tile)(uint64_t *words, const double *weight, size_t count, rvh_scheme scheme) {
  if (scheme == RVH_MURMUR)
    weigh_tile(words, weight, count, 1);
  else
    weigh_tile(words, weight, count, 0);
}

void NAME(weigh_row)(uint64_t *words, const double *weight, size_t count, rvh_scheme scheme) {
  if (scheme == RVH_MURMUR)
    weigh_apart(words, 1, weight, count, 1);
  else
    weigh_apart(words, 1, weight, count, 0);
}

void NAME(neg_log)(const uint64_t *m, size_t count, double *out) {
  for (size_t i = 0; i < count; i += V_LANES) {
    const size_t n = count - i < V_LANES ? count - i : V_LANES;
    BLAKE2_SIMD_ALIGNED(64) uint64_t word[V_LANES];
    BLAKE2_SIMD_ALIGNED(64) double log[V_LANES];
    for (size_t l = 0; l < V_LANES; l++) word[l] = m[i + (l < n ? l : 0)];
    D_STORE(log, neg_log(V_LOAD(word)));
    for (size_t l = 0; l < n; l++) out[i + l] = log[l];
  }
}
