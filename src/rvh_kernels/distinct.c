/* Repeated keys: each key's number in order of first appearance, and the bytes of the distinct
 * keys.
 *
 * Keys are equal if their bytes are; the hash only says where to look. It is not secret, and keys
 * of equal hashes can be made, so only a few slots are searched: a key that is in none of them,
 * when none is free, counts as one more distinct key. That saves less work and changes no answer,
 * and no keys make a row cost more than PROBES comparisons. */

#include "murmur.h"

#include <stdlib.h>

enum {
  BATCH = 1024,             /* rows whose spans are looked up together, or fewer */
  BYTES_PER_WORK = 64,      /* read, hashed and compared in less time than a compression */
  AHEAD = 16,               /* rows between prefetching a key's bytes and comparing them */
  FIRST_BITS = 13,          /* slots of the first table, 64 KiB, */
  MAX_BITS = 31,            /* and of the last */
  GROWTH_BITS = 2,          /* so a table is an eighth to a half full */
  SLOTS_PER_POLL = 1 << 16, /* moved */
  /* slots that are searched: with a table half full, one key in 2^32 finds them all in use */
  PROBES = 32,
};

#if defined(__GNUC__)
#define PREFETCH(address) __builtin_prefetch(address)
#else
#define PREFETCH(address) ((void)(address))
#endif

void rvh_distinct_free(rvh_distinct *d) {
  free(d->bytes.data);
  free(d->offsets.data);
  free(d->slots);
  memset(d, 0, sizeof *d);
}

/* ---- the table ---------------------------------------------------------------------------- */

/* A slot is 0, or 32 bits of the hash above the key's number + 1. The highest bits say where a key
 * is searched first, so a table grows without its keys, and both tables are gone through in order.
 */

static size_t home(uint32_t tag, unsigned bits) { return tag >> (32 - bits); }

/* The slot after a step; steps are 1, 2, 3, ... long, so that no long runs form. */
static size_t next(size_t at, size_t step, unsigned bits) {
  return (at + step) & (((size_t)1 << bits) - 1);
}

/* Makes room for n keys more in a table at most half full. */
static rvh_status make_room(rvh_distinct *d, size_t n, rvh_poll *poll) {
  const size_t size = d->slots == NULL ? 0 : (size_t)1 << d->bits;
  unsigned bits = d->slots == NULL ? FIRST_BITS : d->bits;
  while (((size_t)1 << bits) / 2 < d->used + n && bits < MAX_BITS)
    bits = bits + GROWTH_BITS < MAX_BITS ? bits + GROWTH_BITS : MAX_BITS;
  if (size == (size_t)1 << bits) return RVH_OK;
  uint64_t *slots = calloc((size_t)1 << bits, sizeof *slots);
  if (slots == NULL) return RVH_NO_MEMORY;
  size_t used = 0;
  for (size_t i = 0; i < size; i++) {
    if (i % SLOTS_PER_POLL == 0 && rvh_stopped(poll, SLOTS_PER_POLL / 4)) {
      free(slots);
      return RVH_STOPPED;
    }
    if (d->slots[i] == 0) continue;
    size_t at = home((uint32_t)(d->slots[i] >> 32), bits), step = 0;
    while (step < PROBES && slots[at] != 0) at = next(at, ++step, bits);
    if (step == PROBES) continue; /* forgotten: its next row counts as a new key */
    slots[at] = d->slots[i];
    used++;
  }
  free(d->slots);
  d->slots = slots;
  d->bits = bits;
  d->used = used;
  return RVH_OK;
}

static const uint64_t *offsets_of(const rvh_distinct *d) {
  return (const uint64_t *)(const void *)d->offsets.data;
}

static int same(const rvh_distinct *d, uint32_t code, blake2_simd_bytes key) {
  const uint64_t *offset = offsets_of(d) + code;
  return offset[1] - offset[0] == key.size &&
         (key.size == 0 || memcmp(d->bytes.data + offset[0], key.data, key.size) == 0);
}

