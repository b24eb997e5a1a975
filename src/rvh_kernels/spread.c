/* Replicas spread over failure domains.
 *
 * The rule: walk the ranking and choose a node while each of its domains has fewer than its limit.
 * Domains are nested, so nothing needs to walk: a domain's nodes in the answer are its best ones,
 * as many as it may have. From the innermost level out, each domain keeps the best of those that
 * the domains in it have kept, and the answer is the best of what the outermost ones keep. (Nested
 * limits are a laminar matroid, so the greedy choice can be made domain by domain. It finds the
 * same number of nodes for every key.)
 *
 * Where these are fewer than k, each further list leaves out one more level, from the outermost in.
 * It is made in the same way, and the nodes of the lists before it are skipped. */

#include "spread.h"

#include <stdlib.h>

enum { DOMAINS_PER_POLL = 1 << 10 };

/* Which domains the positions are in, and how many nodes each domain may have; available[i]: how
 * many nodes the limits of levels 0 to i - 1 leave. */
static void fill_tables(rvh_spreading *s, const rvh_spread *spread, size_t *available) {
  const rvh_nodes *nodes = s->nodes;
  for (size_t p = 0; p < nodes->n; p++) {
    const uint32_t index = nodes->order[p];
    s->leaf[p] = spread->levels[0].domain[index];
    s->top[0][s->leaf[p]].k++;
    for (size_t i = 0; i + 1 < s->levels; i++)
      s->parent[i][spread->levels[i].domain[index]] = spread->levels[i + 1].domain[index];
  }
  available[0] = nodes->n;
  for (size_t i = 0; i < s->levels; i++) {
    const size_t limit = min_size(spread->levels[i].limit, s->k);
    available[i + 1] = 0;
    for (size_t d = 0; d < s->domains[i]; d++) {
      rvh_topk *top = &s->top[i][d];
      top->k = min_size(top->k, limit);
      available[i + 1] += top->k;
      if (top->k > 0 && i + 1 < s->levels) s->top[i + 1][s->parent[i][d]].k += top->k;
    }
  }
}

static size_t top_bytes(size_t k, size_t stride) {
  return (rvh_topk_bytes(k, stride) + 63) / 64 * 64;
}

/* Gives each top its piece of `base`; with NULL, only returns the bytes they need. */
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
                          size_t k, size_t stride, size_t max_bytes) {
  size_t available[RVH_LEVELS_MAX + 1], domains = 0;
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
  fill_tables(s, spread, available);
  do s->list[s->lists].k = min_size(k, available[s->levels - s->lists]);
  while (s->list[s->lists++].k < k && s->lists <= s->levels);

  s->stride = give_slots(s, stride, NULL) <= max_bytes ? stride : 1;
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

/* Empties a top; its memory stays. */
static void restart(rvh_topk *top, const rvh_topk *like) {
  void *slots = top->heap != NULL ? (void *)top->heap : (void *)top->hi;
  rvh_topk_start(top, top->k, like->lanes, like->stride, like->tie, slots);
  top->source = like->source;
}

static void restart_level(rvh_spreading *s, size_t level, const rvh_topk *like) {
  for (size_t d = 0, end; d < s->domains[level]; d = end) {
    end = min_size(d + DOMAINS_PER_POLL, s->domains[level]);
    if (d > 0 && rvh_stopped(like->source->poll, DOMAINS_PER_POLL)) return;
    for (size_t i = d; i < end; i++) restart(&s->top[level][i], like);
  }
}

void rvh_spread_start(rvh_spreading *s, const rvh_isa *isa, const rvh_topk *like) {
  s->add = isa != NULL ? isa->topk : rvh_topk_portable;
  s->merge = isa != NULL ? isa->topk_merge : rvh_topk_merge_portable;
  s->listed = 0;
  restart_level(s, 0, like);
  for (size_t i = 0; i < s->lists; i++) restart(&s->list[i], like);
}

void rvh_spread_add(rvh_spreading *s, const uint64_t *hi, size_t first, size_t count) {
  const size_t stride = s->list[0].stride;
  for (size_t i = 0; i < count; i++) {
    rvh_topk *top = &s->top[0][s->leaf[first + i]];
    if (top->k > 0) s->add(top, hi + i * stride, first + i, 1);
  }
  if (s->lists > s->levels) s->add(&s->list[s->levels], hi, first, count);
}

/* Merges what each domain of a level has kept into `to`, or with NULL into the domain around it. A
 * node counts as the work of finding its place in a large heap. */
static void merge_level(rvh_spreading *s, size_t level, rvh_topk *to) {
  enum { WORK = 8 };
  size_t work = 0;
  for (size_t d = 0; d < s->domains[level]; d++) {
    const rvh_topk *from = &s->top[level][d];
    if (from->k == 0) continue;
    s->merge(to != NULL ? to : &s->top[level + 1][s->parent[level][d]], from);
    work += from->k;
    if (work < DOMAINS_PER_POLL) continue;
    if (rvh_stopped(from->source->poll, work * WORK * from->lanes)) return;
    work = 0;
  }
}

/* Makes the lists, after the last node; incomplete where the poll stops it. */
static void make_lists(rvh_spreading *s) {
  for (size_t l = 0; l < s->lists && l < s->levels; l++) {
    const size_t last = s->levels - 1 - l; /* the outermost level whose limits the list keeps */
    for (size_t i = 0; i < last; i++) {
      restart_level(s, i + 1, &s->list[l]);
      merge_level(s, i, NULL);
    }
    merge_level(s, last, &s->list[l]);
  }
}

void rvh_spread_finish(rvh_spreading *s, size_t lane, rvh_candidate *best) {
  size_t n = s->list[0].k;
  if (!s->listed) make_lists(s);
  s->listed = 1;
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
