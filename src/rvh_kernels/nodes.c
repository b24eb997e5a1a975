/* Node ids prepared for scoring: checked, without those of weight 0; for RVH_BLAKE2B with the
 * secret and whole blocks absorbed, for RVH_MURMUR hashed. */

#include "murmur.h"

#include <stdlib.h>

enum {
  IDS_PER_POLL = 1 << 10,
  BYTES_PER_WORK = 256, /* compared or hashed in the time of a compression */
  RUN = 12,             /* ids that are sorted by insertion */
};

/* ---- the order of bytes -------------------------------------------------------------------- */

/* The ids, and how many bytes their common prefix has. */
typedef struct {
  const uint8_t *data;
  const uint64_t *offsets;
  size_t n, common;
} ids;

/* Whether to stop, after work on the bytes of `count` ids. */
static int stopped_after(const ids *of, size_t first, size_t count, rvh_poll *poll) {
  const size_t bytes = (size_t)(of->offsets[first + count] - of->offsets[first]);
  return rvh_stopped(poll, count + bytes / BYTES_PER_WORK);
}

static blake2_simd_bytes id_at(const ids *of, size_t index) {
  return (blake2_simd_bytes){of->data + of->offsets[index],
                             (size_t)(of->offsets[index + 1] - of->offsets[index])};
}

/* An id by its index, and its first 8 bytes after the common prefix, which mostly decide. */
typedef struct {
  uint64_t word;
  uint32_t index;
} sort_item;

static uint64_t word_behind(blake2_simd_bytes id, size_t common) {
  uint64_t word = 0;
  for (size_t i = 0; i < 8; i++)
    word = word << 8 | (common + i < id.size ? id.data[common + i] : 0);
  return word;
}

static rvh_status find_common(ids *of, rvh_poll *poll) {
  const blake2_simd_bytes first = id_at(of, 0);
  of->common = first.size;
  for (size_t i = 1; i < of->n && of->common > 0; i++) {
    const blake2_simd_bytes id = id_at(of, i);
    of->common = min_size(of->common, id.size);
    if (memcmp(id.data, first.data, of->common) != 0)
      for (size_t at = 0; at < of->common; at++)
        if (id.data[at] != first.data[at]) of->common = at;
    if (i % IDS_PER_POLL == 0 && stopped_after(of, i - IDS_PER_POLL, IDS_PER_POLL, poll))
      return RVH_STOPPED;
  }
  return RVH_OK;
}

typedef struct {
  const ids *of;
  rvh_poll *poll;
} order;

/* By bytes ascending, a shorter one before its continuations. */
static int precedes(const order *by, sort_item a, sort_item b) {
  if (a.word != b.word) return a.word < b.word;
  const blake2_simd_bytes x = id_at(by->of, a.index), y = id_at(by->of, b.index);
  const size_t size = min_size(x.size, y.size);
  rvh_stopped(by->poll, size / BYTES_PER_WORK); /* counts the work; sort() looks at the answer */
  const int differ = memcmp(x.data, y.data, size);
  return differ != 0 ? differ < 0 : x.size < y.size;
}

/* Sorts n items, stably; spare has room for half of them. Where the poll stops it, they are all
 * there, in some order. */
static void sort(const order *by, sort_item *items, size_t n, sort_item *spare) {
  if (n <= RUN) {
    for (size_t i = 1; i < n; i++) {
      const sort_item item = items[i];
      size_t j = i;
      for (; j > 0 && precedes(by, item, items[j - 1]); j--) items[j] = items[j - 1];
      items[j] = item;
    }
    return;
  }
  const size_t half = n / 2;
  sort(by, items, half, spare);
  sort(by, items + half, n - half, spare);
  if (rvh_stopped(by->poll, RUN) || !precedes(by, items[half], items[half - 1])) return;
  memcpy(spare, items, half * sizeof *items);
  size_t a = 0, b = half, to = 0;
  while (a < half && b < n) {
    if (rvh_stopped(by->poll, 1)) break;
    items[to++] = precedes(by, items[b], spare[a]) ? items[b++] : spare[a++];
  }
  memcpy(items + to, spare + a, (half - a) * sizeof *items);
}

