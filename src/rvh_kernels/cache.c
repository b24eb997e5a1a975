/* A memo of selections: least recently used (LRU), or adaptive replacement (ARC; N. Megiddo and D.
 * Modha, "ARC: a self-tuning, low overhead replacement cache", FAST 2003, figure 4).
 *
 * Entries are in a hash table by their keys' bytes, and in a list in order of their last use. LRU
 * has one list, RECENT; ARC has RECENT (T1 in the paper) and FREQUENT (T2), and ghosts of keys that
 * left them, GONE_RECENT (B1) and GONE_FREQUENT (B2), which hold no answer.
 *
 * The policy depends on keys alone, so a batch goes through it first, and then all missing keys are
 * scored together: an entry may wait for its answer. */

#include "rvh_kernels_impl.h"

#include <stdlib.h>

#if defined(_MSC_VER)
#include <intrin.h>
#endif

enum {
  BATCH = 256,         /* keys looked up in one hold of the lock */
  KEYS_PER_WORK = 2,   /* that take as long as a compression */
  BYTES_PER_WORK = 64, /* of keys, hashed and compared as fast */
  ENTRY_BYTES = 96,    /* the size an entry counts as, without its key and nodes */
  NODE_BYTES = 4,
  FIRST_SLOTS = 64,
};

enum { RECENT, FREQUENT, GONE_RECENT, GONE_FREQUENT, LISTS };

typedef struct entry entry;
struct entry {
  uint64_t hash;
  entry *newer, *older;
  size_t size;   /* of the key */
  uint32_t room; /* nodes there is room for: the largest k asked for */
  uint32_t k;    /* nodes known; 0 while the entry waits for its answer */
  uint8_t list;
  uint32_t data[]; /* [room] nodes, then the key */
};

typedef struct {
  entry *newest, *oldest;
  size_t count;
} list;

struct rvh_cache {
  int lock, arc;
  size_t max_entries, max_bytes, bytes;
  double target; /* of RECENT: p in the paper */
  uint64_t seed[3];
  list lists[LISTS];
  entry **slots; /* linear probing; at most half full */
  size_t mask;
  uint64_t hits, misses, evictions, epoch;
};

/* ---- the lock ----------------------------------------------------------------------------- */

/* Held for a few hundred lookups at most, and never while Python code could run. */
static void lock(rvh_cache *c) {
#if defined(_MSC_VER)
  while (_InterlockedExchange((volatile long *)&c->lock, 1)) YieldProcessor();
#else
  while (__atomic_exchange_n(&c->lock, 1, __ATOMIC_ACQUIRE))
    while (__atomic_load_n(&c->lock, __ATOMIC_RELAXED)) {
    }
#endif
}

static void unlock(rvh_cache *c) {
#if defined(_MSC_VER)
  _InterlockedExchange((volatile long *)&c->lock, 0);
#else
  __atomic_store_n(&c->lock, 0, __ATOMIC_RELEASE);
#endif
}

/* ---- the table ---------------------------------------------------------------------------- */

/* The halves of the product, XORed. */
static uint64_t folded(uint64_t a, uint64_t b) {
#if defined(__SIZEOF_INT128__)
  __extension__ typedef unsigned __int128 wide; /* for -Wpedantic */
  const wide product = (wide)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
  const uint64_t a0 = a & 0xffffffff, a1 = a >> 32, b0 = b & 0xffffffff, b1 = b >> 32;
  const uint64_t low = a0 * b0, mid = a1 * b0 + (low >> 32), mid2 = a0 * b1 + (mid & 0xffffffff);
  return a * b ^ (a1 * b1 + (mid >> 32) + (mid2 >> 32));
#endif
}

/* Keyed with secret numbers, so that nobody can choose keys that collide: 16 bytes at a time by a
 * folded product, as wyhash does (Wang Yi, https://github.com/wangyi-fudan/wyhash). */
