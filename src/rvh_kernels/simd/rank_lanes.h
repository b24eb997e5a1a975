/* The best few nodes of each key by ranks, kept by minima and maxima alone. The scores of `murmur`
 * become ranks where they are made, those of `blake2b` are read from a tile. */

/* What turns words into ranks. */
typedef struct {
  V high; /* the bits that order */
  V next; /* the next node's position, and the bits that all ranks have */
} numbering;

ALWAYS_INLINE numbering number_from(size_t first, uint64_t low, int weighted) {
  return weighted ? (numbering){V_SET1(~low), V_SET1(first)}
                  : (numbering){V_SET1(~low & RVH_RANK_HIGH), V_SET1(RVH_RANK_BASE | first)};
}

/* The higher a score, the lower its rank. */
ALWAYS_INLINE V rank_of_score(V score, const numbering *number) {
  return V_ANDNOT_OR(V_SRL(score, 3), number->high, number->next);
}

/* The least n ranks, the best first; one more goes in and the last falls out. */
ALWAYS_INLINE void keep_least(V *kept, V rank, size_t n) {
  for (size_t j = 0; j < n; j++) {
    const V least = V_LEAST(kept[j], rank);
    rank = V_MOST(kept[j], rank);
    kept[j] = least;
  }
}

/* A number below 2 d + d^2, where d = 1 - u, and never 0. The 53 bits of the score are turned round
 * to d's, and all but the last become the mantissa of x = 1 + d', so 2 d >= 2 d' + 2^-52. That
 * covers what is added here and the rounding of x * x where it is below 2; elsewhere the roundings
 * are below 2^-50 of the difference, and `inverse` is 2^-48 of it below 1 / w. */
ALWAYS_INLINE D below_distance(V score) {
  const D x = D_OF_BITS(
      V_ANDNOT_OR(V_SRL(score, 1), V_SET1(0xfffffffffffffu), V_SET1(0x3ff0000000000000u)));
  return D_SUB(D_MUL(x, x), D_SET1(1 - 0x1p-53));
}

/* The bits of a double below 2 (-ln u) / w, since d + d^2/2 < -ln(1 - d). */
ALWAYS_INLINE V rank_of_distance(V score, double inverse, const numbering *number) {
  const V bits = D_BITS(D_MUL(below_distance(score), D_SET1(inverse)));
  return V_AND_OR(bits, number->high, number->next);
}

/* Takes a node into the best n of some vectors of keys. */
ALWAYS_INLINE void take_rank(V (*kept)[RVH_RANKS_MAX], size_t n, size_t vectors, const V *score,
                             const double *inverse, const numbering *number) {
  for (size_t u = 0; u < vectors; u++) {
    const V rank = inverse == NULL ? rank_of_score(score[u], number)
                                   : rank_of_distance(score[u], *inverse, number);
    /* one lane seldom comes near, of several there is mostly one */
    if (V_LANES > 1 || V_ANY(V_GT(kept[u][n - 1], rank))) keep_least(kept[u], rank, n);
  }
}

ALWAYS_INLINE void rank_nodes(const rvh_ranking *r, size_t first, size_t count, size_t n,
                              size_t vectors, int weighted) {
  const uint64_t *nodes = r->nodes->hash + first;
  const double *inverse = weighted ? r->nodes->inverse + first : NULL;
  mixing m;
  mix_start(&m, vectors, r->hash, nodes[0], nodes[1]);
  for (size_t at = 0; at < r->keys; at += vectors * V_LANES) {
    uint64_t *rank = r->rank + at;
    numbering number = number_from(first, r->nodes->low, weighted);
    V kept[2][RVH_RANKS_MAX], score[IN_FLIGHT];
    for (size_t u = 0; u < vectors; u++)
      for (size_t j = 0; j < n; j++)
        kept[u][j] =
            first == 0 ? V_SET1(RVH_RANK_NONE) : V_LOAD(rank + j * RVH_RANK_RUN + u * V_LANES);
    for (size_t i = 0; i < count; i++) {
      const uint64_t *second = nodes + (i + 1 < count ? i + 1 : 0);
      const uint64_t *third = nodes + (i + 2 < count ? i + 2 : i + 2 - count);
      if (i + 2 == count) mix_keys(&m, vectors, r->hash + at + vectors * V_LANES);
      mix_pass(&m, vectors, *second, *third, score);
      take_rank(kept, n, vectors, score, weighted ? inverse + i : NULL, &number);
      number.next = V_ADD(number.next, V_SET1(1));
    }
    for (size_t u = 0; u < vectors; u++)
      for (size_t j = 0; j < n; j++) V_STORE(rank + j * RVH_RANK_RUN + u * V_LANES, kept[u][j]);
  }
}

ALWAYS_INLINE void rank_tile(const uint64_t *hi, size_t first, size_t count, uint64_t low,
                             uint64_t *rank, size_t n) {
  for (size_t l = 0; l < STRIDE; l += V_LANES) {
    numbering number = number_from(first, low, 0);
    V kept[1][RVH_RANKS_MAX];
    for (size_t j = 0; j < n; j++)
      kept[0][j] = first == 0 ? V_SET1(RVH_RANK_NONE) : V_LOAD(rank + j * STRIDE + l);
    for (size_t i = 0; i < count; i++) {
      const V score = V_LOAD(hi + i * STRIDE + l);
      take_rank(kept, n, 1, &score, NULL, &number);
      number.next = V_ADD(number.next, V_SET1(1));
    }
    for (size_t j = 0; j < n; j++) V_STORE(rank + j * STRIDE + l, kept[0][j]);
  }
}

/* A constant k lets the ranks stay in registers: those of two vectors of keys up to 5, of one up to
 * 10. From 11 on they are in memory. */
#define UP_TO(most, vectors)                               \
  if (r->k <= (most)) {                                    \
    if (weighted)                                          \
      rank_nodes(r, first, count, (most) + 2, vectors, 1); \
    else                                                   \
      rank_nodes(r, first, count, (most) + 1, vectors, 0); \
    return;                                                \
  }
void NAME(rank_nodes)(const rvh_ranking *r, size_t first, size_t count) {
  const int weighted = r->nodes->weight != NULL;
  UP_TO(1, 2)
  UP_TO(2, 2)
  UP_TO(3, 2)
  UP_TO(4, 2)
  UP_TO(5, 2)
  UP_TO(10, 1)
  UP_TO(r->k, 1)
}
#undef UP_TO

#define UP_TO(most)                                     \
  if (k <= (most)) {                                    \
    rank_tile(hi, first, count, low, rank, (most) + 1); \
    return;                                             \
  }
void NAME(rank_tile)(const uint64_t *hi, size_t first, size_t count, uint64_t low, uint64_t *rank,
                     size_t k) {
  UP_TO(1)
  UP_TO(2)
  UP_TO(3)
  UP_TO(5)
  UP_TO(10)
  UP_TO(RVH_RANKED_MAX)
}
#undef UP_TO
