/* The best k of each lane, k <= RVH_TOPK_SORTED_MAX.
 *
 * High words decide. Only where two are equal does a vector go through rvh_topk_insert, which
 * knows the tie rule. */

/* The sorted best k of one vector of lanes; in registers where k is a constant that lets them. */
typedef struct {
  V hi[RVH_TOPK_SORTED_MAX + 1], pos[RVH_TOPK_SORTED_MAX + 1];
} slots;

typedef struct {
  V hi, pos;
} node;

ALWAYS_INLINE void load_slots(slots *s, const rvh_topk *top, size_t l, size_t k) {
  for (size_t j = 0; j < k; j++) {
    s->hi[j] = V_LOAD(top->hi + j * STRIDE + l);
    s->pos[j] = V_LOAD(top->pos + j * STRIDE + l);
  }
}

ALWAYS_INLINE void store_slots(const slots *s, rvh_topk *top, size_t l, size_t k) {
  for (size_t j = 0; j < k; j++) {
    V_STORE(top->hi + j * STRIDE + l, s->hi[j]);
    V_STORE(top->pos + j * STRIDE + l, s->pos[j]);
  }
}

/* Whether any lane's score is that of a node in the first k slots. */
ALWAYS_INLINE int any_tie(const slots *s, V score, size_t k) {
  V_MASK tied = V_EQ(score, s->hi[0]);
  for (size_t j = 1; j < k; j++) tied = V_MASK_OR(tied, V_EQ(score, s->hi[j]));
  return V_ANY(tied);
}

/* A node takes the first of k slots that it is better than, and pushes what was there one down.
 * Returns what fell off the end. */
ALWAYS_INLINE node push(slots *s, node carry, size_t k) {
  const V score = carry.hi;
  for (size_t j = 0; j < k; j++) {
    const V_MASK better = V_GT(score, s->hi[j]);
    const node was = {s->hi[j], s->pos[j]};
    s->hi[j] = V_SELECT(better, carry.hi, was.hi);
    s->pos[j] = V_SELECT(better, carry.pos, was.pos);
    carry.hi = V_SELECT(better, was.hi, carry.hi);
    carry.pos = V_SELECT(better, was.pos, carry.pos);
  }
  return carry;
}

/* The tie rule, lane by lane. */
static void insert_exactly(rvh_topk *top, const uint64_t *hi, size_t l, size_t position) {
  for (size_t lane = l; lane < l + V_LANES; lane++) rvh_topk_insert(top, lane, hi[lane], position);
}

/* One node while there are slots to fill. */
static void fill(rvh_topk *top, const uint64_t *hi, size_t position) {
  const size_t used = top->filled;
  for (size_t l = 0; l < WHOLE; l += V_LANES) {
    slots s;
    const node entering = {V_LOAD(hi + l), V_SET1(position)};
    load_slots(&s, top, l, used);
    if (used > 0 && any_tie(&s, entering.hi, used)) {
      insert_exactly(top, hi, l, position);
      continue;
    }
    const node last = push(&s, entering, used);
    s.hi[used] = last.hi;
    s.pos[used] = last.pos;
    store_slots(&s, top, l, used + 1);
  }
  if (SCALAR) rvh_topk_insert(top, WHOLE, hi[WHOLE], position);
  top->filled = used + 1;
}

/* `count` nodes into k slots that are all in use. */
ALWAYS_INLINE void keep(rvh_topk *top, const uint64_t *hi, size_t first, size_t count, size_t k) {
  for (size_t l = 0; l < WHOLE; l += V_LANES) {
    slots s;
    load_slots(&s, top, l, k);
    for (size_t i = 0; i < count; i++) {
      const V score = V_LOAD(hi + i * STRIDE + l);
      if (k > 1) { /* with one slot, the branch costs more than it spares */
        const V worst = s.hi[k - 1];
        if (!V_ANY(V_MASK_OR(V_EQ(score, worst), V_GT(score, worst)))) continue;
      }
      if (any_tie(&s, score, k)) {
        store_slots(&s, top, l, k);
        insert_exactly(top, hi + i * STRIDE, l, first + i);
        load_slots(&s, top, l, k);
        continue;
      }
      push(&s, (node){score, V_SET1(first + i)}, k);
    }
    store_slots(&s, top, l, k);
  }
  if (SCALAR) {
    const uint64_t *worst = top->hi + (k - 1) * STRIDE + WHOLE;
    for (size_t i = 0; i < count; i++)
      if (hi[i * STRIDE + WHOLE] >= *worst)
        rvh_topk_insert(top, WHOLE, hi[i * STRIDE + WHOLE], first + i);
  }
}

void NAME(topk)(rvh_topk *top, const uint64_t *hi, size_t first, size_t count) {
  if (top->k > RVH_TOPK_SORTED_MAX) {
    rvh_topk_heap(top, hi, first, count);
    return;
  }
  for (; top->filled < top->k && count > 0; count--, first++, hi += STRIDE) fill(top, hi, first);
#define CASE(k)                     \
  case k:                           \
    keep(top, hi, first, count, k); \
    break;
  switch (top->k) {
    CASE(1)
    CASE(2)
    CASE(3)
    CASE(4)
    CASE(5)
    CASE(6)
    CASE(7)
    CASE(8)
    CASE(9)
    CASE(10)
    default:
      keep(top, hi, first, count, top->k);
  }
#undef CASE
}

/* What another top has kept, slot by slot: as `fill` and `keep`, but each lane has its own node. */
void NAME(topk_merge)(rvh_topk *top, const rvh_topk *from) {
  if (top->heap != NULL || from->heap != NULL) {
    rvh_topk_merge_heap(top, from);
    return;
  }
  const uint64_t *hi = from->hi, *pos = from->pos;
  for (size_t j = 0; j < from->filled; j++, hi += STRIDE, pos += STRIDE) {
    const size_t used = top->filled, more = used < top->k;
    for (size_t l = 0; l < WHOLE; l += V_LANES) {
      const node entering = {V_LOAD(hi + l), V_LOAD(pos + l)};
      slots s;
      load_slots(&s, top, l, used);
      if (used > 0 && any_tie(&s, entering.hi, used)) {
        for (size_t lane = l; lane < l + V_LANES; lane++)
          rvh_topk_insert(top, lane, hi[lane], (size_t)pos[lane]);
        continue;
      }
      const node last = push(&s, entering, used);
      s.hi[used] = last.hi; /* dropped where there is no slot more */
      s.pos[used] = last.pos;
      store_slots(&s, top, l, used + more);
    }
    if (SCALAR) rvh_topk_insert(top, WHOLE, hi[WHOLE], (size_t)pos[WHOLE]);
    top->filled = used + more;
  }
}
