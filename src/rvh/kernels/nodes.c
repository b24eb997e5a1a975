/* Node ids prepared for scoring: checked, those of weight 0 left out, and for RVH_BLAKE2B with the
 * secret and whole blocks absorbed, for RVH_MURMUR hashed. */

#include "murmur.h"

#include <stdlib.h>

typedef struct {
  const uint8_t *data;
  size_t size;
  size_t index;
} id;

/* Bytes ascending, a shorter one before its continuations; equal ids by index. */
static int by_bytes(const void *pa, const void *pb) {
  const id *a = pa, *b = pb;
  int order = memcmp(a->data, b->data, a->size < b->size ? a->size : b->size);
  if (order != 0) return order;
  if (a->size != b->size) return a->size < b->size ? -1 : 1;
  return a->index < b->index ? -1 : a->index > b->index;
}

/* The first id, in the caller's order, that stands for the second time. */
static rvh_status find_duplicate(const id *sorted, size_t n, size_t bad[2]) {
  rvh_status status = RVH_OK;
  for (size_t i = 1; i < n; i++) {
    const id *a = &sorted[i - 1], *b = &sorted[i];
    if (a->size != b->size || memcmp(a->data, b->data, a->size) != 0) continue;
    if (status == RVH_OK || b->index < bad[1]) {
      bad[0] = a->index;
      bad[1] = b->index;
    }
    status = RVH_DUPLICATE_ID;
  }
  return status;
}

/* One after another, the ids that have a place. Returns their number. */
static size_t gather(const uint8_t *data, const uint64_t *offsets, size_t n, const double *weights,
                     uint8_t *kept, uint64_t *kept_offsets, uint32_t *kept_index) {
  size_t places = 0;
  kept_offsets[0] = 0;
  for (size_t i = 0; i < n; i++) {
    if (weights != NULL && weights[i] == 0) continue;
    const size_t size = (size_t)(offsets[i + 1] - offsets[i]);
    memcpy(kept + kept_offsets[places], data + offsets[i], size);
    kept_offsets[places + 1] = kept_offsets[places] + size;
    kept_index[places++] = (uint32_t)i;
  }
  return places;
}

/* Positions in groups of like size, as the prefixes have them. */
static rvh_status prepare_blake2b(rvh_nodes *nodes, const uint8_t *data, const uint64_t *offsets,
                                  size_t n, const double *weights, const uint8_t *secret,
                                  size_t secret_size) {
  rvh_status status = RVH_NO_MEMORY;
  blake2_simd_params params;
  uint8_t *kept = malloc((size_t)offsets[n]);
  uint64_t *kept_offsets = malloc((n + 1) * sizeof *kept_offsets);
  uint32_t *kept_index = malloc(n * sizeof *kept_index);
  if (kept == NULL || kept_offsets == NULL || kept_index == NULL) goto done;
  nodes->n = gather(data, offsets, n, weights, kept, kept_offsets, kept_index);
  blake2_simd_params_init(&params, 16, secret, secret_size);
  nodes->prefixes = blake2_simd_prefixes_new(&params, kept, kept_offsets, nodes->n);
  if (nodes->prefixes == NULL) goto done;
  const uint32_t *order = blake2_simd_prefixes_order(nodes->prefixes);
  for (size_t p = 0; p < nodes->n; p++) nodes->order[p] = kept_index[order[p]];
  status = RVH_OK;
done:
  free(kept_index);
  free(kept_offsets);
  free(kept);
  return status;
}

/* Positions in descending order of bytes, so that the first of equal scores is the best. */
static rvh_status prepare_murmur(rvh_nodes *nodes, const id *sorted, size_t n,
                                 const double *weights) {
  nodes->hash = malloc(n * sizeof *nodes->hash);
  if (nodes->hash == NULL) return RVH_NO_MEMORY;
  for (size_t i = n; i-- > 0;) {
    if (weights != NULL && weights[sorted[i].index] == 0) continue;
    const blake2_simd_bytes bytes = {sorted[i].data, sorted[i].size};
    nodes->order[nodes->n] = (uint32_t)sorted[i].index;
    nodes->hash[nodes->n++] = rvh_murmur64a(bytes, RVH_MURMUR_NODE_SEED);
  }
  return RVH_OK;
}

static rvh_status prepare_weights(rvh_nodes *nodes, const double *weights) {
  nodes->weight = malloc(nodes->n * sizeof *nodes->weight);
  nodes->inverse = malloc(nodes->n * sizeof *nodes->inverse);
  if (nodes->weight == NULL || nodes->inverse == NULL) return RVH_NO_MEMORY;
  for (size_t p = 0; p < nodes->n; p++) {
    nodes->weight[p] = weights[nodes->order[p]];
    nodes->inverse[p] = 1.0 / nodes->weight[p] * (1 - 0x1p-50);
  }
  return RVH_OK;
}

rvh_status rvh_nodes_new(rvh_nodes **out, rvh_scheme scheme, const uint8_t *data,
                         const uint64_t *offsets, size_t n, const double *weights,
                         const uint8_t *secret, size_t secret_size, size_t bad[2]) {
  rvh_status status = RVH_NO_MEMORY;
  uint32_t *rank = NULL;
  for (size_t i = 0; i < n; i++) {
    if (offsets[i] == offsets[i + 1]) {
      bad[0] = i;
      return RVH_EMPTY_ID;
    }
  }
  rvh_nodes *nodes = calloc(1, sizeof *nodes);
  id *sorted = malloc(n * sizeof *sorted);
  if (nodes == NULL || sorted == NULL) goto done;
  for (size_t i = 0; i < n; i++)
    sorted[i] = (id){data + offsets[i], (size_t)(offsets[i + 1] - offsets[i]), i};
  qsort(sorted, n, sizeof *sorted, by_bytes);
  status = find_duplicate(sorted, n, bad);
  if (status != RVH_OK) goto done;

  status = RVH_NO_MEMORY;
  nodes->scheme = scheme;
  nodes->indices = n;
  rank = malloc(n * sizeof *rank);
  nodes->order = malloc(n * sizeof *nodes->order);
  nodes->tie = malloc(n * sizeof *nodes->tie);
  if (rank == NULL || nodes->order == NULL || nodes->tie == NULL) goto done;
  for (size_t i = 0; i < n; i++) rank[sorted[i].index] = (uint32_t)(n - 1 - i);
  status = scheme == RVH_MURMUR
               ? prepare_murmur(nodes, sorted, n, weights)
               : prepare_blake2b(nodes, data, offsets, n, weights, secret, secret_size);
  if (status != RVH_OK) goto done;
  for (size_t p = 0; p < nodes->n; p++) nodes->tie[p] = rank[nodes->order[p]];
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
