/* Scores of the scheme `murmur`, and the best node of each key by weighted scores.
 *
 * A score is three products, so a tile in memory would cost as much as the scores in it: where one
 * node is asked for, scores are compared where they are made. */

#include "murmur.h"

#define GROUP (V_LANES * IN_FLIGHT)

ALWAYS_INLINE V mix(V key, V node) {
  const V k = V_SET1(RVH_MIX);
  const V a = V_MUL(V_XOR(key, node), k);
  V b = V_MUL(V_XOR3(node, a, V_SRL(a, 47)), k);
  b = V_XOR(b, V_SRL(b, 47));
  return V_MUL(b, k);
}

void NAME(murmur_tile)(const uint64_t *keys, const uint64_t *nodes, size_t count, uint64_t *out) {
  for (size_t i = 0; i < count; i++, out += STRIDE) {
    const V node = V_SET1(nodes[i]);
    for (size_t l = 0; l < WHOLE; l += V_LANES) V_STORE(out + l, mix(V_LOAD(keys + l), node));
    if (SCALAR) out[WHOLE] = rvh_murmur_pair(keys[WHOLE], nodes[i]);
  }
}

void NAME(murmur_row)(uint64_t key, const uint64_t *nodes, size_t count, uint64_t *out) {
  const V keys = V_SET1(key);
  size_t i = 0;
  for (; i + V_LANES <= count; i += V_LANES) V_STOREU(out + i, mix(keys, V_LOADU(nodes + i)));
  for (; i < count; i++) out[i] = rvh_murmur_pair(key, nodes[i]);
}

/* A number just below d = 1 - u, within 2^-52: the score's low 53 bits turned round, as the
 * mantissa of a double in [1, 2), less 1. */
ALWAYS_INLINE D below_distance(V score) {
  const V mantissa = V_SRL(V_SLL(V_XOR(score, V_SET1(~(uint64_t)0)), 11), 12);
  return D_SUB(D_OF_BITS(V_OR(mantissa, V_SET1(0x3ff0000000000000u))), D_SET1(1.0));
}

void NAME(murmur_nearest)(const rvh_murmur_run *run, size_t first, size_t count) {
  for (size_t at = 0; at < run->keys; at += GROUP) {
    V key[IN_FLIGHT], position[IN_FLIGHT];
    D least[IN_FLIGHT], next[IN_FLIGHT];
    for (size_t u = 0; u < IN_FLIGHT; u++) {
      key[u] = V_LOAD(run->hash + at + u * V_LANES);
      least[u] = D_LOAD(run->least + at + u * V_LANES);
      next[u] = D_LOAD(run->next + at + u * V_LANES);
      position[u] = V_LOAD(run->position + at + u * V_LANES);
    }
    for (size_t i = first; i < first + count; i++) {
      const V node = V_SET1(run->nodes[i]), here = V_SET1(i);
      const D inverse = D_SET1(run->inverse[i]);
      for (size_t u = 0; u < IN_FLIGHT; u++) {
        const D d = below_distance(mix(key[u], node));
        const D first_term = D_MUL(d, inverse);
        /* After many nodes hardly any comes near, and the first term tells. */
        if (i >= RVH_SCREEN && !V_ANY(D_LT(first_term, next[u]))) continue;
        /* RVH_SERIES terms of -ln(1 - d) = d + d^2/2 + d^3/3 + ..., over the weight */
        D sum = D_ADD(D_MUL(d, D_SET1(1.0 / 4)), D_SET1(1.0 / 3));
        sum = D_ADD(D_MUL(d, sum), D_SET1(1.0 / 2));
        sum = D_ADD(D_MUL(d, sum), D_SET1(1.0));
        sum = D_MUL(first_term, sum);
        const V_MASK nearer = D_LT(sum, least[u]);
        next[u] = D_MIN(next[u], D_MAX(least[u], sum));
        least[u] = D_MIN(least[u], sum);
        position[u] = V_SELECT(nearer, here, position[u]);
      }
    }
    for (size_t u = 0; u < IN_FLIGHT; u++) {
      D_STORE(run->least + at + u * V_LANES, least[u]);
      D_STORE(run->next + at + u * V_LANES, next[u]);
      V_STORE(run->position + at + u * V_LANES, position[u]);
    }
  }
}

#undef GROUP
