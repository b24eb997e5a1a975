/* Bounded load: the stable matching of keys and nodes with capacities.
 *
 * Keys propose to nodes in the order of their ranking; a node whose load has reached its capacity
 * keeps the keys that score highest on it (Gale and Shapley, "College admissions and the stability
 * of marriage", 1962): those above which there is still room. So its lowest key may reach over the
 * capacity, and keys of size 1 do not. The matching is unique, whatever the order of the proposals,
 * so each free key proposes at once, and a displaced key goes on where it stopped. Once a node is
 * full, its keys are a heap with the lowest on top.
 *
 * Most keys need only their first node, so every key begins with that one, and the few that need
 * more are given longer lists. */

#include "rvh_kernels_impl.h"

#include <stdlib.h>

enum { PROPOSALS_PER_WORK = 8 }; /* proposals that take as long as a compression */

/* A key's nodes, best first, then the words that ranked them; and how far it has proposed. */
typedef struct {
  const uint64_t *list;
  uint32_t count, next;
} preference_list;

typedef struct {
  uint64_t word;
  uint64_t row;
} proposal;

typedef struct {
  proposal *keys; /* once the load has reached the capacity, a heap with the lowest on top */
  size_t count, room;
  uint64_t load, capacity;
} node;

struct rvh_matching {
  size_t nodes, rows;
  node *node;
  const uint64_t *sizes; /* NULL: 1 each */
  size_t *displaced;     /* keys that have lost their node and propose next, the last first */
  size_t displaced_count, displaced_room;
  uint32_t *list_of; /* row -> index in `lists`; 0 for a key with its first node only */
  preference_list *lists;
  size_t list_count, list_room;
  intptr_t *owner;
  const rvh_isa *isa;
  const rvh_ties *ties;
  int tied;
};

void rvh_matching_free(rvh_matching *m) {
  if (m == NULL) return;
  for (size_t n = 0; m->node != NULL && n < m->nodes; n++) free(m->node[n].keys);
  free(m->node);
  free(m->list_of);
  free(m->lists);
  free(m->displaced);
  free(m);
}

rvh_matching *rvh_matching_new(const rvh_isa *isa, const uint64_t *capacity, size_t nodes,
                               const uint64_t *sizes, size_t rows, intptr_t *owner,
                               const rvh_ties *ties) {
  rvh_matching *m = calloc(1, sizeof *m);
  if (m == NULL) return NULL;
  *m = (rvh_matching){
      .nodes = nodes, .rows = rows, .sizes = sizes, .owner = owner, .isa = isa, .ties = ties};
  m->node = calloc(nodes, sizeof *m->node);
  m->list_of = calloc(rows > 0 ? rows : 1, sizeof *m->list_of);
  if (m->node == NULL || m->list_of == NULL) {
    rvh_matching_free(m);
    return NULL;
  }
  for (size_t n = 0; n < nodes; n++) m->node[n].capacity = capacity[n];
  return m;
}

int rvh_matching_tied(const rvh_matching *m) { return m->tied; }

static uint64_t size_of(const rvh_matching *m, size_t row) {
  return m->sizes != NULL ? m->sizes[row] : 1;
}

/* The rest of the rule, for equal words and different rows. */
static int higher_of_tied(rvh_matching *m, size_t n, uint64_t a, uint64_t b) {
  const rvh_ties *ties = m->ties;
  if (ties == NULL) {
    m->tied = 1;
    return a < b;
  }
  if (ties->codes[a] != ties->codes[b]) {
    const uint64_t *at = ties->offsets + ties->codes[a], *bt = ties->offsets + ties->codes[b];
    const blake2_simd_bytes key_a = {ties->data + at[0], (size_t)(at[1] - at[0])};
    const blake2_simd_bytes key_b = {ties->data + bt[0], (size_t)(bt[1] - bt[0])};
    const rvh_score score_a = rvh_score_bytes(m->isa, ties->nodes, key_a, n);
    const rvh_score score_b = rvh_score_bytes(m->isa, ties->nodes, key_b, n);
    if (score_a.hi != score_b.hi) return score_a.hi > score_b.hi;
    if (score_a.lo != score_b.lo) return score_a.lo > score_b.lo;
    const int order =
        memcmp(key_a.data, key_b.data, key_a.size < key_b.size ? key_a.size : key_b.size);
    if (order != 0) return order > 0;
    if (key_a.size != key_b.size) return key_a.size > key_b.size;
  }
  /* The same bytes: of many keys that were made to have equal hashes, some have several codes. */
  const uint64_t size_a = size_of(m, a), size_b = size_of(m, b);
  return size_a != size_b ? size_a > size_b : a < b;
}