/* *sorted: the ids in ascending order, [n], the caller's to free. */
static rvh_status sort_ids(ids *of, sort_item **sorted, rvh_poll *poll) {
  rvh_status status = find_common(of, poll);
  if (status != RVH_OK) return status;
  sort_item *items = malloc((of->n + of->n / 2) * sizeof *items);
  if (items == NULL) return RVH_NO_MEMORY;
  for (size_t i = 0; i < of->n; i++)
    items[i] = (sort_item){word_behind(id_at(of, i), of->common), (uint32_t)i};
  sort(&(order){of, poll}, items, of->n, items + of->n);
  if (rvh_stopped(poll, 0)) {
    free(items);
    return RVH_STOPPED;
  }
  *sorted = items;
  return RVH_OK;
}

rvh_status rvh_ascending(const uint8_t *data, const uint64_t *offsets, size_t n, intptr_t *out,
                         rvh_poll *poll) {
  ids of = {.data = data, .offsets = offsets, .n = n};
  sort_item *sorted;
  if (n == 0) return RVH_OK;
  const rvh_status status = sort_ids(&of, &sorted, poll);
  if (status != RVH_OK) return status;
  for (size_t i = 0; i < n; i++) out[i] = (intptr_t)sorted[i].index;
  free(sorted);
  return RVH_OK;
}

/* The first id, in the caller's order, that repeats an earlier one. */
static rvh_status find_duplicate(const ids *of, const sort_item *sorted, rvh_poll *poll,
                                 size_t bad[2]) {
  rvh_status status = RVH_OK;
  for (size_t i = 1; i < of->n; i++) {
    const sort_item a = sorted[i - 1], b = sorted[i];
    if (a.word != b.word) continue;
    const blake2_simd_bytes x = id_at(of, a.index), y = id_at(of, b.index);
    if (rvh_stopped(poll, 4 + y.size / BYTES_PER_WORK)) return RVH_STOPPED;
    if (x.size != y.size || memcmp(x.data, y.data, x.size) != 0) continue;
    if (status == RVH_OK || b.index < bad[1]) {
      bad[0] = a.index;
      bad[1] = b.index;
    }
    status = RVH_DUPLICATE_ID;
  }
  return status;
}

/* ---- preparation --------------------------------------------------------------------------- */

/* Copies the ids of a weight above 0, one after another; *kept_count: how many. */
static rvh_status gather(const ids *of, const double *weights, uint8_t *kept,
                         uint64_t *kept_offsets, uint32_t *kept_index, size_t *kept_count,
                         rvh_poll *poll) {
  size_t count = 0;
  kept_offsets[0] = 0;
  for (size_t i = 0; i < of->n; i++) {
    if (i % IDS_PER_POLL == IDS_PER_POLL - 1 &&
        stopped_after(of, i - (IDS_PER_POLL - 1), IDS_PER_POLL, poll))
      return RVH_STOPPED;
    if (weights != NULL && weights[i] == 0) continue;
    const blake2_simd_bytes id = id_at(of, i);
    memcpy(kept + kept_offsets[count], id.data, id.size);
    kept_offsets[count + 1] = kept_offsets[count] + id.size;
    kept_index[count++] = (uint32_t)i;
  }
  *kept_count = count;
  return RVH_OK;
}

static int stop_absorbing(void *poll, size_t compressions) {
  return rvh_stopped(poll, compressions);
}

/* Positions are those of the prefixes: grouped by length. */
static rvh_status prepare_blake2b(rvh_nodes *nodes, const ids *of, const double *weights,
                                  const uint8_t *secret, size_t secret_size, rvh_poll *poll) {
  const size_t n = of->n;
  rvh_status status = RVH_NO_MEMORY;
  blake2_simd_params params;
  uint8_t *kept = malloc((size_t)of->offsets[n]);
  uint64_t *kept_offsets = malloc((n + 1) * sizeof *kept_offsets);
  uint32_t *kept_index = malloc(n * sizeof *kept_index);
  if (kept == NULL || kept_offsets == NULL || kept_index == NULL) goto done;
  status = gather(of, weights, kept, kept_offsets, kept_index, &nodes->n, poll);
  if (status != RVH_OK) goto done;
  blake2_simd_params_init(&params, 16, secret, secret_size);
  nodes->prefixes =
      blake2_simd_prefixes_until(&params, kept, kept_offsets, nodes->n, stop_absorbing, poll);
  if (nodes->prefixes == NULL) {
    status = poll != NULL && poll->stopped ? RVH_STOPPED : RVH_NO_MEMORY;
    goto done;
  }
  const uint32_t *at = blake2_simd_prefixes_order(nodes->prefixes);
  for (size_t p = 0; p < nodes->n; p++) nodes->order[p] = kept_index[at[p]];
done:
  if (secret_size > 0) {
    blake2_simd_wipe(&params, sizeof params);
    blake2_simd_wipe_stack();
  }
  free(kept_index);
  free(kept_offsets);
  free(kept);
  return status;
}