static inline uint64_t hash_of(const rvh_cache *c, blake2_simd_bytes key) {
  const uint8_t *p = key.data;
  size_t left = key.size;
  uint64_t h = c->seed[0], a = 0, b = 0;
  for (; left > 16; left -= 16, p += 16)
    h = folded(blake2_simd_load64(p) ^ c->seed[1], blake2_simd_load64(p + 8) ^ h);
  if (left >= 8) {
    a = blake2_simd_load64(p);
    b = blake2_simd_load64(p + left - 8);
  } else {
    for (size_t i = 0; i < left; i++) a |= (uint64_t)p[i] << (8 * i);
  }
  h = folded(a ^ c->seed[1], b ^ h);
  return folded(h ^ key.size, c->seed[2]);
}

static const uint8_t *key_of(const entry *e) { return (const uint8_t *)(e->data + e->room); }

/* Whether an entry has that key; short keys, as nearly all are, without a call. */
static inline int same_key(const entry *e, uint64_t hash, blake2_simd_bytes key) {
  if (e->hash != hash || e->size != key.size) return 0;
  const uint8_t *a = key_of(e), *b = key.data;
  if (key.size < 8 || key.size > 32) return memcmp(a, b, key.size) == 0;
  const size_t last = key.size - 8; /* the pieces overlap */
  uint64_t differ = blake2_simd_load64(a + last) ^ blake2_simd_load64(b + last);
  for (size_t i = 0; i < last; i += 8)
    differ |= blake2_simd_load64(a + i) ^ blake2_simd_load64(b + i);
  return differ == 0;
}

/* The slot of a key, or the empty one where it would be. */
static inline entry **find(const rvh_cache *c, uint64_t hash, blake2_simd_bytes key) {
  size_t at = (size_t)hash & c->mask;
  for (;; at = (at + 1) & c->mask) {
    entry *e = c->slots[at];
    if (e == NULL) break;
    if (same_key(e, hash, key)) break;
  }
  return &c->slots[at];
}

static entry **slot_of(const rvh_cache *c, const entry *e) {
  size_t at = (size_t)e->hash & c->mask;
  while (c->slots[at] != e) at = (at + 1) & c->mask;
  return &c->slots[at];
}

/* Empties a slot, and moves entries after it closer to home where they can. */
static void vacate(rvh_cache *c, entry **slot) {
  size_t hole = (size_t)(slot - c->slots);
  for (size_t at = hole;;) {
    at = (at + 1) & c->mask;
    entry *e = c->slots[at];
    if (e == NULL) break;
    const size_t from_home = (at - (size_t)e->hash) & c->mask, from_hole = (at - hole) & c->mask;
    if (from_home < from_hole) continue;
    c->slots[hole] = e;
    hole = at;
  }
  c->slots[hole] = NULL;
}

/* Makes room for one entry more; 0 when memory runs out. */
static int make_room(rvh_cache *c) {
  size_t count = 1;
  for (int l = 0; l < LISTS; l++) count += c->lists[l].count;
  if (2 * count <= c->mask + 1) return 1;
  const size_t size = 2 * (c->mask + 1);
  entry **slots = calloc(size, sizeof *slots), **old = c->slots;
  if (slots == NULL) return 0;
  const size_t old_size = c->mask + 1;
  c->slots = slots;
  c->mask = size - 1;
  for (size_t i = 0; i < old_size; i++) {
    if (old[i] == NULL) continue;
    size_t at = (size_t)old[i]->hash & c->mask;
    while (slots[at] != NULL) at = (at + 1) & c->mask;
    slots[at] = old[i];
  }
  free(old);
  return 1;
}

/* ---- lists -------------------------------------------------------------------------------- */

static size_t bytes_of(const entry *e) {
  return ENTRY_BYTES + NODE_BYTES * (size_t)e->room + e->size;
}

static void leave(rvh_cache *c, entry *e) {
  list *l = &c->lists[e->list];
  *(e->newer != NULL ? &e->newer->older : &l->newest) = e->older;
  *(e->older != NULL ? &e->older->newer : &l->oldest) = e->newer;
  l->count--;
}

static void enter(rvh_cache *c, entry *e, int which) {
  list *l = &c->lists[which];
  e->list = (uint8_t)which;
  e->newer = NULL;
  e->older = l->newest;
  *(l->newest != NULL ? &l->newest->newer : &l->oldest) = e;
  l->newest = e;
  l->count++;
}

