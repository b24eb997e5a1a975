/* Runs of hashed keys x all nodes by ranks: several nodes, or weights. Scores become ranks where
 * they are made; no tile of them goes to memory. */

#include "murmur.h"
#include "work.h"

enum {
  NODES = 4096,        /* of a strip: at most 2^19 pairs between two polls */
  PAIRS_PER_WORK = 16, /* that take as long as a compression */
};

int rvh_ranks_serve(const rvh_work *w) {
  const size_t n = w->nodes->n, k = w->k;
  if (n < 2 || k > RVH_RANKED_MAX) return 0;
  /* The bounds of few nodes' weighted scores are too wide to tell most of them apart. */
  return w->nodes->weight == NULL || k <= 3 || n >= 4 * k;
}

static size_t whole_groups(size_t keys) {
  return (keys + RVH_RANK_GROUP - 1) / RVH_RANK_GROUP * RVH_RANK_GROUP;
}

static rvh_status rank_all(const rvh_work *w, const rvh_ranking *r) {
  const size_t n = w->nodes->n;
  for (size_t first = 0, count; first < n; first += count) {
    count = n - first > NODES + 1 ? NODES : n - first; /* never one alone */
    if (rvh_stopped(w->poll, r->keys * count / PAIRS_PER_WORK)) return RVH_STOPPED;
    w->isa->rank_nodes(r, first, count);
  }
  return RVH_OK;
}

/* The answers for n keys from a row on. word: the weighted scores, as the ranks stand, or NULL. */
static void write_ranked(const rvh_work *w, const rvh_ranking *r, const uint64_t *word, size_t n,
                         size_t row) {
  const size_t k = w->k;
  for (size_t j = 0; j < k; j++) {
    const uint64_t *rank = r->rank + j * RVH_RANK_RUN;
    intptr_t *out = w->chosen + row * k + j;
    for (size_t l = 0; l < n; l++) out[l * k] = (intptr_t)w->nodes->order[rank[l] & w->nodes->low];
    if (w->words == NULL) continue;
    uint64_t *words = w->words + row * k + j;
    for (size_t l = 0; l < n; l++)
      words[l * k] = word != NULL
                         ? word[j * RVH_RANK_RUN + l]
                         : rvh_murmur_pair(r->hash[l], w->nodes->hash[rank[l] & w->nodes->low]);
  }
}

/* The best node with weights: keys whose bounds do not tell it are weighed, side by side. */
static rvh_status write_nearest(rvh_work *w, rvh_ranking *r, uint64_t *word, uint64_t *unsure,
                                size_t n, size_t first_row) {
  BLAKE2_SIMD_ALIGNED(64) uint64_t hash[RVH_RANK_RUN + RVH_RANK_GROUP] = {0};
  size_t row[RVH_RANK_RUN], left = 0;
  w->isa->settle_nearest(r, unsure);
  write_ranked(w, r, NULL, n, first_row);
  for (size_t l = 0; l < n; l++) {
    if (!unsure[l]) continue;
    for (size_t j = 0; j < 3; j++) r->rank[j * RVH_RANK_RUN + left] = r->rank[j * RVH_RANK_RUN + l];
    hash[left] = r->hash[l];
    row[left++] = first_row + l;
  }
  r->hash = hash;
  r->keys = whole_groups(left);
  w->isa->settle_weighted(r, word, unsure);
  rvh_status status = RVH_OK;
  for (size_t l = 0; l < left && status == RVH_OK; l++) {
    w->chosen[row[l]] = (intptr_t)w->nodes->order[r->rank[l]];
    if (unsure[l]) status = rvh_one_key(w, (rvh_key){.hash = hash[l]}, row[l]);
  }
  return status;
}

static rvh_status write_best(rvh_work *w, rvh_ranking *r, uint64_t *word, uint64_t *unsure,
                             size_t n, size_t first_row) {
  const int weighted = w->nodes->weight != NULL;
  if (weighted)
    w->isa->settle_weighted(r, word, unsure);
  else
    w->isa->settle_ties(r->rank, RVH_RANK_RUN, r->keys, r->k, w->nodes->low, unsure);
  write_ranked(w, r, weighted ? word : NULL, n, first_row);
  rvh_status status = RVH_OK;
  for (size_t l = 0; l < n && status == RVH_OK; l++)
    if (unsure[l]) status = rvh_one_key(w, (rvh_key){.hash = r->hash[l]}, first_row + l);
  return status;
}

rvh_status rvh_best_of_ranks(rvh_work *w, size_t n, size_t first_row) {
  BLAKE2_SIMD_ALIGNED(64) uint64_t rank[RVH_RANKS_MAX * RVH_RANK_RUN];
  BLAKE2_SIMD_ALIGNED(64) uint64_t word[RVH_RANKS_MAX * RVH_RANK_RUN];
  BLAKE2_SIMD_ALIGNED(64) uint64_t unsure[RVH_RANK_RUN];
  const int nearest = w->nodes->weight != NULL && w->k == 1 && w->words == NULL;
  rvh_status status = RVH_OK;
  for (size_t i = 0, m; i < n && status == RVH_OK; i += m) {
    m = min_size(RVH_RANK_RUN, n - i);
    rvh_ranking r = {
        .nodes = w->nodes, .hash = w->hashes + i, .keys = whole_groups(m), .k = w->k, .rank = rank};
    status = rank_all(w, &r);
    if (status == RVH_OK)
      status = (nearest ? write_nearest : write_best)(w, &r, word, unsure, m, first_row + i);
  }
  return status;
}
