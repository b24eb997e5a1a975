/* The best k of each lane: the parts that do not depend on an instruction set. */

#include "rvh_kernels_impl.h"

/* The contract's order: (weighted score descending, then) score descending, then node bytes
 * descending. */
static int better(const rvh_topk *top, size_t lane, rvh_candidate a, rvh_candidate b) {
  if (a.hi != b.hi) return a.hi > b.hi;
  const rvh_score score_a = top->source->rescore(top->source, lane, a.position);
  const rvh_score score_b = top->source->rescore(top->source, lane, b.position);
  if (score_a.hi != score_b.hi) return score_a.hi > score_b.hi;
  if (score_a.lo != score_b.lo) return score_a.lo > score_b.lo;
  return top->tie[a.position] < top->tie[b.position];
}

size_t rvh_topk_bytes(size_t k, size_t stride) { return k * stride * sizeof(rvh_candidate); }

void rvh_topk_start(rvh_topk *top, size_t k, size_t lanes, size_t stride, const uint32_t *tie,
                    void *memory) {
  *top = (rvh_topk){.k = k, .lanes = lanes, .stride = stride, .tie = tie};
  if (k <= RVH_TOPK_SORTED_MAX) {
    top->hi = memory;
    top->pos = top->hi + k * stride;
  } else {
    top->heap = memory;
  }
}

/* ---- sorted ------------------------------------------------------------------------------- */

void rvh_topk_insert(rvh_topk *top, size_t lane, uint64_t hi, size_t position) {
  rvh_candidate candidate = {hi, position};
  for (size_t j = 0; j < top->k; j++) {
    const size_t at = j * top->stride + lane;
    const int used = j < top->filled;
    const rvh_candidate slot = {used ? top->hi[at] : 0, used ? top->pos[at] : 0};
    if (used && better(top, lane, slot, candidate)) continue;
    top->hi[at] = candidate.hi;
    top->pos[at] = candidate.position;
    if (!used) return;
    candidate = slot;
  }
}

/* ---- heap --------------------------------------------------------------------------------- */

enum {
  SIFTS_PER_POLL = 1 << 10,
  SIFTS_WORK = 1 << 12, /* what so many cost where the heap is in no cache */
};

/* Puts a candidate at place i or below, so that the worst of each subtree is on top. */
static void sift_down(const rvh_topk *top, size_t lane, size_t n, size_t i,
                      rvh_candidate candidate) {
  rvh_candidate *heap = top->heap + lane * top->k;
  for (size_t child; (child = 2 * i + 1) < n; i = child) {
    if (child + 1 < n && better(top, lane, heap[child], heap[child + 1])) child++;
    if (!better(top, lane, candidate, heap[child])) break;
    heap[i] = heap[child];
  }
  heap[i] = candidate;
}

/* Adds one node to one lane; `filled` counts the slots in use before it. */
static void heap_insert(rvh_topk *top, size_t lane, rvh_candidate candidate) {
  const size_t k = top->k, slots = top->filled;
  rvh_candidate *heap = top->heap + lane * k;
  if (slots < k) {
    heap[slots] = candidate;
    if (slots + 1 == k)
      for (size_t j = k / 2; j-- > 0;) {
        sift_down(top, lane, k, j, heap[j]);
        if (j % SIFTS_PER_POLL == SIFTS_PER_POLL - 1 &&
            rvh_stopped(top->source->poll, SIFTS_PER_POLL))
          return;
      }
  } else if (candidate.hi >= heap[0].hi && better(top, lane, candidate, heap[0])) {
    sift_down(top, lane, k, 0, candidate);
  }
}

void rvh_topk_heap(rvh_topk *top, const uint64_t *hi, size_t first, size_t count) {
  for (size_t i = 0; i < count; i++, hi += top->stride) {
    for (size_t l = 0; l < top->lanes; l++) heap_insert(top, l, (rvh_candidate){hi[l], first + i});
    if (top->filled < top->k) top->filled++;
  }
}

void rvh_topk_merge_heap(rvh_topk *top, const rvh_topk *from) {
  for (size_t j = 0; j < from->filled; j++) {
    for (size_t l = 0; l < top->lanes; l++) {
      const size_t at = j * from->stride + l;
      const rvh_candidate candidate = from->heap != NULL
                                          ? from->heap[l * from->k + j]
                                          : (rvh_candidate){from->hi[at], from->pos[at]};
      if (top->heap != NULL)
        heap_insert(top, l, candidate);
      else
        rvh_topk_insert(top, l, candidate.hi, (size_t)candidate.position);
    }
    if (top->filled < top->k) top->filled++;
  }
}

/* ---- results ------------------------------------------------------------------------------ */

void rvh_topk_finish(rvh_topk *top, size_t lane, rvh_candidate *best) {
  if (top->heap == NULL) {
    for (size_t j = 0; j < top->k; j++) {
      const size_t at = j * top->stride + lane;
      best[j] = (rvh_candidate){top->hi[at], top->pos[at]};
    }
    return;
  }
  rvh_candidate *heap = top->heap + lane * top->k;
  for (size_t n = top->k; n-- > 0;) { /* the worst of the rest goes last */
    best[n] = heap[0];
    sift_down(top, lane, n, 0, heap[n]);
    if (n % SIFTS_PER_POLL == SIFTS_PER_POLL - 1 && rvh_stopped(top->source->poll, SIFTS_WORK))
      return;
  }
}
