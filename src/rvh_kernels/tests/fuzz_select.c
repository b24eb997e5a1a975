/* libFuzzer on scores and rankings of both schemes, weighted or not, with a secret or without, over
 * failure domains and with current nodes, many keys and one, with as many low bits for positions as
 * it likes: each instruction set against portable, and of some rows both against the contract. */

#include "fuzz_keys.h"

enum { NODES = 80, CHECKED = 24 }; /* nodes at most; rows that are compared with the contract */

typedef struct {
  rvh_scheme scheme;
  size_t n, ranked;
  const uint8_t *data;
  uint64_t *offsets;
  double *weights; /* or NULL */
  blake2_simd_bytes secret;
  rvh_nodes *nodes;
} node_set;

static blake2_simd_bytes id_of(const node_set *s, size_t i) {
  return string(s->data, s->offsets, i);
}

static double make_weight(input *in) {
  const size_t kind = below(in, 8);
  if (kind < 5) return (double)kind; /* zeros, and equal ones */
  return ldexp(1 + (double)take(in, 4) / 0x1p32, (int)below(in, 1 + 1016 + 969) - 1016);
}

/* Any ids or, mostly, ids that differ, and mostly few. Returns 0 for ids that are refused. */
static int make_nodes(input *in, node_set *s) {
  const size_t kind = below(in, 256);
  s->scheme = kind & 1 ? RVH_MURMUR : RVH_BLAKE2B;
  const size_t size = below(in, 256);
  s->n = 1 + size % (size < 160 ? 16 : NODES);
  s->offsets = room(in, (s->n + 1) * sizeof *s->offsets);
  s->offsets[0] = 0;
  for (size_t i = 0; i < s->n; i++) s->offsets[i + 1] = s->offsets[i] + length(in) + (kind < 224);
  uint8_t *data = bytes(in, (size_t)s->offsets[s->n]);
  for (size_t i = 0; i < s->n && kind < 224; i++) data[s->offsets[i + 1] - 1] = (uint8_t)i;
  s->data = data;
  if (kind & 2) {
    s->weights = room(in, s->n * sizeof *s->weights);
    for (size_t i = 0; i < s->n; i++) s->weights[i] = make_weight(in);
    if (s->weights[s->n - 1] == 0) s->weights[s->n - 1] = 1;
  }
  if (kind % 8 >= 4 && s->scheme == RVH_BLAKE2B) {
    s->secret.size = below(in, BLAKE2_SIMD_KEY_MAX + 1);
    s->secret.data = bytes(in, s->secret.size);
  }
  size_t bad[2] = {SIZE_MAX, SIZE_MAX}, empty = 0, twice = 0;
  for (size_t i = 0; i < s->n; i++) {
    s->ranked += s->weights == NULL || s->weights[i] > 0;
    empty += id_of(s, i).size == 0;
    for (size_t j = 0; j < i; j++) twice += plain_compare(id_of(s, i), id_of(s, j)) == 0;
  }
  const rvh_status status = rvh_nodes_new(&s->nodes, s->scheme, s->data, s->offsets, s->n,
                                          s->weights, s->secret.data, s->secret.size, NULL, bad);
  if (status == RVH_EMPTY_ID)
    REQUIRE(bad[0] < s->n && id_of(s, bad[0]).size == 0);
  else if (status == RVH_DUPLICATE_ID)
    REQUIRE(bad[0] < bad[1] && bad[1] < s->n &&
            plain_compare(id_of(s, bad[0]), id_of(s, bad[1])) == 0);
  else
    REQUIRE(status == RVH_OK && empty == 0 && twice == 0);
  return status == RVH_OK;
}

static int ranks_before(const node_set *s, const plain_rank *ranks, size_t a, size_t b) {
  return plain_before(&ranks[a], id_of(s, a), &ranks[b], id_of(s, b));
}

/* The nodes that can be selected, best first. */
static void rank_nodes(const node_set *s, const plain_rank *ranks, size_t *ranking) {
  size_t n = 0;
  for (size_t i = 0; i < s->n; i++) {
    if (s->weights != NULL && s->weights[i] == 0) continue;
    size_t j = n++;
    for (; j > 0 && ranks_before(s, ranks, i, ranking[j - 1]); j--) ranking[j] = ranking[j - 1];
    ranking[j] = i;
  }
}