/* Whether node n prefers a. */
static int higher(rvh_matching *m, size_t n, proposal a, proposal b) {
  if (a.word != b.word) return a.word > b.word;
  return higher_of_tied(m, n, a.row, b.row);
}

static void sift_down(rvh_matching *m, size_t n, size_t i, proposal key) {
  proposal *heap = m->node[n].keys;
  const size_t count = m->node[n].count;
  for (size_t child; (child = 2 * i + 1) < count; i = child) {
    if (child + 1 < count && higher(m, n, heap[child], heap[child + 1])) child++;
    if (!higher(m, n, key, heap[child])) break;
    heap[i] = heap[child];
  }
  heap[i] = key;
}

static void sift_up(rvh_matching *m, size_t n, size_t i, proposal key) {
  proposal *heap = m->node[n].keys;
  for (size_t parent; i > 0; i = parent) {
    parent = (i - 1) / 2;
    if (!higher(m, n, heap[parent], key)) break;
    heap[i] = heap[parent];
  }
  heap[i] = key;
}

/* Makes room for one key more. The first room is for an even share and some: memory that is never
 * written to costs nothing. */
static int grow(const rvh_matching *m, node *to) {
  if (to->count < to->room) return 1;
  const size_t most = m->sizes == NULL && to->capacity < m->rows ? to->capacity : m->rows;
  size_t room = to->room > 0 ? 2 * to->room : m->rows / m->nodes * 5 / 4 + 64;
  if (room > most) room = most;
  proposal *keys = realloc(to->keys, room * sizeof *keys);
  if (keys == NULL) return 0;
  to->keys = keys;
  to->room = room;
  return 1;
}

enum { ACCEPTED, REFUSED, NO_MEMORY };

static int displace(rvh_matching *m, size_t row) {
  if (m->displaced_count == m->displaced_room) {
    const size_t room = 2 * m->displaced_room + 64;
    size_t *moved = realloc(m->displaced, room * sizeof *moved);
    if (moved == NULL) return NO_MEMORY;
    m->displaced = moved;
    m->displaced_room = room;
  }
  m->displaced[m->displaced_count++] = row;
  return ACCEPTED;
}

/* Displaces the lowest keys of a full node while those above them fill it. */
static int settle(rvh_matching *m, size_t n) {
  node *to = &m->node[n];
  for (;;) {
    const size_t lowest = (size_t)to->keys[0].row;
    const uint64_t size = size_of(m, lowest);
    if (to->load - size < to->capacity) return ACCEPTED;
    to->load -= size;
    to->count--;
    sift_down(m, n, 0, to->keys[to->count]);
    if (displace(m, lowest) == NO_MEMORY) return NO_MEMORY;
  }
}

/* A key proposes to a full node. Keys that it displaces are put aside; where all sizes are 1 there
 * is one, and *row becomes that one, as refused. */
static int propose_to_full(rvh_matching *m, size_t *row, size_t n, proposal key) {
  node *to = &m->node[n];
  if (to->capacity == 0 || !higher(m, n, key, to->keys[0])) return REFUSED;
  const size_t lowest = (size_t)to->keys[0].row;
  m->owner[*row] = (intptr_t)n;
  if (m->sizes == NULL) {
    *row = lowest;
    sift_down(m, n, 0, key);
    return REFUSED;
  }
  to->load += m->sizes[*row];
  if (to->load - m->sizes[lowest] < to->capacity) { /* there is room for both */
    if (!grow(m, to)) return NO_MEMORY;
    to->count++;
    sift_up(m, n, to->count - 1, key);
    return ACCEPTED;
  }
  to->load -= m->sizes[lowest];
  sift_down(m, n, 0, key);
  if (displace(m, lowest) == NO_MEMORY) return NO_MEMORY;
  return settle(m, n);
}

