/* The best k of each lane, k <= RVH_TOPK_SORTED_MAX, over vectors: included by one file for each
 * instruction set, after its vector header, with STREAMS (vectors in a row of a tile) and
 * TOPK_NAME defined.
 *
 * High words decide. Only where two are equal (never by chance: once in 2^64 pairs) does a vector
 * go through rvh_topk_insert, which knows low words and the tie rule. */

#include "rvh_kernels_impl.h"

#define LANES (V_LANES * STREAMS)

static void insert_exactly(rvh_topk *top, const uint64_t *hi, const uint64_t *lo, size_t offset,
                           size_t position) {
  for (size_t l = offset; l < offset + V_LANES; l++)
    rvh_topk_insert(top, l, hi[l], lo[l], position);
}

static void first_of_all(rvh_topk *top, const uint64_t *hi, const uint64_t *lo, size_t position) {
  for (size_t l = 0; l < LANES; l += V_LANES) {
    V_STORE(top->hi + l, V_LOAD(hi + l));
    V_STORE(top->lo + l, V_LOAD(lo + l));
    V_STORE(top->pos + l, V_SET1(position));
  }
  top->filled = 1;
}

/* k = 1: the running maximum stays in registers. */
static void best(rvh_topk *top, const uint64_t *hi, const uint64_t *lo, size_t first,
                 size_t count) {
  for (size_t l = 0; l < LANES; l += V_LANES) {
    V best_hi = V_LOAD(top->hi + l), best_lo = V_LOAD(top->lo + l), best_pos = V_LOAD(top->pos + l);
    for (size_t i = 0; i < count; i++) {
      const V score = V_LOAD(hi + i * LANES + l);
      const V_MASK tied = V_EQ(score, best_hi);
      if (V_ANY(tied)) {
        V_STORE(top->hi + l, best_hi);
        V_STORE(top->lo + l, best_lo);
        V_STORE(top->pos + l, best_pos);
        insert_exactly(top, hi + i * LANES, lo + i * LANES, l, first + i);
        best_hi = V_LOAD(top->hi + l);
        best_lo = V_LOAD(top->lo + l);
        best_pos = V_LOAD(top->pos + l);
        continue;
      }
      const V_MASK better = V_GT(score, best_hi);
      best_hi = V_SELECT(better, score, best_hi);
      best_lo = V_SELECT(better, V_LOAD(lo + i * LANES + l), best_lo);
      best_pos = V_SELECT(better, V_SET1(first + i), best_pos);
    }
    V_STORE(top->hi + l, best_hi);
    V_STORE(top->lo + l, best_lo);
    V_STORE(top->pos + l, best_pos);
  }
}

/* One node into one vector of lanes, with `slots` of k in use: where it is better than a slot, it
 * takes the slot and pushes what was there one down. */
static void push(rvh_topk *top, const uint64_t *hi, const uint64_t *lo, size_t l, size_t slots,
                 size_t position) {
  const V score = V_LOAD(hi + l);
  V_MASK tied = V_EQ(score, V_LOAD(top->hi + l));
  for (size_t j = 1; j < slots; j++)
    tied = V_MASK_OR(tied, V_EQ(score, V_LOAD(top->hi + j * LANES + l)));
  if (V_ANY(tied)) {
    insert_exactly(top, hi, lo, l, position);
    return;
  }
  V carry_hi = score, carry_lo = V_LOAD(lo + l), carry_pos = V_SET1(position);
  for (size_t j = 0; j < slots; j++) {
    uint64_t *slot_hi = top->hi + j * LANES + l, *slot_lo = top->lo + j * LANES + l;
    uint64_t *slot_pos = top->pos + j * LANES + l;
    const V was_hi = V_LOAD(slot_hi), was_lo = V_LOAD(slot_lo), was_pos = V_LOAD(slot_pos);
    const V_MASK better = V_GT(score, was_hi);
    V_STORE(slot_hi, V_SELECT(better, carry_hi, was_hi));
    V_STORE(slot_lo, V_SELECT(better, carry_lo, was_lo));
    V_STORE(slot_pos, V_SELECT(better, carry_pos, was_pos));
    carry_hi = V_SELECT(better, was_hi, carry_hi);
    carry_lo = V_SELECT(better, was_lo, carry_lo);
    carry_pos = V_SELECT(better, was_pos, carry_pos);
  }
  if (slots == top->k) return;
  V_STORE(top->hi + slots * LANES + l, carry_hi);
  V_STORE(top->lo + slots * LANES + l, carry_lo);
  V_STORE(top->pos + slots * LANES + l, carry_pos);
}

static void best_few(rvh_topk *top, const uint64_t *hi, const uint64_t *lo, size_t first,
                     size_t count) {
  for (size_t i = 0; i < count; i++, hi += LANES, lo += LANES) {
    const size_t slots = top->filled;
    for (size_t l = 0; l < LANES; l += V_LANES) {
      if (slots == top->k) {
        const V score = V_LOAD(hi + l), worst = V_LOAD(top->hi + (slots - 1) * LANES + l);
        const V_MASK enters = V_MASK_OR(V_GT(score, worst), V_EQ(score, worst));
        if (!V_ANY(enters)) continue;
      }
      push(top, hi, lo, l, slots, first + i);
    }
    if (slots < top->k) top->filled = slots + 1;
  }
}

void TOPK_NAME(rvh_topk *top, const uint64_t *hi, const uint64_t *lo, size_t first, size_t count) {
  if (top->k > RVH_TOPK_SORTED_MAX) {
    rvh_topk_heap(top, hi, lo, first, count);
    return;
  }
  if (top->filled == 0 && count > 0) {
    first_of_all(top, hi, lo, first);
    hi += LANES;
    lo += LANES;
    first++;
    count--;
  }
  if (top->k == 1)
    best(top, hi, lo, first, count);
  else
    best_few(top, hi, lo, first, count);
}
