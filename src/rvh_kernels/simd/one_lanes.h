/* The best of one key's nodes, with nodes in the lanes: of a row of words, or of a row of hashes
 * that are mixed on the way.
 *
 * A word gives up its low bits to its node's position, so that a maximum moves both and no two
 * words are equal. The best k + 1 tell whether that was exact: see one_key.c. */

static const uint64_t lane_numbers[] = {0, 1, 2, 3, 4, 5, 6, 7};

/* top: k + 1 words in descending order. */
ALWAYS_INLINE void keep_word(uint64_t *top, size_t k, uint64_t word) {
  for (size_t j = 0; j <= k; j++) {
    const uint64_t was = top[j];
    top[j] = word > was ? word : was;
    word = word > was ? was : word;
  }
}

ALWAYS_INLINE void rank_row(const rvh_row *row, size_t first, size_t count, uint64_t *top, size_t k,
                            int mixed) {
  const V others = V_SET1(~row->low), key = V_SET1(row->key), end = V_SET1(first + count);
  V kept[RVH_ROW_BEST + 1], position = V_ADD(V_SET1(first), V_LOADU(lane_numbers));
  for (size_t j = 0; j <= k; j++) kept[j] = V_ORDERED(V_SET1(0));
  for (size_t i = 0; i < count; i += V_LANES) {
    V word = V_LOADU(row->words + i);
    if (mixed) word = mix(key, word);
    word = V_OR(V_AND(word, others), position);
    if (count - i < V_LANES) word = V_SELECT(V_GT(end, position), word, V_SET1(0));
    word = V_ORDERED(word);
    for (size_t j = 0; j <= k; j++) {
      const V was = kept[j];
      kept[j] = V_ORDERED_MAX(word, was);
      word = V_ORDERED_MIN(word, was);
    }
    position = V_ADD(position, V_SET1(V_LANES));
  }
  for (size_t j = 0; j <= k && j * V_LANES < count; j++) { /* no lane has seen more than j nodes */
    BLAKE2_SIMD_ALIGNED(64) uint64_t lanes[V_LANES];
    V_STORE(lanes, V_ORDERED(kept[j]));
    for (size_t l = 0; l < V_LANES; l++) keep_word(top, k, lanes[l]);
  }
}

ALWAYS_INLINE void rank_best(const rvh_row *row, size_t first, size_t count, uint64_t *top,
                             size_t k, int mixed) {
  switch (k) { /* constants, for which what is kept stays in registers */
    case 1:
      rank_row(row, first, count, top, 1, mixed);
      break;
    case 2:
      rank_row(row, first, count, top, 2, mixed);
      break;
    default:
      rank_row(row, first, count, top, 3, mixed);
  }
}

void NAME(rank_row)(const rvh_row *row, size_t first, size_t count, uint64_t *top, size_t k) {
  rank_best(row, first, count, top, k, 0);
}

void NAME(rank_mixed)(const rvh_row *row, size_t first, size_t count, uint64_t *top, size_t k) {
  rank_best(row, first, count, top, k, 1);
}
