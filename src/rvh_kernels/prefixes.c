/* Rendezvous hashing whose score of a node and a key is the MurmurHash3_x86_32 of one text: the
 * node's prefix, then the key. A prefix is hashed once, as far as its whole blocks go. */

#include "hashes.h"

#include <stdlib.h>

enum {
  KEYS = 256,          /* spans at a time */
  PAIRS_PER_WORK = 8,  /* that take as long as a compression, with the rest of a short key */
  BYTES_PER_WORK = 64, /* of keys, for each node */
  GROUP_COST = 4096,   /* of nodes between two polls, in such pieces of keys: some 0.1 ms */
};

typedef struct {
  uint32_t hash;  /* of the whole blocks */
  uint32_t tail;  /* the bytes behind them, the first lowest, */
  uint32_t bytes; /* and how many: 0 to 3 */
  uint32_t size;  /* of the prefix */
} prefix;

struct rvh_prefixes {
  int low_bytes;
  size_t n;
  prefix each[];
};

static prefix hashed_prefix(blake2_simd_bytes text, uint32_t seed) {
  prefix start = {.hash = seed, .bytes = text.size % 4, .size = (uint32_t)text.size};
  for (size_t at = 0; at + 4 <= text.size; at += 4)
    start.hash = rvh_murmur3_block(start.hash, rvh_load32(text.data + at));
  start.tail = rvh_load_few32(text.data + (text.size - start.bytes), start.bytes);
  return start;
}

static uint32_t score(const prefix *start, blake2_simd_bytes key) {
  const uint32_t size = start->size + (uint32_t)key.size;
  const size_t missing = 4 - start->bytes; /* bytes of the block that the prefix has begun */
  const unsigned shift = 8 * start->bytes;
  uint32_t hash = start->hash;
  if (key.size < missing) {
    const uint32_t last = start->tail | rvh_load_few32(key.data, key.size) << shift;
    return rvh_murmur3_end(start->bytes + key.size > 0 ? hash ^ rvh_murmur3_word(last) : hash,
                           size);
  }
  const uint32_t head = key.size < 4 ? rvh_load_few32(key.data, key.size) : rvh_load32(key.data);
  hash = rvh_murmur3_block(hash, start->tail | head << shift);
  const uint8_t *p = key.data + missing;
  size_t left = key.size - missing;
  for (; left >= 4; left -= 4, p += 4) hash = rvh_murmur3_block(hash, rvh_load32(p));
  if (left > 0) hash ^= rvh_murmur3_word(rvh_load_few32(p, left));
  return rvh_murmur3_end(hash, size);
}

/* The lowest byte of each code point of UTF-8 text, and how many there are. Bytes that are not
 * UTF-8 have some answer. */
static size_t low_bytes(blake2_simd_bytes text, uint8_t *out) {
  size_t n = 0;
  for (size_t i = 0; i < text.size; i++) {
    if ((text.data[i] & 0xc0) != 0x80 || n == 0)
      out[n++] = text.data[i];
    else /* the six bits of the next byte come behind those so far */
      out[n - 1] = (uint8_t)(out[n - 1] << 6 | (text.data[i] & 0x3f));
  }
  return n;
}

/* ---- prefixes ------------------------------------------------------------------------------- */

rvh_prefixes *rvh_prefixes_new(const uint8_t *data, const uint64_t *offsets, size_t n,
                               uint32_t seed, int code_points) {
  const size_t bytes = (size_t)(offsets[n] - offsets[0]);
  rvh_prefixes *prefixes = malloc(sizeof *prefixes + n * sizeof *prefixes->each);
  uint8_t *scratch = malloc(bytes + 1);
  if (prefixes == NULL || scratch == NULL) {
    free(prefixes);
    prefixes = NULL;
  } else {
    prefixes->low_bytes = code_points;
    prefixes->n = n;
    for (size_t i = 0; i < n; i++) {
      blake2_simd_bytes text = {data + offsets[i], (size_t)(offsets[i + 1] - offsets[i])};
      if (code_points) text = (blake2_simd_bytes){scratch, low_bytes(text, scratch)};
      prefixes->each[i] = hashed_prefix(text, seed);
    }
  }
  free(scratch);
  return prefixes;
}

