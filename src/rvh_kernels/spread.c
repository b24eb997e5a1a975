/* Replicas spread over failure domains.
 *
 * The rule: walk the ranking and take a node while each of its domains holds fewer than its limit.
 * Domains are nested, so the walk need not be walked: a domain's nodes in the answer are its best
 * ones, as many as it may have. From the innermost level out, each domain keeps the best of those
 * that the domains in it have kept, and the answer is the best of what the outermost ones keep.
 * (Nested limits are a laminar matroid: greedy choice can be made domain by domain. How many nodes
 * it finds is the same for every key.)
 *
 * Where that are fewer than k, a walk follows for each level that is left out, from the outermost
 * in, over the nodes that are not taken yet: its list is made in the same way, and the nodes of the
 * lists before it are passed over. */

#include "spread.h"

#include <stdlib.h>

enum { ASKED = 1 << 10 }; /* domains between two questions whether to go on */

static size_t min_size(size_t a, size_t b) { return a < b ? a : b; }

/* Which domains the positions are in, and how many nodes each domain may have at most; take[i]:
 * how many nodes hold to levels 0 to i - 1. */
static void fill_tables(rvh_spreading *s, const rvh_spread *spread, size_t *take) {
  const rvh_nodes *nodes = s->nodes;
  for (size_t p = 0; p < nodes->n; p++) {
    const uint32_t index = nodes->order[p];
    s->leaf[p] = spread->levels[0].domain[index];
    s->top[0][s->leaf[p]].k++;
    for (size_t i = 0; i + 1 < s->levels; i++)
      s->parent[i][spread->levels[i].domain[index]] = spread->levels[i + 1].domain[index];
  }
  take[0] = nodes->n;
  for (size_t i = 0; i < s->levels; i++) {
    const size_t most = min_size(spread->levels[i].most, s->k);
    take[i + 1] = 0;
    for (size_t d = 0; d < s->domains[i]; d++) {
      rvh_topk *top = &s->top[i][d];
      top->k = min_size(top->k, most);
      take[i + 1] += top->k;
      if (top->k > 0 && i + 1 < s->levels) s->top[i + 1][s->parent[i][d]].k += top->k;
    }
  }
}

static size_t top_bytes(size_t k, size_t stride) {
  return (rvh_topk_bytes(k, stride) + 63) / 64 * 64;
}

/* Gives each top its piece of `base`, or where that is NULL only adds up their bytes. */
static size_t give_slots(rvh_spreading *s, size_t stride, uint8_t *base) {
  size_t used = 0;
  for (size_t i = 0; i < s->levels + s->lists; i++) {
    const int is_list = i >= s->levels;
    rvh_topk *tops = is_list ? &s->list[i - s->levels] : s->top[i];
    for (size_t d = 0; d < (is_list ? 1 : s->domains[i]); d++) {
      if (base != NULL) tops[d].hi = (void *)(base + used);
      used += top_bytes(tops[d].k, stride);
    }
  }
  return used;
}

rvh_status rvh_spread_new(rvh_spreading *s, const rvh_nodes *nodes, const rvh_spread *spread,
                          size_t k, size_t stride, size_t most_bytes) {
  size_t take[RVH_LEVELS_MAX + 1], domains = 0;
  *s = (rvh_spreading){.nodes = nodes, .k = k, .levels = spread->count};
  for (size_t i = 0; i < s->levels; i++) domains += s->domains[i] = spread->levels[i].domains;
  uint8_t *tables = calloc(1, domains * (sizeof(rvh_topk) + sizeof(uint32_t)) +
                                  k * sizeof *s->more + nodes->n * (sizeof *s->leaf + 1));
  s->tables = tables;
  if (tables == NULL) return RVH_NO_MEMORY;
  s->more = (rvh_candidate *)(void *)tables;
  rvh_topk *top = (rvh_topk *)(void *)(s->more + k);
  uint32_t *parent = (uint32_t *)(void *)(top + domains);
  for (size_t i = 0; i < s->levels; i++) {
    s->top[i] = top;
    s->parent[i] = parent;
    top += s->domains[i];
    parent += s->domains[i];
  }
  s->leaf = parent;
  s->seen = (uint8_t *)(s->leaf + nodes->n);
  fill_tables(s, spread, take);
  do s->list[s->lists].k = min_size(k, take[s->levels - s->lists]);
  while (s->list[s->lists++].k < k && s->lists <= s->levels);

  s->stride = give_slots(s, stride, NULL) <= most_bytes ? stride : 1;
  uint8_t *slots = malloc(give_slots(s, s->stride, NULL) + 64);
  s->slots = slots;
  if (slots == NULL) {
    rvh_spread_free(s);
    return RVH_NO_MEMORY;
  }
  give_slots(s, s->stride, slots + (64 - (uintptr_t)slots % 64));
  return RVH_OK;
}