static void drop(rvh_cache *c, entry *e) {
  leave(c, e);
  vacate(c, slot_of(c, e));
  c->bytes -= bytes_of(e);
  free(e);
}

/* The same entry with room for another number of nodes, of which it keeps what it knows; NULL when
 * memory runs out, with the entry as it was. */
static entry *resized(rvh_cache *c, entry *e, uint32_t room) {
  if (room == e->room) return e;
  entry **slot = slot_of(c, e);
  entry *fresh = malloc(sizeof *e + room * sizeof *e->data + e->size);
  if (fresh == NULL) return NULL;
  *fresh = *e;
  fresh->room = room;
  fresh->k = e->k < room ? e->k : room;
  memcpy(fresh->data, e->data, fresh->k * sizeof *e->data);
  memcpy((uint8_t *)(fresh->data + room), key_of(e), e->size);
  list *l = &c->lists[e->list];
  *(e->newer != NULL ? &e->newer->older : &l->newest) = fresh;
  *(e->older != NULL ? &e->older->newer : &l->oldest) = fresh;
  *slot = fresh;
  c->bytes = c->bytes - bytes_of(e) + bytes_of(fresh);
  free(e);
  return fresh;
}

/* ---- policies ----------------------------------------------------------------------------- */

/* Drops an entry's answer; ARC remembers its key. */
static void demote(rvh_cache *c, entry *e) {
  c->evictions++;
  if (!c->arc) {
    drop(c, e);
    return;
  }
  entry *ghost = resized(c, e, 0);
  if (ghost == NULL) {
    drop(c, e);
    return;
  }
  const int to = ghost->list == RECENT ? GONE_RECENT : GONE_FREQUENT;
  leave(c, ghost);
  enter(c, ghost, to);
}

/* REPLACE in the paper. */
static void replace(rvh_cache *c, int from_gone_frequent) {
  const size_t recent = c->lists[RECENT].count;
  const double count = (double)recent;
  if (recent > 0 && (count > c->target || (from_gone_frequent && count == c->target)))
    demote(c, c->lists[RECENT].oldest);
  else if (c->lists[FREQUENT].count > 0)
    demote(c, c->lists[FREQUENT].oldest);
  else if (recent > 0) /* only where max_bytes keeps lists shorter than the paper's */
    demote(c, c->lists[RECENT].oldest);
}

static size_t kept(const rvh_cache *c) { return c->lists[RECENT].count + c->lists[FREQUENT].count; }

/* Case IV: makes room for a key that is in no list. */
static void make_way(rvh_cache *c) {
  list *l = c->lists;
  if (!c->arc) {
    if (l[RECENT].count == c->max_entries) demote(c, l[RECENT].oldest);
    return;
  }
  const size_t first = l[RECENT].count + l[GONE_RECENT].count;
  const size_t all = first + l[FREQUENT].count + l[GONE_FREQUENT].count;
  if (first == c->max_entries) {
    if (l[RECENT].count < c->max_entries) {
      drop(c, l[GONE_RECENT].oldest);
      if (kept(c) >= c->max_entries) replace(c, 0);
    } else {
      c->evictions++;
      drop(c, l[RECENT].oldest);
    }
  } else if (all >= c->max_entries) {
    if (all == 2 * c->max_entries) drop(c, l[GONE_FREQUENT].oldest);
    if (kept(c) >= c->max_entries) replace(c, 0);
  }
}

static entry *oldest_but(const list *l, const entry *spared) {
  return l->oldest == spared && spared != NULL ? spared->newer : l->oldest;
}

/* Shrinks to max_bytes: ghosts go first, then entries as for a new key; `spared` stays. */
static void shrink(rvh_cache *c, const entry *spared) {
  list *l = c->lists;
  while (c->bytes > c->max_bytes) {
    if (l[GONE_RECENT].count + l[GONE_FREQUENT].count > 0) {
      const int first = l[GONE_RECENT].count >= l[GONE_FREQUENT].count;
      drop(c, l[first ? GONE_RECENT : GONE_FREQUENT].oldest);
      continue;
    }
    entry *recent = oldest_but(&l[RECENT], spared), *frequent = oldest_but(&l[FREQUENT], spared);
    const int first = (double)l[RECENT].count > c->target || frequent == NULL;
    entry *e = recent != NULL && first ? recent : frequent;
    if (e == NULL) return;
    c->evictions++;
    drop(c, e);
  }
}