static int become_full(rvh_matching *m, size_t n) {
  node *to = &m->node[n];
  for (size_t i = to->count / 2; i-- > 0;) sift_down(m, n, i, to->keys[i]);
  return m->sizes != NULL ? settle(m, n) : ACCEPTED;
}

/* What most keys need: a place on a node that is not full with them, without a call. */
static inline int take_in(rvh_matching *m, size_t row, size_t n, uint64_t word) {
  node *to = &m->node[n];
  const uint64_t load = to->load + size_of(m, row);
  if (load >= to->capacity || to->count == to->room) return 0;
  to->keys[to->count++] = (proposal){word, row};
  to->load = load;
  m->owner[row] = (intptr_t)n;
  return 1;
}

static int propose(rvh_matching *m, size_t *row, size_t n, uint64_t word) {
  node *to = &m->node[n];
  const proposal key = {word, *row};
  if (to->load >= to->capacity) return propose_to_full(m, row, n, key);
  if (to->count == to->room && !grow(m, to)) return NO_MEMORY;
  to->keys[to->count++] = key;
  to->load += size_of(m, *row);
  m->owner[*row] = (intptr_t)n;
  return to->load < to->capacity ? ACCEPTED : become_full(m, n);
}

/* A refused key, and each that it displaces, goes on through its list. REFUSED: *row is one that
 * has come to the end of its list. */
static int propose_on(rvh_matching *m, size_t *row, size_t *proposals) {
  for (;;) {
    if (m->list_of[*row] == 0) return REFUSED;
    preference_list *own = &m->lists[m->list_of[*row]];
    if (own->next == own->count) return REFUSED;
    const size_t at = own->next++;
    const int answer = propose(m, row, (size_t)own->list[at], own->list[own->count + at]);
    ++*proposals;
    if (answer != REFUSED) return answer;
  }
}

static int set_list(rvh_matching *m, size_t row, const uint64_t *list, size_t k) {
  if (m->list_of[row] == 0) {
    if (m->list_count + 1 >= m->list_room) {
      const size_t room = 2 * m->list_room + 1024;
      preference_list *moved = realloc(m->lists, room * sizeof *moved);
      if (moved == NULL) return 0;
      m->lists = moved;
      m->list_room = room;
    }
    m->list_of[row] = (uint32_t)++m->list_count;
    m->lists[m->list_count].next = 1; /* the first node has refused it */
  }
  preference_list *own = &m->lists[m->list_of[row]];
  own->list = list;
  own->count = (uint32_t)k;
  return 1;
}

rvh_status rvh_matching_offer(rvh_matching *m, const int64_t *rows, size_t count, size_t k,
                              const uint64_t *lists, int64_t *free_rows, size_t *free_count,
                              rvh_poll *poll) {
  size_t pending = 0;
  *free_count = 0;
  for (size_t i = 0; rows != NULL && i < count; i++)
    if (!set_list(m, (size_t)rows[i], lists + 2 * k * i, k)) return RVH_NO_MEMORY;
  for (size_t i = 0; i < count; i++, pending++) {
    size_t row = rows != NULL ? (size_t)rows[i] : i;
    int answer = REFUSED;
    if (rows == NULL) {
      const size_t n = (size_t)lists[2 * i];
      const uint64_t word = lists[2 * i + 1];
      answer = take_in(m, row, n, word) ? ACCEPTED : propose(m, &row, n, word);
    }
    if (answer == REFUSED) answer = propose_on(m, &row, &pending);
    while (m->displaced_count > 0 && answer != NO_MEMORY) {
      if (answer == REFUSED) free_rows[(*free_count)++] = (int64_t)row;
      row = m->displaced[--m->displaced_count];
      answer = propose_on(m, &row, &pending);
    }
    if (answer == NO_MEMORY) return RVH_NO_MEMORY;
    if (m->tied && m->ties == NULL) return RVH_OK; /* the caller begins again, with ties */
    if (answer == REFUSED) free_rows[(*free_count)++] = (int64_t)row;
    if (pending >= 1024) {
      if (rvh_stopped(poll, pending / PROPOSALS_PER_WORK)) return RVH_STOPPED;
      pending = 0;
    }
  }
  return RVH_OK;
}
