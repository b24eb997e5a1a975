/* libFuzzer on bounded load: the matching of keys and nodes, with sizes and ties, against deferred
 * acceptance in plain words. */

#include "fuzz.h"
#include "plain.h"

enum { ROWS = 24, NODES = 8 };

typedef struct {
  size_t rows, nodes;
  uint64_t lists[ROWS][2][NODES]; /* nodes best first, then the words that ranked them */
  uint64_t word[ROWS][NODES];     /* by node */
  plain_rank score[ROWS][NODES];
  uint64_t capacity[NODES];
  uint64_t *sizes; /* or NULL */
  uint32_t codes[ROWS];
  const uint8_t *data, *ids;
  uint64_t *offsets, *id_offsets;
} question;

/* Whether a node prefers row a to b. */
static int prefers(const question *q, size_t node, size_t a, size_t b) {
  const blake2_simd_bytes one = string(q->data, q->offsets, q->codes[a]);
  const blake2_simd_bytes other = string(q->data, q->offsets, q->codes[b]);
  const plain_rank *s = &q->score[a][node], *t = &q->score[b][node];
  if (q->word[a][node] != q->word[b][node]) return q->word[a][node] > q->word[b][node];
  for (int w = 1; w < 3; w++)
    if (s->word[w] != t->word[w]) return s->word[w] > t->word[w];
  const int order = plain_compare(one, other);
  if (order != 0) return order > 0;
  if (q->sizes != NULL && q->sizes[a] != q->sizes[b]) return q->sizes[a] > q->sizes[b];
  return a < b;
}

/* A key without a node asks its next one, which keeps the keys above which there is room. */
static void plain_matching(const question *q, intptr_t *owner) {
  size_t next[ROWS] = {0}, above[NODES][ROWS] = {{0}};
  for (size_t n = 0; n < q->nodes; n++)
    for (size_t a = 0; a < q->rows; a++)
      for (size_t b = 0; b < q->rows; b++) above[n][a] += b != a && prefers(q, n, b, a);
  for (size_t i = 0; i < q->rows; i++) owner[i] = -1;
  for (size_t i = 0; i < q->rows; i++) {
    if (owner[i] >= 0) continue;
    REQUIRE(next[i] < q->nodes);
    const size_t node = (size_t)q->lists[i][0][next[i]++];
    owner[i] = (intptr_t)node;
    for (size_t a = 0; a < q->rows; a++) {
      uint64_t load = 0;
      for (size_t b = 0; b < q->rows && owner[a] == (intptr_t)node; b++)
        if (owner[b] == (intptr_t)node && above[node][b] < above[node][a])
          load += q->sizes != NULL ? q->sizes[b] : 1;
      if (owner[a] == (intptr_t)node && load >= q->capacity[node]) owner[a] = -1;
    }
    i = SIZE_MAX; /* from the first row on again */
  }
}

static question *make_question(input *in) {
  question *q = room(in, sizeof *q);
  const size_t kind = below(in, 256), few = 1 + kind / 4;
  uint64_t total = 0, all = 0;
  q->rows = 1 + below(in, ROWS);
  q->nodes = 1 + below(in, NODES);
  q->sizes = kind % 2 ? room(in, q->rows * sizeof *q->sizes) : NULL;
  q->offsets = room(in, (q->rows + 1) * sizeof *q->offsets);
  q->id_offsets = room(in, (q->nodes + 1) * sizeof *q->id_offsets);
  uint8_t *ids = room(in, q->nodes);
  for (size_t n = 0; n <= q->nodes; n++) q->id_offsets[n] = n;
  for (size_t n = 0; n < q->nodes; n++) ids[n] = (uint8_t)n;
  q->ids = ids;
  for (size_t i = 0; i < q->rows; i++) {
    uint64_t *nodes = q->lists[i][0], *words = q->lists[i][1];
    q->codes[i] = (uint32_t)below(in, q->rows);
    total += q->sizes != NULL ? q->sizes[i] = 1 + (kind & 8 ? take(in, 2) : below(in, 4)) : 1;
    for (size_t n = 0; n < q->nodes; n++) { /* sorted by insertion */
      const uint64_t word = q->word[i][n] = kind % 4 < 2 ? take(in, 8) : below(in, few);
      size_t j = n;
      for (; j > 0 && words[j - 1] < word; j--) {
        nodes[j] = nodes[j - 1];
        words[j] = words[j - 1];
      }
      nodes[j] = n;
      words[j] = word;
    }
  }
  for (size_t n = 0; n < q->nodes; n++) all += q->capacity[n] = total * below(in, 256) / 512;
  if (all < total) q->capacity[below(in, q->nodes)] += total - all;
  q->data = strings(in, q->rows, q->offsets);
  for (size_t i = 0; i < q->rows; i++)
    for (size_t n = 0; n < q->nodes; n++)
      q->score[i][n] =
          plain_score(RVH_BLAKE2B, (blake2_simd_bytes){NULL, 0}, string(q->ids, q->id_offsets, n),
                      string(q->data, q->offsets, q->codes[i]), NULL);
  return q;
}

