/* One key x all nodes: nodes in the lanes.
 *
 * A few best nodes are found in registers, by words whose low bits hold positions: the best k, and
 * one more that tells whether the last of them is the only one with its high bits. Where two agree
 * in these (once in 2^50 pairs, more often with weights), and for everything else, words are
 * ranked in memory by the whole rule. */

#include "murmur.h"
#include "work.h"

#include <stdlib.h>

enum {
  STACK_BYTES = 3 << 10, /* on the stack, which spare a single key the allocation */
  HASHES = 1 << 11,      /* mixed between two polls: some microseconds */
};

/* ---- in registers -------------------------------------------------------------------------- */

/* best[0] to best[k]: the highest words. */
static rvh_status rank_nodes(const rvh_isa *isa, const rvh_nodes *nodes, const rvh_key *key,
                             uint64_t *best, size_t k, rvh_poll *poll) {
  const size_t cost = 1 + key->bytes.size / BLAKE2_SIMD_BLOCK;
  const int mixed = nodes->scheme == RVH_MURMUR && nodes->weight == NULL;
  const size_t strip = mixed ? HASHES : RVH_ROW_STRIP;
  BLAKE2_SIMD_ALIGNED(64) uint64_t words[RVH_ROW_STRIP + RVH_ROW_PAD];
  rvh_row row = {words, key->hash, nodes->low};
  for (size_t first = 0, count; first < nodes->n; first += count) {
    count = min_size(strip, nodes->n - first);
    if (rvh_stopped(poll, count * cost)) return RVH_STOPPED;
    if (mixed) {
      row.words = nodes->hash + first;
      isa->rank_mixed(&row, first, count, best, k);
    } else {
      rvh_score_row(isa, nodes, key, first, count, words, NULL);
      isa->rank_row(&row, first, count, best, k);
    }
  }
  return RVH_OK;
}

/* Writes the best k nodes; *sure: whether it could tell them. */
static rvh_status select_in_registers(const rvh_isa *isa, const rvh_nodes *nodes,
                                      const rvh_key *key, size_t k, intptr_t *out, rvh_poll *poll,
                                      int *sure) {
  uint64_t best[RVH_ROW_BEST + 1] = {0};
  *sure = 0;
  if (k > RVH_ROW_BEST) return RVH_OK;
  const rvh_status status = rank_nodes(isa, nodes, key, best, k, poll);
  if (status != RVH_OK) return status;
  for (size_t j = 0; j < k; j++) {
    if ((best[j] ^ best[j + 1]) <= nodes->low) return RVH_OK;
    out[j] = (intptr_t)nodes->order[best[j] & nodes->low];
  }
  *sure = 1;
  return RVH_OK;
}

/* ---- in memory ----------------------------------------------------------------------------- */

typedef struct {
  rvh_source head;
  const rvh_work *w;
  const rvh_key *key;
} hashed_source;

static rvh_score rescore(const rvh_source *source, size_t lane, size_t position) {
  (void)lane; /* there is one */
  const hashed_source *from = (const hashed_source *)source;
  return rvh_score_pair(from->w->isa, from->w->nodes, from->key, position);
}

static rvh_status select_in_memory(rvh_work *w, rvh_key key, size_t row) {
  const size_t n = w->nodes->n;
  const size_t cost = 1 + key.bytes.size / BLAKE2_SIMD_BLOCK;
  const hashed_source source = {{rescore, w->poll}, w, &key};
  uint64_t *lo = rvh_low_words(w);
  rvh_topk top = rvh_work_topk(w, 1, 1, &source.head);
  if (w->rules != NULL && w->rules->spread != NULL) rvh_spread_start(w->rules->spread, NULL, &top);
  for (size_t first = 0, count; first < n; first += count) {
    count = min_size(RVH_ROW_STRIP, n - first);
    if (rvh_stopped(w->poll, count * cost)) return RVH_STOPPED;
    rvh_score_row(w->isa, w->nodes, &key, first, count, w->hi, lo);
    const rvh_tile tile = {w->hi, lo, first, count};
    if (w->scores != NULL)
      rvh_write_scores(w, &tile, 0, 1, row);
    else if (w->high_words != NULL)
      w->high_words[row] = w->hi[0];
    else if (w->rules == NULL)
      rvh_topk_portable(&top, w->hi, first, count);
    else
      rvh_add_tile(w, &top, rvh_topk_portable, &row, 1, &tile);
  }
  return w->chosen == NULL ? RVH_OK : rvh_write_chosen(w, &top, 0, row);
}

/* ---- the calls ----------------------------------------------------------------------------- */

rvh_status rvh_one_key(rvh_work *w, rvh_key key, size_t row) {
  int sure = 0;
  if (w->chosen != NULL && w->words == NULL && w->rules == NULL) {
    intptr_t *out = w->chosen + row * w->k;
    const rvh_status status =
        select_in_registers(w->isa, w->nodes, &key, w->k, out, w->poll, &sure);
    if (sure || status != RVH_OK) return status;
  }
  return select_in_memory(w, key, row);
}

/* By itself, so that the quick way has no such frame. */
static BLAKE2_SIMD_NOINLINE rvh_status select_exactly(const rvh_isa *isa, const rvh_nodes *nodes,
                                                      const rvh_key *key, size_t k, intptr_t *out,
                                                      rvh_poll *poll) {
  BLAKE2_SIMD_ALIGNED(64) uint8_t small[STACK_BYTES];
  rvh_work w;
  rvh_status status = rvh_work_start(&w, isa, nodes, 1, NULL, k, poll, small, sizeof small);
  if (status != RVH_OK) return status;
  w.chosen = out;
  status = select_in_memory(&w, *key, 0);
  free(w.memory);
  return status;
}

rvh_status rvh_select_one(const rvh_isa *isa, const rvh_nodes *nodes, blake2_simd_bytes key,
                          size_t k, intptr_t *out, rvh_poll *poll) {
  const int hashes = nodes->scheme == RVH_MURMUR;
  const rvh_key whole = {key, hashes ? rvh_murmur64a(key, RVH_MURMUR_KEY_SEED) : 0};
  int sure;
  const rvh_status status = select_in_registers(isa, nodes, &whole, k, out, poll, &sure);
  return sure || status != RVH_OK ? status : select_exactly(isa, nodes, &whole, k, out, poll);
}
