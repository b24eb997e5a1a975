/* The best k of each lane, k <= RVH_TOPK_SORTED_MAX, over vectors: included by one file for each
 * instruction set, after its vector header, with STREAMS (vectors in a row of a tile) and
 * TOPK_NAME defined.
 *
 * High words decide. Only where two are equal (never by chance: once in 2^64 pairs) does a vector
 * go through rvh_topk_insert, which knows low words and the tie rule. */

#include "rvh_kernels_impl.h"

#if defined(__GNUC__)
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#elif defined(_MSC_VER)
#define ALWAYS_INLINE static __forceinline
#else
#define ALWAYS_INLINE static inline
#endif

#define LANES (V_LANES * STREAMS)

/* The sorted best k of one vector of lanes; in registers where k is a small constant. */
typedef struct {
  V hi[RVH_TOPK_SORTED_MAX], lo[RVH_TOPK_SORTED_MAX], pos[RVH_TOPK_SORTED_MAX];
} slots;

ALWAYS_INLINE void load_slots(slots *s, const rvh_topk *top, size_t l, size_t k) {
  for (size_t j = 0; j < k; j++) {
    s->hi[j] = V_LOAD(top->hi + j * LANES + l);
    s->lo[j] = V_LOAD(top->lo + j * LANES + l);
    s->pos[j] = V_LOAD(top->pos + j * LANES + l);
  }
}

ALWAYS_INLINE void store_slots(const slots *s, rvh_topk *top, size_t l, size_t k) {
  for (size_t j = 0; j < k; j++) {
    V_STORE(top->hi + j * LANES + l, s->hi[j]);
    V_STORE(top->lo + j * LANES + l, s->lo[j]);
    V_STORE(top->pos + j * LANES + l, s->pos[j]);
  }
}

typedef struct {
  V hi, lo, pos;
} node;

/* A node takes the first of k slots that it is better than, and pushes what was there one down.
 * Returns what fell off the end. */
ALWAYS_INLINE node push(slots *s, node carry, size_t k) {
  const V score = carry.hi;
  for (size_t j = 0; j < k; j++) {
    const V_MASK better = V_GT(score, s->hi[j]);
    const node was = {s->hi[j], s->lo[j], s->pos[j]};
    s->hi[j] = V_SELECT(better, carry.hi, was.hi);
    s->lo[j] = V_SELECT(better, carry.lo, was.lo);
    s->pos[j] = V_SELECT(better, carry.pos, was.pos);
    carry.hi = V_SELECT(better, was.hi, carry.hi);
    carry.lo = V_SELECT(better, was.lo, carry.lo);
    carry.pos = V_SELECT(better, was.pos, carry.pos);
  }
  return carry;
}

/* The tie rule, lane by lane. */
static void insert_exactly(rvh_topk *top, const uint64_t *hi, const uint64_t *lo, size_t l,
                           size_t position) {
  for (size_t lane = l; lane < l + V_LANES; lane++)
    rvh_topk_insert(top, lane, hi[lane], lo[lane], position);
}

/* One node while there are slots to fill. */
static void fill(rvh_topk *top, const uint64_t *hi, const uint64_t *lo, size_t position) {
  const size_t used = top->filled;
  for (size_t l = 0; l < LANES; l += V_LANES) {
    node carry = {V_LOAD(hi + l), V_LOAD(lo + l), V_SET1(position)};
    slots s;
    load_slots(&s, top, l, used);
    if (used > 0) {
      V_MASK tied = V_EQ(carry.hi, s.hi[0]);
      for (size_t j = 1; j < used; j++) tied = V_MASK_OR(tied, V_EQ(carry.hi, s.hi[j]));
      if (V_ANY(tied)) {
        insert_exactly(top, hi, lo, l, position);
        continue;
      }
    }
    carry = push(&s, carry, used);
    s.hi[used] = carry.hi;
    s.lo[used] = carry.lo;
    s.pos[used] = carry.pos;
    store_slots(&s, top, l, used + 1);
  }
  top->filled = used + 1;
}

/* `count` nodes into slots that are all in use. */
ALWAYS_INLINE void keep(rvh_topk *top, const uint64_t *hi, const uint64_t *lo, size_t first,
                        size_t count, size_t k) {
  for (size_t l = 0; l < LANES; l += V_LANES) {
    slots s;
    load_slots(&s, top, l, k);
    for (size_t i = 0; i < count; i++) {
      const V score = V_LOAD(hi + i * LANES + l);
      V_MASK tied = V_EQ(score, s.hi[k - 1]);
      if (k > 1) { /* with one slot, a branch costs more than it spares */
        if (!V_ANY(V_MASK_OR(tied, V_GT(score, s.hi[k - 1])))) continue;
        for (size_t j = 0; j + 1 < k; j++) tied = V_MASK_OR(tied, V_EQ(score, s.hi[j]));
      }
      if (V_ANY(tied)) {
        store_slots(&s, top, l, k);
        insert_exactly(top, hi + i * LANES, lo + i * LANES, l, first + i);
        load_slots(&s, top, l, k);
        continue;
      }
      push(&s, (node){score, V_LOAD(lo + i * LANES + l), V_SET1(first + i)}, k);
    }
    store_slots(&s, top, l, k);
  }
}

void TOPK_NAME(rvh_topk *top, const uint64_t *hi, const uint64_t *lo, size_t first, size_t count) {
  if (top->k > RVH_TOPK_SORTED_MAX) {
    rvh_topk_heap(top, hi, lo, first, count);
    return;
  }
  for (; top->filled < top->k && count > 0; count--, first++, hi += LANES, lo += LANES)
    fill(top, hi, lo, first);
  switch (top->k) {
    case 1:
      keep(top, hi, lo, first, count, 1);
      break;
    case 2:
      keep(top, hi, lo, first, count, 2);
      break;
    case 3:
      keep(top, hi, lo, first, count, 3);
      break;
    default:
      keep(top, hi, lo, first, count, top->k);
  }
}