/* Positions are in descending order of bytes, so that the first of equal scores is the best. */
static rvh_status prepare_murmur(rvh_nodes *nodes, const ids *of, const sort_item *sorted,
                                 const double *weights, rvh_poll *poll) {
  nodes->hash = calloc(of->n + RVH_ROW_PAD, sizeof *nodes->hash);
  if (nodes->hash == NULL) return RVH_NO_MEMORY;
  for (size_t i = of->n; i-- > 0;) {
    if (weights != NULL && weights[sorted[i].index] == 0) continue;
    const blake2_simd_bytes id = id_at(of, sorted[i].index);
    if (rvh_stopped(poll, 4 + id.size / BYTES_PER_WORK)) return RVH_STOPPED;
    nodes->order[nodes->n] = sorted[i].index;
    nodes->hash[nodes->n++] = rvh_murmur64a(id, RVH_MURMUR_NODE_SEED);
  }
  return RVH_OK;
}

static rvh_status prepare_weights(rvh_nodes *nodes, const double *weights) {
  nodes->weight = malloc(nodes->n * sizeof *nodes->weight);
  nodes->inverse = malloc(nodes->n * sizeof *nodes->inverse);
  if (nodes->weight == NULL || nodes->inverse == NULL) return RVH_NO_MEMORY;
  for (size_t p = 0; p < nodes->n; p++) {
    nodes->weight[p] = weights[nodes->order[p]];
    nodes->inverse[p] = 1.0 / nodes->weight[p] * (1 - 0x1p-48);
  }
  return RVH_OK;
}

rvh_status rvh_nodes_new(rvh_nodes **out, rvh_scheme scheme, const uint8_t *data,
                         const uint64_t *offsets, size_t n, const double *weights,
                         const uint8_t *secret, size_t secret_size, rvh_poll *poll, size_t bad[2]) {
  rvh_status status = RVH_NO_MEMORY;
  ids of = {.data = data, .offsets = offsets, .n = n};
  sort_item *sorted = NULL;
  uint32_t *rank = NULL;
  for (size_t i = 0; i < n; i++) {
    if (offsets[i] == offsets[i + 1]) {
      bad[0] = i;
      return RVH_EMPTY_ID;
    }
  }
  rvh_nodes *nodes = calloc(1, sizeof *nodes);
  if (nodes == NULL) goto done;
  status = sort_ids(&of, &sorted, poll);
  if (status == RVH_OK) status = find_duplicate(&of, sorted, poll, bad);
  if (status != RVH_OK) goto done;

  status = RVH_NO_MEMORY;
  nodes->scheme = scheme;
  nodes->indices = n;
  rank = malloc(n * sizeof *rank);
  nodes->order = malloc(n * sizeof *nodes->order);
  nodes->tie = malloc(n * sizeof *nodes->tie);
  if (rank == NULL || nodes->order == NULL || nodes->tie == NULL) goto done;
  for (size_t i = 0; i < n; i++) rank[sorted[i].index] = (uint32_t)(n - 1 - i);
  status = scheme == RVH_MURMUR ? prepare_murmur(nodes, &of, sorted, weights, poll)
                                : prepare_blake2b(nodes, &of, weights, secret, secret_size, poll);
  if (status != RVH_OK) goto done;
  for (size_t p = 0; p < nodes->n; p++) nodes->tie[p] = rank[nodes->order[p]];
  while (nodes->low + 1 < nodes->n) nodes->low = 2 * nodes->low + 1;
  if (weights != NULL) status = prepare_weights(nodes, weights);

done:
  free(rank);
  free(sorted);
  if (status != RVH_OK) {
    rvh_nodes_free(nodes);
    nodes = NULL;
  }
  *out = nodes;
  return status;
}

void rvh_nodes_free(rvh_nodes *nodes) {
  if (nodes == NULL) return;
  blake2_simd_prefixes_free(nodes->prefixes);
  free(nodes->order);
  free(nodes->tie);
  free(nodes->hash);
  free(nodes->weight);
  free(nodes->inverse);
  free(nodes);
}