void rvh_prefixes_free(rvh_prefixes *prefixes) { free(prefixes); }

/* ---- the best of a key ---------------------------------------------------------------------- */

/* pairs[k]: memory for scores, each with what is more for an earlier node behind it. The poll is
 * asked between groups of nodes, since a key of megabytes takes a while for each of them. */
static rvh_status best(const rvh_prefixes *prefixes, blake2_simd_bytes key, size_t k,
                       uint64_t *pairs, intptr_t *out, rvh_poll *poll) {
  const size_t cost = 1 + key.size / BYTES_PER_WORK;
  const size_t group = cost < GROUP_COST ? GROUP_COST / cost : 1;
  size_t found = 0;
  for (size_t from = 0, to; from < prefixes->n; from = to) {
    to = prefixes->n - from < group ? prefixes->n : from + group;
    if (rvh_stopped(poll, 1 + ((to - from) * cost + k * k / 4) / PAIRS_PER_WORK))
      return RVH_STOPPED;
    for (size_t i = from; i < to; i++) {
      const uint64_t pair = (uint64_t)score(&prefixes->each[i], key) << 32 | (UINT32_MAX - i);
      if (found == k && pair < pairs[k - 1]) continue;
      size_t j = found < k ? found++ : k - 1;
      for (; j > 0 && pairs[j - 1] < pair; j--) pairs[j] = pairs[j - 1];
      pairs[j] = pair;
    }
  }
  for (size_t j = 0; j < k; j++) out[j] = (intptr_t)(UINT32_MAX - (pairs[j] & UINT32_MAX));
  return RVH_OK;
}

/* Memory for one batch. */
typedef struct {
  blake2_simd_bytes *spans;
  uint8_t *scratch, *low;
  uint64_t *pairs;
  size_t low_size;
} memory;

/* A key as it is hashed; data is NULL where there is no memory for it. */
static blake2_simd_bytes as_hashed(const rvh_prefixes *prefixes, blake2_simd_bytes key,
                                   memory *own) {
  if (!prefixes->low_bytes) return key;
  if (key.size > own->low_size) {
    free(own->low);
    own->low_size = 2 * key.size;
    own->low = malloc(own->low_size);
  }
  return (blake2_simd_bytes){own->low, own->low == NULL ? 0 : low_bytes(key, own->low)};
}

rvh_status rvh_prefixes_select(const rvh_prefixes *prefixes, const rvh_column *keys, size_t start,
                               size_t stop, size_t k, intptr_t *out, rvh_poll *poll, size_t *bad) {
  memory own = {.spans = malloc(KEYS * sizeof *own.spans),
                .scratch = malloc(rvh_column_batch_scratch(keys, KEYS) + 1),
                .low = malloc(1),
                .pairs = malloc(k * sizeof *own.pairs)};
  rvh_status status =
      own.spans == NULL || own.scratch == NULL || own.low == NULL || own.pairs == NULL
          ? RVH_NO_MEMORY
          : RVH_OK;
  for (size_t row = start, n; row < stop && status == RVH_OK; row += n) {
    size_t bytes;
    n = rvh_column_batch(keys, row, stop - row < KEYS ? stop - row : KEYS, &bytes);
    status = rvh_column_spans(keys, row, n, own.spans, own.scratch, bad);
    for (size_t i = 0; i < n && status == RVH_OK; i++, out += k) {
      const blake2_simd_bytes key = as_hashed(prefixes, own.spans[i], &own);
      status = key.data == NULL && own.spans[i].size > 0
                   ? RVH_NO_MEMORY
                   : best(prefixes, key, k, own.pairs, out, poll);
    }
  }
  free(own.pairs);
  free(own.low);
  free(own.scratch);
  free(own.spans);
  return status;
}
