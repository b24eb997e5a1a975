/* Rings: a key belongs to the node of the first point at or after its own; past the last point, to
 * that of the first. */

#include "rvh_kernels_impl.h"

#include <stdlib.h>

/* The range of 32- or 64-bit points is cut into slices by their highest bits, about two for each
 * point; each slice knows the first point that is not before it. */
struct rvh_ring {
  rvh_point_kind kind; /* of the keys' points */
  rvh_tag tag;
  const uint64_t *points; /* ascending */
  const uint32_t *owners;
  size_t count, nodes;
  size_t walk; /* average distance, in points, between points of the node that has fewest */
  unsigned shift;
  uint32_t *slices; /* [1 + number of slices] */
};

enum { COUNTED_PER_POLL = 1 << 14, COUNTED_WORK = 1 << 12 };

/* The number of points of the node that has fewest; 0 where the poll stops it. each: zeros. */
static size_t fewest_points(const uint32_t *owners, size_t count, uint32_t *each, size_t nodes,
                            rvh_poll *poll) {
  size_t fewest = count;
  for (size_t first = 0, end; first < count; first = end) {
    if (first > 0 && rvh_stopped(poll, COUNTED_WORK)) return 0;
    end = count - first < COUNTED_PER_POLL ? count : first + COUNTED_PER_POLL;
    for (size_t i = first; i < end; i++) each[owners[i]]++;
  }
  for (size_t n = 0; n < nodes; n++)
    if (each[n] > 0 && each[n] < fewest) fewest = each[n];
  return fewest;
}

rvh_status rvh_ring_new(rvh_ring **out, rvh_point_kind kind, const uint64_t *points,
                        const uint32_t *owners, size_t count, rvh_poll *poll) {
  const unsigned width = rvh_point_bits(kind);
  unsigned bits = 1;
  while (bits < 24 && bits < width && ((size_t)1 << bits) < 2 * count) bits++;
  const size_t slices = (size_t)1 << bits;
  const unsigned shift = width - bits;
  uint32_t nodes = 0;
  for (size_t i = 0; i < count; i++)
    if (owners[i] >= nodes) nodes = owners[i] + 1;
  *out = NULL;
  rvh_status status = RVH_NO_MEMORY;
  rvh_ring *ring = malloc(sizeof *ring);
  uint32_t *before = malloc((slices + 1) * sizeof *before);
  uint32_t *each = calloc(nodes, sizeof *each);
  if (ring == NULL || before == NULL || each == NULL) goto failed;
  status = RVH_STOPPED;
  const size_t fewest = fewest_points(owners, count, each, nodes, poll);
  if (fewest == 0) goto failed;
  *ring = (rvh_ring){.kind = kind,
                     .points = points,
                     .owners = owners,
                     .count = count,
                     .nodes = nodes,
                     .walk = count / fewest,
                     .shift = shift,
                     .slices = before};
  for (size_t first = 0, at = 0, end; first <= slices; first = end) {
    if (first > 0 && rvh_stopped(poll, COUNTED_WORK)) goto failed;
    end = slices - first < COUNTED_PER_POLL ? slices + 1 : first + COUNTED_PER_POLL;
    for (size_t s = first; s < end; s++) {
      while (at < count && points[at] >> shift < s) at++;
      before[s] = (uint32_t)at;
    }
  }
  free(each);
  *out = ring;
  return RVH_OK;

failed:
  free(ring);
  free(before);
  free(each);
  return status;
}

void rvh_ring_set_tag(rvh_ring *ring, rvh_tag tag) { ring->tag = tag; }

void rvh_ring_free(rvh_ring *ring) {
  if (ring == NULL) return;
  free(ring->slices);
  free(ring);
}

/* The index of the first point at or after a key's. */
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

size_t rvh_ring_cost(const rvh_ring *ring, size_t k) {
  return k == 1 ? 1 : k > ring->walk ? k : ring->walk;
}

/* ---- the nodes of the points that follow --------------------------------------------------- */

enum {
  FEW = 32, /* nodes that are searched for one seen before; more of them have bits */
  WALKED_PER_POLL = 1 << 12, /* points */
  LOOKED_UP_PER_POLL = 1 << 10,
  POINTS_PER_WORK = 4, /* that take as long as a compression */
  NODES_PER_WORD = 64,
};

/* A bit for each node seen, all 0 between keys; NULL where k is at most FEW. */
static rvh_status new_seen(const rvh_ring *ring, size_t k, uint64_t **seen) {
  *seen = NULL;
  if (k <= FEW) return RVH_OK;
  *seen = calloc(ring->nodes / NODES_PER_WORD + 1, sizeof **seen);
  return *seen == NULL ? RVH_NO_MEMORY : RVH_OK;
}

/* How far to walk from a point before the next poll. */
static size_t piece_end(const rvh_ring *ring, size_t at) {
  return ring->count - at < WALKED_PER_POLL ? ring->count : at + WALKED_PER_POLL;
}

/* Where to go on after points `at` to `end`; count where the poll stops the walk. */
static size_t next_piece(const rvh_ring *ring, size_t at, size_t end, rvh_poll *poll) {
  if (rvh_stopped(poll, (end - at) / POINTS_PER_WORK + 1)) return ring->count;
  return end == ring->count ? 0 : end;
}