/* The first `k` nodes of some keys, and their words. */
static uint64_t *lists_of(input *in, const question *q, const int64_t *rows, size_t count,
                          size_t k) {
  uint64_t *lists = room(in, count * 2 * k * sizeof *lists);
  for (size_t i = 0; i < 2 * count; i++)
    memcpy(lists + i * k, q->lists[rows != NULL ? (size_t)rows[i / 2] : i / 2][i % 2], k * 8);
  return lists;
}

/* Keys that are free get lists twice as long, those with the shortest first. Returns 0 where keys
 * tied and there are no ties. */
static int match(input *in, const rvh_isa *isa, const question *q, const rvh_ties *ties,
                 intptr_t *owner) {
  size_t lengths[ROWS], count;
  int64_t left[2 * ROWS];
  rvh_matching *m = rvh_matching_new(isa, q->capacity, q->nodes, q->sizes, q->rows, owner, ties);
  REQUIRE(m != NULL);
  for (size_t i = 0; i < q->rows; i++) lengths[i] = 1;
  int64_t *found = room(in, q->rows * sizeof *found);
  REQUIRE(rvh_matching_offer(m, NULL, q->rows, 1, lists_of(in, q, NULL, q->rows, 1), found, &count,
                             NULL) == RVH_OK);
  REQUIRE(count <= q->rows);
  memcpy(left, found, count * sizeof *left);
  while (count > 0 && (ties != NULL || !rvh_matching_tied(m))) {
    size_t shortest = SIZE_MAX, n = 0, rest = 0, more;
    for (size_t i = 0; i < count; i++)
      if (lengths[left[i]] < shortest) shortest = lengths[left[i]];
    const size_t k = 2 * shortest < q->nodes ? 2 * shortest : q->nodes;
    int64_t *rows = room(in, q->rows * sizeof *rows);
    REQUIRE(shortest < q->nodes);
    for (size_t i = 0; i < count; i++) {
      if (lengths[left[i]] > shortest) {
        left[rest++] = left[i];
      } else {
        rows[n++] = left[i];
        lengths[left[i]] = k;
      }
    }
    found = room(in, (q->sizes != NULL ? q->rows : n) * sizeof *found);
    REQUIRE(rvh_matching_offer(m, rows, n, k, lists_of(in, q, rows, n, k), found, &more, NULL) ==
            RVH_OK);
    REQUIRE(more <= (q->sizes != NULL ? q->rows : n));
    memcpy(left + rest, found, more * sizeof *left);
    count = rest + more;
  }
  const int tied = rvh_matching_tied(m);
  rvh_matching_free(m);
  return ties != NULL || !tied;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  input in = {.data = data, .size = size};
  const question *q = make_question(&in);
  intptr_t expected[ROWS];
  rvh_nodes *nodes;
  size_t bad[2];
  plain_matching(q, expected);
  REQUIRE(rvh_nodes_new(&nodes, RVH_BLAKE2B, q->ids, q->id_offsets, q->nodes, NULL, NULL, 0, NULL,
                        bad) == RVH_OK);
  const rvh_ties ties = {nodes, q->codes, q->data, q->offsets};
  EACH_SET(isa) {
    const size_t owned = q->rows * sizeof(intptr_t);
    intptr_t *owner = room(&in, owned);
    if (match(&in, isa, q, NULL, owner)) REQUIRE(memcmp(owner, expected, owned) == 0);
    REQUIRE(match(&in, isa, q, &ties, owner) && memcmp(owner, expected, owned) == 0);
  }
  rvh_nodes_free(nodes);
  release(&in);
  return 0;
}