/* A request that is a miss, by the policy: the entry that waits for the answer, or NULL where the
 * key gets none (too large, no memory). e: the key's entry so far, or NULL. */
static entry *missed(rvh_cache *c, blake2_simd_bytes key, uint64_t hash, entry *e, uint32_t k) {
  c->misses++;
  if (ENTRY_BYTES + NODE_BYTES * (size_t)k + key.size > c->max_bytes) return NULL;
  if (e != NULL && e->list <= FREQUENT) { /* a longer answer is asked for */
    e = resized(c, e, k);
    if (e != NULL) shrink(c, e);
    return e;
  }
  if (e != NULL) { /* a ghost: cases II and III */
    const int frequent = e->list == GONE_FREQUENT;
    const double one = (double)c->lists[GONE_RECENT].count,
                 two = (double)c->lists[GONE_FREQUENT].count;
    if (frequent) {
      c->target -= one > two ? one / two : 1;
      if (c->target < 0) c->target = 0;
    } else {
      c->target += two > one ? two / one : 1;
      if (c->target > (double)c->max_entries) c->target = (double)c->max_entries;
    }
    leave(c, e); /* so that replace() does not drop it */
    if (kept(c) >= c->max_entries) replace(c, frequent);
    enter(c, e, FREQUENT);
    e = resized(c, e, k);
  } else {
    make_way(c);
    if (!make_room(c)) return NULL;
    e = malloc(sizeof *e + k * sizeof *e->data + key.size);
    if (e == NULL) return NULL;
    e->hash = hash;
    e->size = key.size;
    e->room = k;
    memcpy((uint8_t *)(e->data + k), key.data, key.size);
    enter(c, e, RECENT);
    *find(c, hash, key) = e;
    c->bytes += bytes_of(e);
  }
  if (e == NULL) return NULL;
  e->k = 0;
  shrink(c, e);
  return e;
}

/* A request, by the policy: the key's entry, which may wait for its answer, or NULL. A hit needs no
 * call. */
static inline const entry *request(rvh_cache *c, uint64_t epoch, blake2_simd_bytes key,
                                   uint32_t k) {
  if (c->epoch != epoch) { /* the answers are of other nodes than the caller's */
    c->misses++;
    return NULL;
  }
  const uint64_t hash = hash_of(c, key);
  entry *e = *find(c, hash, key);
  if (e == NULL || e->list > FREQUENT) return missed(c, key, hash, e, k);
  const int to = c->arc ? FREQUENT : RECENT;
  if (c->lists[to].newest != e) {
    leave(c, e);
    enter(c, e, to);
  }
  if (e->room < k) return missed(c, key, hash, e, k);
  c->hits++;
  return e;
}

/* ---- the calls ---------------------------------------------------------------------------- */

rvh_cache *rvh_cache_new(size_t max_entries, size_t max_bytes, int arc, const uint64_t seed[3]) {
  rvh_cache *c = calloc(1, sizeof *c);
  if (c == NULL) return NULL;
  c->max_entries = max_entries;
  c->max_bytes = max_bytes;
  c->arc = arc;
  c->mask = FIRST_SLOTS - 1;
  c->slots = calloc(FIRST_SLOTS, sizeof *c->slots);
  memcpy(c->seed, seed, sizeof c->seed);
  if (c->slots != NULL) return c;
  free(c);
  return NULL;
}

static void empty(rvh_cache *c) {
  for (int l = 0; l < LISTS; l++)
    while (c->lists[l].oldest != NULL) {
      entry *e = c->lists[l].oldest;
      leave(c, e);
      free(e);
    }
  memset(c->slots, 0, (c->mask + 1) * sizeof *c->slots);
  c->bytes = 0;
  c->target = 0;
}

void rvh_cache_free(rvh_cache *c) {
  if (c == NULL) return;
  empty(c);
  free(c->slots);
  free(c);
}

uint64_t rvh_cache_clear(rvh_cache *c) {
  lock(c);
  empty(c);
  const uint64_t epoch = ++c->epoch;
  unlock(c);
  return epoch;
}