/* Levels from the innermost out, each domain of one in one of the next. */
static rvh_spread make_spread(input *in, const node_set *s) {
  rvh_spread spread = {.count = below(in, 4)};
  for (size_t level = 0; level < spread.count; level++) {
    const size_t domains = 1 + below(in, s->n),
                 parts = level > 0 ? spread.levels[level - 1].domains : s->n;
    uint32_t *parent = room(in, parts * sizeof *parent), *domain = room(in, s->n * sizeof *domain);
    for (size_t i = 0; i < parts; i++) parent[i] = (uint32_t)below(in, domains);
    for (size_t i = 0; i < s->n; i++)
      domain[i] = parent[level > 0 ? spread.levels[level - 1].domain[i] : i];
    spread.levels[level] = (rvh_level){domain, domains, 1 + below(in, 20)};
  }
  return spread;
}

/* Current nodes first, each group as it ranks; then the walks. */
static void check_walk(const node_set *s, const size_t *ranking, const rvh_spread *spread,
                       const intptr_t *current, size_t held, size_t k, const intptr_t *chosen) {
  size_t first[NODES], n = 0;
  intptr_t expected[NODES];
  for (int others = 0; others < 2; others++)
    for (size_t j = 0; j < s->ranked; j++) {
      int is_held = 0;
      for (size_t h = 0; h < held; h++) is_held |= current[h] == (intptr_t)ranking[j];
      if (is_held != others) first[n++] = ranking[j];
    }
  REQUIRE(plain_walk(first, n, spread, k, expected) == k);
  REQUIRE(memcmp(chosen, expected, k * sizeof *expected) == 0);
}

typedef struct {
  size_t start, stop, k, held;
  rvh_spread spread;
  intptr_t *current;
} question;

typedef struct {
  uint64_t *scores, *words;
  intptr_t *chosen, *replicas;
} answer;

static answer answer_of(input *in, const rvh_isa *isa, const node_set *s, const keys *keys,
                        const question *q) {
  const size_t rows = q->stop - q->start, each = rvh_score_words(s->nodes);
  const answer a = {room(in, rows * s->n * each * 8), room(in, rows * q->k * 8),
                    room(in, rows * q->k * sizeof(intptr_t)),
                    room(in, rows * q->k * sizeof(intptr_t))};
  const rvh_column *c = &keys->column;
  const rvh_status expected = keys->bad < q->stop ? RVH_BAD_KEY : RVH_OK;
  size_t bad[3] = {keys->bad, keys->bad, keys->bad};
  REQUIRE(rvh_scores(isa, s->nodes, c, q->start, q->stop, a.scores, NULL, &bad[0]) == expected);
  REQUIRE(rvh_argselect(isa, s->nodes, c, q->start, q->stop, q->k, a.chosen, a.words, NULL,
                        &bad[1]) == expected);
  REQUIRE(rvh_argselect_spread(isa, s->nodes, c, q->start, q->stop, q->k,
                               q->spread.count > 0 ? &q->spread : NULL, q->current, q->held,
                               a.replicas, NULL, &bad[2]) == expected);
  for (int i = 0; i < 3; i++) REQUIRE(bad[i] == keys->bad);
  return a;
}

static void check_row(input *in, const node_set *s, const keys *keys, const question *q,
                      const answer *a, size_t row) {
  const size_t at = row - q->start, each = rvh_score_words(s->nodes);
  plain_rank *ranks = room(in, s->n * sizeof *ranks);
  size_t ranking[NODES];
  for (size_t i = 0; i < s->n; i++) {
    ranks[i] = plain_score(s->scheme, s->secret, id_of(s, i), keys->rows[row],
                           s->weights != NULL ? &s->weights[i] : NULL);
    for (size_t w = 0; w < each; w++)
      REQUIRE(a->scores[(at * s->n + i) * each + w] == ranks[i].word[(s->weights == NULL) + w]);
  }
  rank_nodes(s, ranks, ranking);
  for (size_t j = 0; j < q->k; j++) {
    REQUIRE(a->chosen[at * q->k + j] == (intptr_t)ranking[j]);
    REQUIRE(a->words[at * q->k + j] == ranks[ranking[j]].word[s->weights == NULL]);
  }
  check_walk(s, ranking, &q->spread, q->current + at * q->held, q->held, q->k,
             a->replicas + at * q->k);
}