/* The number of a key; d->count for a new one, and in *free_at its slot, or SIZE_MAX. */
static uint32_t find(const rvh_distinct *d, uint32_t tag, blake2_simd_bytes key, size_t *free_at) {
  size_t at = home(tag, d->bits);
  *free_at = SIZE_MAX;
  for (size_t step = 0; step < PROBES; at = next(at, ++step, d->bits)) {
    const uint64_t slot = d->slots[at];
    if (slot == 0) {
      *free_at = at;
      return (uint32_t)d->count;
    }
    const uint32_t code = (uint32_t)slot - 1;
    if (slot >> 32 == tag && same(d, code, key)) return code;
  }
  return (uint32_t)d->count;
}

/* ---- batches ------------------------------------------------------------------------------ */

/* Prefetches what find() will read of the key in a row's first slot. */
static void fetch_key(const rvh_distinct *d, uint32_t tag) {
  const uint64_t slot = d->slots[home(tag, d->bits)];
  if (slot >> 32 == tag) PREFETCH(offsets_of(d) + ((uint32_t)slot - 1));
}

static rvh_status one_batch(rvh_distinct *d, const blake2_simd_bytes *spans, size_t n,
                            uint32_t *codes) {
  uint32_t tags[BATCH];
  for (size_t i = 0; i < n; i++) {
    tags[i] = (uint32_t)(rvh_murmur64a(spans[i], RVH_MURMUR_KEY_SEED) >> 32);
    PREFETCH(&d->slots[home(tags[i], d->bits)]);
  }
  /* Room for the ends of n keys more, so that prefetching one stays inside. */
  const size_t end = (d->count + n + 1) * sizeof(uint64_t);
  rvh_status status = rvh_reserve(&d->offsets, end, 0);
  if (status != RVH_OK) return status;
  uint64_t *offsets = (uint64_t *)(void *)d->offsets.data;
  if (d->count == 0) offsets[0] = 0;
  for (size_t i = 0; i < n; i++) {
    if (i + AHEAD < n) fetch_key(d, tags[i + AHEAD]);
    size_t at;
    codes[i] = find(d, tags[i], spans[i], &at);
    if (codes[i] < d->count) continue;
    const size_t size = spans[i].size, before = d->bytes.size;
    status = rvh_reserve(&d->bytes, before + size, 0);
    if (status != RVH_OK) return status;
    if (size > 0) memcpy(d->bytes.data + before, spans[i].data, size);
    d->bytes.size = before + size;
    offsets[++d->count] = d->bytes.size;
    d->offsets.size = (d->count + 1) * sizeof *offsets;
    if (at == SIZE_MAX) continue;
    d->slots[at] = (uint64_t)tags[i] << 32 | d->count;
    d->used++;
  }
  return RVH_OK;
}

/* ---- the call ----------------------------------------------------------------------------- */

rvh_status rvh_distinct_add(rvh_distinct *d, const rvh_column *column, size_t first, size_t n,
                            uint32_t *codes, rvh_poll *poll, size_t *bad) {
  rvh_status status = RVH_OK;
  blake2_simd_bytes *spans = malloc(BATCH * sizeof *spans);
  uint8_t *scratch = malloc(rvh_column_batch_scratch(column, BATCH) + 1);
  if (spans == NULL || scratch == NULL) status = RVH_NO_MEMORY;
  for (size_t done = 0, rows; done < n && status == RVH_OK; done += rows) {
    size_t bytes;
    rows = rvh_column_batch(column, first + done, n - done < BATCH ? n - done : BATCH, &bytes);
    if (rvh_stopped(poll, rows + bytes / BYTES_PER_WORK))
      status = RVH_STOPPED;
    else
      status = make_room(d, rows, poll);
    if (status != RVH_OK) break;
    status = rvh_column_spans(column, first + done, rows, spans, scratch, bad);
    if (status == RVH_OK) status = one_batch(d, spans, rows, codes + done);
  }
  free(scratch);
  free(spans);
  return status;
}
