/* The node with the highest score, for each key of a run. The vectors leave the scalar units idle:
 * BESIDE keys more go through those.
 *
 * Comparing alone is cheaper than keeping positions too: over many nodes, vectors note the step in
 * which the highest score came first, and best_find looks there again. */

/* gcc would move the scalar products behind the vectors' once more: 3 to 8% slower with AVX-512. */
#if defined(__GNUC__) && !defined(__clang__) && V_LANES == 8
#define AS_WRITTEN __attribute__((optimize("no-schedule-insns2")))
#else
#define AS_WRITTEN
#endif

#define GROUP (V_LANES * VECTORS + BESIDE)

/* A group's best so far. */
typedef struct {
  V score[VECTORS], position[VECTORS];
  uint64_t score_beside[BESIDE + 1], beside[BESIDE + 1];
} leaders;

ALWAYS_INLINE void load_leaders(leaders *b, const rvh_best_run *run, size_t at) {
  for (size_t u = 0; u < VECTORS; u++, at += V_LANES) {
    b->score[u] = V_ORDERED(V_LOADU(run->word + at));
    b->position[u] = V_LOADU(run->position + at);
  }
  for (size_t s = 0; s < BESIDE; s++, at++) {
    b->score_beside[s] = run->word[at];
    b->beside[s] = run->position[at];
  }
}

ALWAYS_INLINE void store_leaders(const leaders *b, const rvh_best_run *run, size_t at) {
  for (size_t u = 0; u < VECTORS; u++, at += V_LANES) {
    V_STOREU(run->word + at, V_ORDERED(b->score[u]));
    V_STOREU(run->position + at, b->position[u]);
  }
  for (size_t s = 0; s < BESIDE; s++, at++) {
    run->word[at] = b->score_beside[s];
    run->position[at] = b->beside[s];
  }
}

/* Takes a node for the vectors. */
ALWAYS_INLINE void take(leaders *b, const V *score, V here) {
  for (size_t u = 0; u < VECTORS; u++) {
    const V ordered = V_ORDERED(score[u]);
    b->position[u] = V_SELECT(V_ORDERED_GT(ordered, b->score[u]), here, b->position[u]);
    b->score[u] = V_ORDERED_MAX(ordered, b->score[u]);
  }
}

/* Takes a node for the keys beside them. After few nodes it is better or not as a coin falls: no
 * branch. */
ALWAYS_INLINE void take_beside(leaders *b, const uint64_t *hash, uint64_t node, uint64_t position) {
  for (size_t s = 0; s < BESIDE; s++) {
    const uint64_t score = rvh_murmur_pair(hash[V_LANES * VECTORS + s], node);
#if defined(__GNUC__) && defined(__x86_64__)
    __asm__("cmp %2, %0\n\tcmovb %3, %1\n\tcmovb %2, %0"
            : "+r"(b->score_beside[s]), "+r"(b->beside[s])
            : "r"(score), "r"(position)
            : "cc");
#else
    const int better = score > b->score_beside[s];
    b->score_beside[s] = better ? score : b->score_beside[s];
    b->beside[s] = better ? position : b->beside[s];
#endif
  }
}

/* The nodes from i on, read anew: a compiler that keeps one from pass to pass has it in a scalar
 * register, and a broadcast from there costs as much as a product. */
ALWAYS_INLINE const uint64_t *nodes_at(const uint64_t *nodes, size_t i) {
  const uint64_t *at = nodes + i;
#if defined(__GNUC__)
  __asm__("" : "+r"(at));
#endif
  return at;
}

ALWAYS_INLINE void scan(const rvh_best_run *run, size_t first, size_t count, size_t step) {
  const uint64_t *nodes = run->nodes, begin = nodes[first], second = nodes[first + 1];
  const size_t end = first + count;
  mixing m;
  V score[VECTORS];
  mix_start(&m, VECTORS, run->hash, begin, second);
  for (size_t at = 0; at < run->keys; at += GROUP) {
    const uint64_t *hash = run->hash + at;
    size_t i = first;
    V here = V_SET1(first); /* i, counted in a vector: no broadcast */
    leaders b;
    load_leaders(&b, run, at);
    for (; step > 1 && i + step + 2 <= end; here = V_ADD(here, V_SET1(step))) {
      V before[VECTORS];
      for (size_t u = 0; u < VECTORS; u++) before[u] = b.score[u];
      for (size_t j = 0; j < step; j++, i++) {
        const uint64_t *node = nodes_at(nodes, i);
        mix_pass(&m, VECTORS, node[1], node[2], score);
        for (size_t u = 0; u < VECTORS; u++)
          b.score[u] = V_ORDERED_MAX(V_ORDERED(score[u]), b.score[u]);
        take_beside(&b, hash, *node, i);
      }
      for (size_t u = 0; u < VECTORS; u++)
        b.position[u] = V_SELECT(V_ORDERED_GT(b.score[u], before[u]), here, b.position[u]);
    }
    for (; i + 2 < end; i++, here = V_ADD(here, V_SET1(1))) {
      const uint64_t *node = nodes_at(nodes, i);
      mix_pass(&m, VECTORS, node[1], node[2], score);
      take(&b, score, here);
      take_beside(&b, hash, *node, i);
    }
    if (at + GROUP < run->keys) mix_keys(&m, VECTORS, hash + GROUP);
    mix_pass(&m, VECTORS, nodes[i + 1], begin, score);
    take(&b, score, here);
    take_beside(&b, hash, nodes[i], i);
    mix_pass(&m, VECTORS, begin, second, score);
    take(&b, score, V_ADD(here, V_SET1(1)));
    take_beside(&b, hash, nodes[i + 1], i + 1);
    store_leaders(&b, run, at);
  }
}

const size_t NAME(best_group) = GROUP;

AS_WRITTEN void NAME(best)(const rvh_best_run *run, size_t first, size_t count) {
  scan(run, first, count, 1);
}

AS_WRITTEN void NAME(best_step)(const rvh_best_run *run, size_t first, size_t count) {
  scan(run, first, count, RVH_STEP);
}

void NAME(best_find)(const rvh_best_run *run, size_t n) {
  for (size_t i = 0; i < run->keys; i++) {
    const V key = V_SET1(run->hash[i]), word = V_SET1(run->word[i]);
    /* reads stay within the nodes: none before the step has the score */
    const uint64_t last = n - RVH_STEP;
    size_t at = (size_t)(run->position[i] < last ? run->position[i] : last);
    V_MASK found = V_EQ(mix(key, V_LOADU(run->nodes + at)), word);
    while (!V_ANY(found)) {
      at += V_LANES;
      found = V_EQ(mix(key, V_LOADU(run->nodes + at)), word);
    }
    run->position[i] = at + V_FIRST(found);
  }
}

#undef GROUP
#undef AS_WRITTEN
