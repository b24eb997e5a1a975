/* One key: every number of nodes around whole vectors and strips, few best nodes and more, with
 * low bits that hold a position and with so many that words which rank often agree in all others,
 * so that the exact way is taken. Compared with the order of the scores. */

#include "rvh_kernels_impl.h"

#include "require.h"

#include <stdio.h>

enum { MOST = 4200, KEYS = 6, K = RVH_ROW_BEST + 2, KEY_MAX = 150 };

static const size_t counts[] = {1,  2,  3,  4,  5,   7,   8,   9,   15,   16,
                                17, 24, 31, 65, 127, 128, 129, 136, 2049, MOST};
/* besides those that hold a position */
static const uint64_t lows[] = {0, 0xfff, ~(uint64_t)0 >> 12, ~(uint64_t)0 >> 8, ~(uint64_t)0 >> 4};

static uint8_t ids[MOST * 8], key[KEY_MAX];
static uint64_t offsets[MOST + 1];
static double weights[MOST];

/* Ids of 4 to 8 bytes, in no order. */
static void make_ids(void) {
  for (size_t i = 0; i < MOST; i++) {
    const size_t size = 4 + i * 7 % 5;
    uint8_t *id = ids + offsets[i];
    memset(id, (int)('a' + i * 11 % 26), size);
    id[0] = (uint8_t)(i * 37 % 256);
    id[1] = (uint8_t)(i / 256);
    offsets[i + 1] = offsets[i] + size;
    weights[i] = i % 5 == 3 ? 0 : 1 + (double)(i % 7);
  }
}

/* A set's scores of the key, [node][words], and whether node a ranks before b, whose scores differ.
 */
typedef struct {
  size_t words;
  uint64_t score[2 * MOST];
} scored;

static int before(const scored *s, size_t a, size_t b) {
  const uint64_t *x = s->score + a * s->words, *y = s->score + b * s->words;
  return x[0] != y[0] ? x[0] > y[0] : x[s->words - 1] > y[s->words - 1];
}

/* The best k of n nodes, best first; fewer where there are fewer of a score above 0. */
static size_t best_of(const scored *s, size_t n, size_t k, intptr_t *best) {
  size_t filled = 0;
  for (size_t i = 0; i < n; i++) {
    if (s->score[i * s->words] == 0) continue; /* its weight is 0 */
    size_t j = filled < k ? filled++ : k;
    for (; j > 0 && before(s, i, (size_t)best[j - 1]); j--)
      if (j < k) best[j] = best[j - 1];
    if (j < k) best[j] = (intptr_t)i;
  }
  return filled;
}

static void check_keys(const rvh_isa *isa, rvh_nodes *nodes, size_t n) {
  static scored all;
  all.words = rvh_score_words(nodes);
  const uint64_t low = nodes->low;
  for (size_t i = 0; i < KEYS; i++) {
    const blake2_simd_bytes bytes = {key, i * i * i % KEY_MAX};
    const uint64_t ends[2] = {0, bytes.size};
    const rvh_column column = {
        .layout = RVH_OFFSETS, .data = key, .offsets = ends, .offset_size = 8};
    size_t bad;
    intptr_t best[K];
    key[0] = (uint8_t)(i + n);
    REQUIRE(rvh_scores(isa, nodes, &column, 0, 1, all.score, NULL, &bad) == RVH_OK);
    const size_t ranked = best_of(&all, n, K, best);
    for (size_t j = 0; j < sizeof lows / sizeof *lows; j++) {
      nodes->low = low | lows[j];
      for (size_t k = 1; k <= ranked; k++) {
        intptr_t one[K], of_column[K];
        REQUIRE(rvh_select_one(isa, nodes, bytes, k, one, NULL) == RVH_OK);
        REQUIRE(memcmp(one, best, k * sizeof *one) == 0);
        REQUIRE(rvh_argselect(isa, nodes, &column, 0, 1, k, of_column, NULL, NULL, &bad) == RVH_OK);
        REQUIRE(memcmp(of_column, best, k * sizeof *one) == 0);
      }
    }
    nodes->low = low;
  }
}

int main(void) {
  const rvh_isa *all;
  const size_t sets = rvh_isa_all(&all);
  size_t bad[2];
  make_ids();
  for (size_t i = 0; i < sets; i++) {
    if (blake2_simd_find(all[i].hash->name) == NULL) {
      printf("%s: not available here, not tested\n", all[i].hash->name);
      continue;
    }
    for (size_t j = 0; j < sizeof counts / sizeof *counts; j++)
      for (int kind = 0; kind < 4; kind++) {
        const rvh_scheme scheme = kind % 2 ? RVH_MURMUR : RVH_BLAKE2B;
        if (scheme == RVH_BLAKE2B && counts[j] > 200) continue;
        rvh_nodes *nodes;
        REQUIRE(rvh_nodes_new(&nodes, scheme, ids, offsets, counts[j], kind < 2 ? NULL : weights,
                              NULL, 0, NULL, bad) == RVH_OK);
        check_keys(&all[i], nodes, counts[j]);
        rvh_nodes_free(nodes);
      }
    printf("%s: tested\n", all[i].hash->name);
  }
  return 0;
}
