/* The best k of each lane: what does not depend on an instruction set. */

#include "rvh_kernels_impl.h"

/* The contract's order: score descending, then node bytes descending. */
static int better(const rvh_candidate *a, const rvh_candidate *b) {
  if (a->hi != b->hi) return a->hi > b->hi;
  if (a->lo != b->lo) return a->lo > b->lo;
  return a->tie < b->tie;
}

size_t rvh_topk_bytes(size_t k, size_t lanes) {
  return k * lanes * (k <= RVH_TOPK_SORTED_MAX ? 3 * sizeof(uint64_t) : sizeof(rvh_candidate));
}

void rvh_topk_start(rvh_topk *top, size_t k, size_t lanes, const uint32_t *tie, void *memory) {
  uint64_t *words = memory;
  *top = (rvh_topk){.k = k, .lanes = lanes, .tie = tie};
  if (k <= RVH_TOPK_SORTED_MAX) {
    top->hi = words;
    top->lo = words + k * lanes;
    top->pos = words + 2 * k * lanes;
  } else {
    top->heap = memory;
  }
}

/* ---- sorted ------------------------------------------------------------------------------- */

void rvh_topk_insert(rvh_topk *top, size_t lane, uint64_t hi, uint64_t lo, size_t position) {
  rvh_candidate candidate = {hi, lo, top->tie[position], (uint32_t)position};
  for (size_t j = 0; j < top->k; j++) {
    const size_t at = j * top->lanes + lane;
    rvh_candidate slot = {0};
    if (j < top->filled) {
      slot =
          (rvh_candidate){top->hi[at], top->lo[at], top->tie[top->pos[at]], (uint32_t)top->pos[at]};
      if (better(&slot, &candidate)) continue;
    }
    top->hi[at] = candidate.hi;
    top->lo[at] = candidate.lo;
    top->pos[at] = candidate.position;
    if (j >= top->filled) return;
    candidate = slot;
  }
}

/* ---- heap --------------------------------------------------------------------------------- */

/* Puts a candidate at the place i or below it, so that nothing stands under a better one. */
static void sift_down(rvh_candidate *heap, size_t n, size_t i, rvh_candidate candidate) {
  for (size_t child; (child = 2 * i + 1) < n; i = child) {
    if (child + 1 < n && better(&heap[child], &heap[child + 1])) child++;
    if (!better(&candidate, &heap[child])) break;
    heap[i] = heap[child];
  }
  heap[i] = candidate;
}

void rvh_topk_heap(rvh_topk *top, const uint64_t *hi, const uint64_t *lo, size_t first,
                   size_t count) {
  const size_t k = top->k;
  for (size_t i = 0; i < count; i++, hi += top->lanes, lo += top->lanes) {
    const uint32_t position = (uint32_t)(first + i), tie = top->tie[position];
    const size_t slots = top->filled;
    rvh_candidate *heap = top->heap;
    for (size_t l = 0; l < top->lanes; l++, heap += k) {
      const rvh_candidate candidate = {hi[l], lo[l], tie, position};
      if (slots < k) {
        heap[slots] = candidate;
        if (slots + 1 == k)
          for (size_t j = k / 2; j-- > 0;) sift_down(heap, k, j, heap[j]);
      } else if (better(&candidate, &heap[0])) {
        sift_down(heap, k, 0, candidate);
      }
    }
    if (slots < k) top->filled = slots + 1;
  }
}

/* ---- results ------------------------------------------------------------------------------ */

void rvh_topk_finish(rvh_topk *top, size_t lane, uint32_t *positions) {
  if (top->heap == NULL) {
    for (size_t j = 0; j < top->k; j++) positions[j] = (uint32_t)top->pos[j * top->lanes + lane];
    return;
  }
  rvh_candidate *heap = top->heap + lane * top->k;
  for (size_t n = top->k; n-- > 0;) { /* the worst of those left goes last */
    positions[n] = heap[0].position;
    sift_down(heap, n, 0, heap[n]);
  }
}