int rvh_cache_get_one(rvh_cache *c, uint64_t epoch, blake2_simd_bytes key, size_t k, int alone,
                      intptr_t *out) {
  if (!alone) lock(c);
  const entry *e = request(c, epoch, key, (uint32_t)k);
  const int known = e != NULL && e->k >= k;
  for (size_t j = 0; known && j < k; j++) out[j] = (intptr_t)e->data[j];
  if (!alone) unlock(c);
  return known;
}

/* Puts an answer into the entry that waits for it, if it is still there. */
static void put(rvh_cache *c, blake2_simd_bytes key, const intptr_t *chosen, size_t k) {
  entry *e = *find(c, hash_of(c, key), key);
  if (e == NULL || e->list > FREQUENT || e->room < k || e->k >= k) return;
  for (size_t j = 0; j < k; j++) e->data[j] = (uint32_t)chosen[j];
  e->k = (uint32_t)k;
}

void rvh_cache_put_one(rvh_cache *c, uint64_t epoch, blake2_simd_bytes key, size_t k,
                       const intptr_t *chosen) {
  lock(c);
  if (c->epoch == epoch) put(c, key, chosen, k);
  unlock(c);
}

/* Gets or puts rows of a column, batch by batch under the lock. */
static rvh_status over_rows(rvh_cache *c, const rvh_column *keys, size_t start, size_t stop,
                            size_t k, intptr_t *out, int64_t *missing, size_t *missing_count,
                            const intptr_t *chosen, uint64_t epoch, rvh_poll *poll, size_t *bad) {
  blake2_simd_bytes spans[BATCH];
  rvh_status status = RVH_OK;
  uint8_t *scratch = malloc(rvh_column_batch_scratch(keys, BATCH) + 1);
  if (scratch == NULL) return RVH_NO_MEMORY;
  for (size_t row = start, n; row < stop && status == RVH_OK; row += n) {
    size_t bytes;
    n = rvh_column_batch(keys, row, stop - row < BATCH ? stop - row : BATCH, &bytes);
    if (rvh_stopped(poll, n / KEYS_PER_WORK + bytes / BYTES_PER_WORK + 1)) status = RVH_STOPPED;
    if (status == RVH_OK) status = rvh_column_spans(keys, row, n, spans, scratch, bad);
    if (status != RVH_OK) break;
    lock(c);
    for (size_t i = 0; i < n; i++) {
      const size_t at = (row + i - start) * k;
      if (chosen != NULL) {
        if (c->epoch == epoch) put(c, spans[i], chosen + at, k);
        continue;
      }
      const entry *e = request(c, epoch, spans[i], (uint32_t)k);
      if (e == NULL || e->k < k)
        missing[(*missing_count)++] = (int64_t)(row + i - start);
      else
        for (size_t j = 0; j < k; j++) out[at + j] = (intptr_t)e->data[j];
    }
    unlock(c);
  }
  free(scratch);
  return status;
}

rvh_status rvh_cache_get(rvh_cache *c, uint64_t epoch, const rvh_column *keys, size_t start,
                         size_t stop, size_t k, intptr_t *out, int64_t *missing,
                         size_t *missing_count, rvh_poll *poll, size_t *bad) {
  *missing_count = 0;
  return over_rows(c, keys, start, stop, k, out, missing, missing_count, NULL, epoch, poll, bad);
}

rvh_status rvh_cache_put(rvh_cache *c, uint64_t epoch, const rvh_column *keys, size_t start,
                         size_t stop, size_t k, const intptr_t *chosen, rvh_poll *poll,
                         size_t *bad) {
  return over_rows(c, keys, start, stop, k, NULL, NULL, NULL, chosen, epoch, poll, bad);
}

void rvh_cache_figures(rvh_cache *c, rvh_cache_info *info) {
  lock(c);
  *info = (rvh_cache_info){.hits = c->hits,
                           .misses = c->misses,
                           .evictions = c->evictions,
                           .entries = kept(c),
                           .ghosts = c->lists[GONE_RECENT].count + c->lists[GONE_FREQUENT].count,
                           .bytes = c->bytes,
                           .target = c->target};
  unlock(c);
}
