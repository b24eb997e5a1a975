/* Rings: a key belongs to the node of the first point at or after its own, and round the end to the
 * first point of all. */

#include "rvh_kernels_impl.h"

#include <stdlib.h>

/* Points before which the keys of a slice of all points are: slices by the highest bits, about two
 * for a point. */
struct rvh_ring {
  rvh_point_kind kind;    /* of keys */
  const uint64_t *points; /* ascending */
  const uint32_t *owners;
  size_t count;
  size_t walk; /* points from one of a node to its next on average: of the node that has fewest */
  unsigned shift;
  uint32_t *slices; /* [1 + number of slices] */
};

rvh_ring *rvh_ring_new(rvh_point_kind kind, const uint64_t *points, const uint32_t *owners,
                       size_t count) {
  const unsigned width =
      kind == RVH_POINT_KETAMA || kind == RVH_POINT_CRC32 || kind == RVH_POINT_OAAT ? 32 : 64;
  unsigned bits = 1;
  while (bits < 24 && ((size_t)1 << bits) < 2 * count) bits++;
  const size_t slices = (size_t)1 << bits;
  uint32_t nodes = 0;
  for (size_t i = 0; i < count; i++)
    if (owners[i] >= nodes) nodes = owners[i] + 1;
  rvh_ring *ring = malloc(sizeof *ring);
  uint32_t *before = malloc((slices + 1) * sizeof *before);
  uint32_t *each = calloc(nodes, sizeof *each);
  if (ring == NULL || before == NULL || each == NULL) {
    free(ring);
    free(before);
    free(each);
    return NULL;
  }
  size_t fewest = count;
  for (size_t i = 0; i < count; i++) each[owners[i]]++;
  for (uint32_t n = 0; n < nodes; n++)
    if (each[n] > 0 && each[n] < fewest) fewest = each[n];
  free(each);
  *ring = (rvh_ring){kind, points, owners, count, count / fewest, width - bits, before};
  for (size_t s = 0, at = 0; s <= slices; s++) {
    while (at < count && points[at] >> ring->shift < s) at++;
    before[s] = (uint32_t)at;
  }
  return ring;
}

void rvh_ring_free(rvh_ring *ring) {
  if (ring == NULL) return;
  free(ring->slices);
  free(ring);
}

/* The first point at or after another. */
static size_t successor(const rvh_ring *ring, uint64_t point) {
  const size_t slice = (size_t)(point >> ring->shift);
  size_t low = ring->slices[slice], high = ring->slices[slice + 1];
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (ring->points[middle] < point)
      low = middle + 1;
    else
      high = middle;
  }
  return low == ring->count ? 0 : low;
}

/* The nodes of the points from there on, each once. */
static void owners_from(const rvh_ring *ring, size_t at, size_t k, intptr_t *out) {
  for (size_t n = 0; n < k; at = at + 1 == ring->count ? 0 : at + 1) {
    const intptr_t owner = (intptr_t)ring->owners[at];
    size_t j = 0;
    while (j < n && out[j] != owner) j++;
    if (j == n) out[n++] = owner;
  }
}

void rvh_ring_lookup_one(const rvh_ring *ring, blake2_simd_bytes key, size_t k, intptr_t *out) {
  owners_from(ring, successor(ring, rvh_point(ring->kind, key)), k, out);
}

/* What becomes of a batch's points: the nodes, [n][k] from the row's place in the output on. */
typedef struct {
  const rvh_ring *ring;
  size_t k;
  intptr_t *out;
} answers;

static void answer(void *to, size_t row, const uint64_t *points, size_t n) {
  const answers *a = to;
  intptr_t *out = a->out + row * a->k;
  if (a->k == 1)
    for (size_t i = 0; i < n; i++)
      out[i] = (intptr_t)a->ring->owners[successor(a->ring, points[i])];
  else
    for (size_t i = 0; i < n; i++)
      owners_from(a->ring, successor(a->ring, points[i]), a->k, out + i * a->k);
}

rvh_status rvh_ring_lookup(const rvh_isa *isa, const rvh_ring *ring, const rvh_column *keys,
                           size_t start, size_t stop, size_t k, intptr_t *out, rvh_poll *poll,
                           size_t *bad) {
  answers to = {ring, k, out};
  const size_t cost = k == 1 ? 1 : k > ring->walk ? k : ring->walk;
  return rvh_each_point(isa, ring->kind, keys, start, stop, cost, answer, &to, poll, bad);
}
