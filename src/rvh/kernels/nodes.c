/* Node ids prepared for scoring: checked, with the secret and whole blocks absorbed. */

#include "rvh_kernels_impl.h"

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

rvh_status rvh_nodes_new(rvh_nodes **out, const uint8_t *data, const uint64_t *offsets, size_t n,
                         const uint8_t *secret, size_t secret_size, size_t bad[2]) {
  rvh_status status = RVH_NO_MEMORY;
  blake2_simd_params params;
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
  rank = malloc(n * sizeof *rank);
  nodes->tie = malloc(n * sizeof *nodes->tie);
  if (rank == NULL || nodes->tie == NULL) goto done;
  for (size_t i = 0; i < n; i++) rank[sorted[i].index] = (uint32_t)(n - 1 - i);
  free(sorted);
  sorted = NULL;
  blake2_simd_params_init(&params, 16, secret, secret_size);
  nodes->n = n;
  nodes->prefixes = blake2_simd_prefixes_new(&params, data, offsets, n);
  if (nodes->prefixes == NULL) goto done;
  nodes->order = blake2_simd_prefixes_order(nodes->prefixes);
  for (size_t i = 0; i < n; i++) nodes->tie[i] = rank[nodes->order[i]];
  status = RVH_OK;

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
  free(nodes->tie);
  free(nodes);
}