static void check_selection(input *in, const node_set *s) {
  const keys keys = make_keys(in, ANY_LAYOUT);
  question q = {.stop = keys.count, .k = 1 + below(in, s->ranked), .held = below(in, 4)};
  q.start = below(in, keys.bad + 1);
  q.spread = make_spread(in, s);
  const size_t rows = q.stop - q.start;
  q.current = room(in, rows * q.held * sizeof *q.current);
  for (size_t i = 0; i < rows * q.held; i++) q.current[i] = (intptr_t)below(in, s->n + 1) - 1;
  const size_t each = rvh_score_words(s->nodes);
  s->nodes->low |= ((uint64_t)1 << below(in, 61)) - 1;
  answer first = {0};
  EACH_SET(isa) {
    const answer a = answer_of(in, isa, s, &keys, &q);
    if (keys.bad < q.stop) continue;
    if (first.scores == NULL) first = a;
    REQUIRE(memcmp(a.scores, first.scores, rows * s->n * each * 8) == 0);
    REQUIRE(memcmp(a.words, first.words, rows * q.k * 8) == 0);
    REQUIRE(memcmp(a.chosen, first.chosen, rows * q.k * sizeof *a.chosen) == 0);
    REQUIRE(memcmp(a.replicas, first.replicas, rows * q.k * sizeof *a.replicas) == 0);
    intptr_t *alone = room(in, q.k * sizeof *alone);
    for (size_t i = 0; i < rows && i < CHECKED; i++) {
      REQUIRE(rvh_select_one(isa, s->nodes, keys.rows[q.start + i], q.k, alone, NULL) == RVH_OK);
      REQUIRE(memcmp(alone, a.chosen + i * q.k, q.k * sizeof *alone) == 0);
    }
  }
  for (size_t i = 0; i < rows && i < CHECKED && first.scores != NULL; i++)
    check_row(in, s, &keys, &q, &first, q.start + i);
}

/* Scores that the input gives, with ties in either word and in both. */
static void check_ties(input *in, const node_set *s) {
  static const uint64_t few[4] = {0, ~(uint64_t)0, (uint64_t)1 << 53, (uint64_t)1 << 12};
  const size_t rows = below(in, 40), each = s->scheme == RVH_BLAKE2B ? 2 : 1;
  const size_t k = 1 + below(in, s->ranked);
  uint64_t *scores = room(in, rows * s->n * each * 8);
  for (size_t i = 0; i < rows * s->n * each; i++) {
    const size_t kind = below(in, 256);
    scores[i] = kind < 128 ? few[kind % 4] : kind < 192 ? kind : take(in, 8);
  }
  EACH_SET(isa) {
    intptr_t *chosen = room(in, rows * k * sizeof *chosen);
    REQUIRE(rvh_rank_scores(isa, s->nodes, scores, rows, k, chosen) == RVH_OK);
    for (size_t row = 0; row < rows; row++) {
      plain_rank ranks[NODES];
      size_t ranking[NODES];
      for (size_t i = 0; i < s->n; i++) {
        const uint64_t *score = scores + (row * s->n + i) * each;
        const uint64_t bits = s->weights ? plain_weighted(s->scheme, score[0], s->weights[i]) : 0;
        ranks[i] = (plain_rank){{bits, score[0], each == 2 ? score[1] : 0}};
      }
      rank_nodes(s, ranks, ranking);
      for (size_t j = 0; j < k; j++) REQUIRE(chosen[row * k + j] == (intptr_t)ranking[j]);
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  input in = {.data = data, .size = size};
  node_set s = {.n = 0};
  if (make_nodes(&in, &s)) {
    if (below(&in, 4) == 0)
      check_ties(&in, &s);
    else
      check_selection(&in, &s);
    rvh_nodes_free(s.nodes);
  }
  release(&in);
  return 0;
}