/* Adds the nodes of points `at` to `end` that are not among the n in `out`, until there are k, at
 * most FEW. Returns how many there are then. */
static size_t few_of(const rvh_ring *ring, size_t at, size_t end, size_t n, size_t k,
                     intptr_t *out) {
  for (; at < end; at++) {
    const intptr_t owner = (intptr_t)ring->owners[at];
    size_t j = 0;
    while (j < n && out[j] != owner) j++;
    if (j < n) continue;
    out[n++] = owner;
    if (n == k) break;
  }
  return n;
}

/* The nodes of the points from `at` on, each once, for k up to FEW. */
static rvh_status few_owners(const rvh_ring *ring, size_t at, size_t k, intptr_t *out,
                             rvh_poll *poll) {
  size_t end = piece_end(ring, at);
  for (size_t n = few_of(ring, at, end, 0, k, out); n < k; n = few_of(ring, at, end, n, k, out)) {
    at = next_piece(ring, at, end, poll);
    if (at == ring->count) return RVH_STOPPED;
    end = piece_end(ring, at);
  }
  return RVH_OK;
}

/* The same for any k, with a bit for each node seen; clears the bits. */
static rvh_status many_owners(const rvh_ring *ring, size_t at, size_t k, intptr_t *out,
                              uint64_t *seen, rvh_poll *poll) {
  size_t n = 0;
  while (n < k && at < ring->count) {
    const size_t end = piece_end(ring, at);
    for (size_t i = at; i < end && n < k; i++) {
      const uint32_t owner = ring->owners[i];
      const uint64_t bit = (uint64_t)1 << owner % NODES_PER_WORD;
      if (seen[owner / NODES_PER_WORD] & bit) continue;
      seen[owner / NODES_PER_WORD] |= bit;
      out[n++] = (intptr_t)owner;
    }
    if (n < k) at = next_piece(ring, at, end, poll);
  }
  for (size_t j = 0; j < n; j++) seen[out[j] / NODES_PER_WORD] = 0;
  return n == k ? RVH_OK : RVH_STOPPED;
}

rvh_status rvh_ring_lookup_one(const rvh_ring *ring, blake2_simd_bytes key, size_t k, intptr_t *out,
                               rvh_poll *poll) {
  uint64_t *seen;
  rvh_status status = new_seen(ring, k, &seen);
  if (status != RVH_OK) return status;
  const size_t at = successor(ring, rvh_point(ring->kind, rvh_tagged(ring->tag, key)));
  status =
      seen == NULL ? few_owners(ring, at, k, out, poll) : many_owners(ring, at, k, out, seen, poll);
  free(seen);
  return status;
}

/* Turns a batch's points into nodes, [n][k], at the row's place in the output. */
typedef struct {
  const rvh_ring *ring;
  size_t k;
  intptr_t *out;
  uint64_t *seen;
  rvh_poll *poll;
} output;

static rvh_status write_nodes(void *to, size_t row, const uint64_t *points, size_t n) {
  const output *a = to;
  intptr_t *out = a->out + row * a->k;
  rvh_status status = RVH_OK;
  if (a->k == 1)
    for (size_t i = 0; i < n; i++)
      out[i] = (intptr_t)a->ring->owners[successor(a->ring, points[i])];
  else if (a->seen == NULL)
    for (size_t i = 0; i < n && status == RVH_OK; i++)
      status = few_owners(a->ring, successor(a->ring, points[i]), a->k, out + i * a->k, a->poll);
  else
    for (size_t i = 0; i < n && status == RVH_OK; i++)
      status = many_owners(a->ring, successor(a->ring, points[i]), a->k, out + i * a->k, a->seen,
                           a->poll);
  return status;
}

rvh_status rvh_ring_nodes(const rvh_ring *ring, const uint64_t *points, size_t n, size_t k,
                          intptr_t *out, rvh_poll *poll) {
  output to = {.ring = ring, .k = k, .out = out, .poll = poll};
  const size_t cost = rvh_ring_cost(ring, k);
  rvh_status status = new_seen(ring, k, &to.seen);
  for (size_t first = 0, count; first < n && status == RVH_OK; first += count) {
    count = n - first < LOOKED_UP_PER_POLL ? n - first : LOOKED_UP_PER_POLL;
    status = rvh_stopped(poll, count * cost / POINTS_PER_WORK + 1)
                 ? RVH_STOPPED
                 : write_nodes(&to, first, points + first, count);
  }
  free(to.seen);
  return status;
}

rvh_status rvh_ring_lookup(const rvh_isa *isa, const rvh_ring *ring, const rvh_column *keys,
                           size_t start, size_t stop, size_t k, intptr_t *out, rvh_poll *poll,
                           size_t *bad) {
  output to = {.ring = ring, .k = k, .out = out, .poll = poll};
  rvh_status status = new_seen(ring, k, &to.seen);
  if (status == RVH_OK)
    status = rvh_each_point(isa, ring->kind, ring->tag, keys, start, stop, rvh_ring_cost(ring, k),
                            write_nodes, &to, poll, bad);
  free(to.seen);
  return status;
}
