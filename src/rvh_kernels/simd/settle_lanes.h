/* What ranks leave open: scores that agree in the bits that rank, and the order by weighted scores.
 *
 * With weights, a node's rank is the bits of a number below 2 (-ln u) / w, so that its weighted
 * score w / -ln u is below 2 / rank. The best k + 1 by rank are weighed; every other node's rank is
 * at least the next one's. So where 2 / rank of the next is below the kth weighted score, no other
 * node has a higher one. The contract's rounded scores are within 2^-50 of w / -ln u: 2^-40 covers
 * that, and the product here. Where that does not tell, a key is scored whole: once in
 * a hundred keys with k = 1 of eight nodes, hardly ever of 64. */

void NAME(settle_ties)(const uint64_t *rank, size_t stride, size_t keys, size_t k, uint64_t low,
                       uint64_t *unsure) {
  const V high = V_SET1(~low), none = V_SET1(0), one = V_SET1(1);
  for (size_t l = 0; l < keys; l += V_LANES) {
    V any = none;
    for (size_t j = 0; j < k; j++) {
      const uint64_t *pair = rank + j * stride + l;
      const V differ = V_AND(V_XOR(V_LOAD(pair), V_LOAD(pair + stride)), high);
      any = V_SELECT(V_EQ(differ, none), one, any);
    }
    V_STORE(unsure + l, any);
  }
}

/* The weighted scores of the nodes that are jth by rank, each put in its place among those before.
 * The ranks become positions. */
static void weigh_next(const rvh_ranking *r, size_t j, uint64_t *word) {
  BLAKE2_SIMD_ALIGNED(64) uint64_t hash[RVH_RANK_RUN];
  BLAKE2_SIMD_ALIGNED(64) double weight[RVH_RANK_RUN];
  uint64_t *position = r->rank + j * RVH_RANK_RUN;
  for (size_t l = 0; l < r->keys; l++) {
    position[l] &= r->nodes->low;
    hash[l] = r->nodes->hash[position[l]];
    weight[l] = r->nodes->weight[position[l]];
  }
  for (size_t l = 0; l < r->keys; l += V_LANES) {
    const V score = mix(V_LOAD(r->hash + l), V_LOAD(hash + l));
    node carry = {weighted(score, D_LOAD(weight + l), 1), V_LOAD(position + l)};
    for (size_t i = 0; i < j; i++) {
      uint64_t *hi = word + i * RVH_RANK_RUN + l, *pos = r->rank + i * RVH_RANK_RUN + l;
      const node was = {V_LOAD(hi), V_LOAD(pos)};
      const V_MASK better = V_GT(carry.hi, was.hi);
      V_STORE(hi, V_SELECT(better, carry.hi, was.hi));
      V_STORE(pos, V_SELECT(better, carry.pos, was.pos));
      carry.hi = V_SELECT(better, was.hi, carry.hi);
      carry.pos = V_SELECT(better, was.pos, carry.pos);
    }
    V_STORE(word + j * RVH_RANK_RUN + l, carry.hi);
    V_STORE(position + l, carry.pos);
  }
}

void NAME(settle_weighted)(const rvh_ranking *r, uint64_t *word, uint64_t *unsure) {
  const size_t k = r->k, n = r->nodes->n, weighed = k < n ? k + 1 : n;
  const V one = V_SET1(1);
  for (size_t j = 0; j < weighed; j++) weigh_next(r, j, word);
  NAME(settle_ties)(word, RVH_RANK_RUN, r->keys, weighed - 1, 0, unsure);
  if (weighed == n) return;
  const uint64_t *kth = word + (k - 1) * RVH_RANK_RUN, *next = r->rank + weighed * RVH_RANK_RUN;
  for (size_t l = 0; l < r->keys; l += V_LANES) {
    const V rank = V_AND(V_LOAD(next + l), V_SET1(~r->nodes->low));
    const D product = D_MUL(D_OF_BITS(V_LOAD(kth + l)), D_OF_BITS(rank));
    const V_MASK sure = D_LT(D_SET1(2 * (1 + 0x1p-40)), product);
    V_STORE(unsure + l, V_SELECT(sure, V_LOAD(unsure + l), one));
  }
}

/* For k = 1, most keys need no weighing: y, just above 2 d + d^2, is known from the best rank, and
 * 2 (-ln u) = 2 d + d^2 + 2 d^3/3 + 2 d^4/4 + ... < y + (2/3) d^3 / (1 - d) < y + y^3 / (12 - 6 y),
 * since d < y/2. Where that over w is below the next rank, no other node is better. 2^-40 covers
 * the roundings, 2^-50 what the rank leaves out of 2 d. */
void NAME(settle_nearest)(const rvh_ranking *r, uint64_t *unsure) {
  const uint64_t low = r->nodes->low;
  BLAKE2_SIMD_ALIGNED(64) double weight[RVH_RANK_RUN];
  for (size_t l = 0; l < r->keys; l++) weight[l] = r->nodes->weight[r->rank[l] & low];
  for (size_t l = 0; l < r->keys; l += V_LANES) {
    const D w = D_LOAD(weight + l);
    const D rank = D_OF_BITS(V_OR(V_LOAD(r->rank + l), V_SET1(low)));
    const D next = D_OF_BITS(V_AND(V_LOAD(r->rank + RVH_RANK_RUN + l), V_SET1(~low)));
    const D y = D_ADD(D_MUL(D_MUL(rank, w), D_SET1(1 + 0x1p-40)), D_SET1(0x1p-50));
    const D part = D_SUB(D_SET1(12), D_MUL(D_SET1(6), y));
    const D above = D_MUL(y, D_ADD(part, D_MUL(y, y)));
    const D below = D_MUL(D_MUL(D_MUL(next, w), part), D_SET1(1 - 0x1p-40));
    V_STORE(unsure + l, V_SELECT(D_LT(above, below), V_SET1(0), V_SET1(1)));
  }
}
