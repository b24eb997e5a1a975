/* Scores of the scheme `murmur`. */

#include "murmur.h"

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

/* Runs of keys: a score is three products, one after another. A loop that makes one node's scores
 * at a time waits for them, and the scores that a processor could begin meanwhile do not fit its
 * scheduler. So a pass of the loop has one product of each of three nodes, none of which needs
 * another; the last passes of some keys begin the next keys. */

/* Products on their way, of some vectors of keys: the first of one node, the second of the node
 * before. */
typedef struct {
  V key[IN_FLIGHT], a[IN_FLIGHT], b[IN_FLIGHT];
} mixing;

/* The third product of a node; the nodes after it are `second` and `first`. */
ALWAYS_INLINE void mix_pass(mixing *m, size_t vectors, uint64_t second, uint64_t first, V *score) {
  const V k = V_SET1(RVH_MIX);
  for (size_t u = 0; u < vectors; u++) {
    score[u] = V_MUL(V_XOR(m->b[u], V_SRL(m->b[u], 47)), k);
    m->b[u] = V_MUL(V_XOR3(m->a[u], V_SRL(m->a[u], 47), V_SET1(second)), k);
    m->a[u] = V_MUL(V_XOR(m->key[u], V_SET1(first)), k);
  }
}

ALWAYS_INLINE void mix_keys(mixing *m, size_t vectors, const uint64_t *hash) {
  for (size_t u = 0; u < vectors; u++) m->key[u] = V_LOADU(hash + u * V_LANES);
}

/* Takes the first keys as far as the next pass's `score` is that of node `first`. */
ALWAYS_INLINE void mix_start(mixing *m, size_t vectors, const uint64_t *hash, uint64_t first,
                             uint64_t second) {
  V none[IN_FLIGHT];
  for (size_t u = 0; u < vectors; u++) m->a[u] = m->b[u] = V_SET1(0);
  mix_keys(m, vectors, hash);
  mix_pass(m, vectors, first, first, none);
  mix_pass(m, vectors, first, second, none);
}