void rvh_spread_free(rvh_spreading *s) {
  free(s->slots);
  free(s->tables);
  s->slots = s->tables = NULL;
}

/* An empty top where that one was. */
static void restart(rvh_topk *top, const rvh_topk *like) {
  void *slots = top->heap != NULL ? (void *)top->heap : (void *)top->hi;
  rvh_topk_start(top, top->k, like->lanes, like->stride, like->tie, slots);
  top->source = like->source;
}

static void restart_level(rvh_spreading *s, size_t level, const rvh_topk *like) {
  for (size_t d = 0, end; d < s->domains[level]; d = end) {
    end = min_size(d + ASKED, s->domains[level]);
    if (d > 0 && rvh_stopped(like->source->poll, ASKED)) return;
    for (size_t i = d; i < end; i++) restart(&s->top[level][i], like);
  }
}

void rvh_spread_start(rvh_spreading *s, const rvh_isa *isa, const rvh_topk *like) {
  s->take = isa != NULL ? isa->topk : rvh_topk_portable;
  s->merge = isa != NULL ? isa->topk_merge : rvh_topk_merge_portable;
  s->made = 0;
  restart_level(s, 0, like);
  for (size_t i = 0; i < s->lists; i++) restart(&s->list[i], like);
}

void rvh_spread_take(rvh_spreading *s, const uint64_t *hi, size_t first, size_t count) {
  const size_t stride = s->list[0].stride;
  for (size_t i = 0; i < count; i++) {
    rvh_topk *top = &s->top[0][s->leaf[first + i]];
    if (top->k > 0) s->take(top, hi + i * stride, first + i, 1);
  }
  if (s->lists > s->levels) s->take(&s->list[s->levels], hi, first, count);
}

/* Takes what each domain of a level has kept into `to`, or where that is NULL into the domain
 * around it. A node counts as what its way into a large heap may take. */
static void merge_level(rvh_spreading *s, size_t level, rvh_topk *to) {
  enum { WORK = 8 };
  size_t work = 0;
  for (size_t d = 0; d < s->domains[level]; d++) {
    const rvh_topk *from = &s->top[level][d];
    if (from->k == 0) continue;
    s->merge(to != NULL ? to : &s->top[level + 1][s->parent[level][d]], from);
    work += from->k;
    if (work < ASKED) continue;
    if (rvh_stopped(from->source->poll, work * WORK * from->lanes)) return;
    work = 0;
  }
}

/* The lists, once all nodes are in; not whole where the poll stops it. */
static void make_lists(rvh_spreading *s) {
  for (size_t l = 0; l < s->lists && l < s->levels; l++) {
    const size_t last = s->levels - 1 - l; /* the outermost level that the list holds to */
    for (size_t i = 0; i < last; i++) {
      restart_level(s, i + 1, &s->list[l]);
      merge_level(s, i, NULL);
    }
    merge_level(s, last, &s->list[l]);
  }
}

void rvh_spread_finish(rvh_spreading *s, size_t lane, rvh_candidate *best) {
  size_t n = s->list[0].k;
  if (!s->made) make_lists(s);
  s->made = 1;
  rvh_poll *poll = s->list[0].source->poll;
  if (poll != NULL && poll->stopped) return;
  rvh_topk_finish(&s->list[0], lane, best);
  if (n == s->k || (poll != NULL && poll->stopped)) return;
  for (size_t j = 0; j < n; j++) s->seen[best[j].position] = 1;
  for (size_t l = 1; l < s->lists; l++) {
    rvh_topk_finish(&s->list[l], lane, s->more);
    if (poll != NULL && poll->stopped) return;
    for (size_t j = 0; j < s->list[l].k && n < s->k; j++) {
      if (s->seen[s->more[j].position]) continue;
      s->seen[s->more[j].position] = 1;
      best[n++] = s->more[j];
    }
  }
  for (size_t j = 0; j < n; j++) s->seen[best[j].position] = 0;
}
