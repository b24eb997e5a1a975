/* What the kernels compute, written down a second time, slowly and with nothing shared: from the
 * contract and from the papers, for the tests and the fuzzers to compare with. */
#ifndef PLAIN_H
#define PLAIN_H

#include "../rvh_kernels.h"
#include "reference.h"

#include <math.h>
#include <stdlib.h>

/* ---- keys ---------------------------------------------------------------------------------- */

/* The order of bytes, a shorter string before its continuations. */
static inline int plain_compare(blake2_simd_bytes a, blake2_simd_bytes b) {
  const size_t n = a.size < b.size ? a.size : b.size;
  const int order = n > 0 ? memcmp(a.data, b.data, n) : 0;
  return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* A number in this machine's byte order, or with `swapped` in the other. */
static inline uint64_t plain_number(const uint8_t *p, size_t size, int swapped) {
  const uint16_t one = 1;
  const int little = *(const uint8_t *)&one == 1;
  uint64_t x = 0;
  for (size_t i = 0; i < size; i++) x |= (uint64_t)p[little != swapped ? i : size - 1 - i] << 8 * i;
  return x;
}

/* UTF-8 of a code point; returns its bytes, 0 where it has none. */
static inline size_t plain_utf8(uint64_t c, uint8_t *out) {
  const size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) return 0;
  for (size_t i = size; i-- > 1; c >>= 6) out[i] = (uint8_t)(0x80 | (c & 0x3f));
  out[0] = (uint8_t)(size == 1 ? c : c | (0xf00u >> size & 0xff));
  return size;
}

/* Where the bytes of element `at` are: in place or in `out`. Returns 0 where it has none. */
static inline int plain_element(const rvh_column *c, size_t at, uint8_t *out,
                                blake2_simd_bytes *span) {
  const uint8_t *p = c->layout == RVH_OFFSETS ? NULL : c->data + (ptrdiff_t)at * c->stride;
  *span = (blake2_simd_bytes){p, c->itemsize};
  switch (c->layout) {
    case RVH_FIXED:
      return 1;
    case RVH_PADDED:
      while (span->size > 0 && p[span->size - 1] == 0) span->size--;
      return 1;
    case RVH_UCS4: {
      size_t n = c->itemsize / 4, size = 0;
      while (n > 0 && plain_number(p + 4 * (n - 1), 4, c->swapped) == 0) n--;
      for (size_t i = 0; i < n; i++) {
        const size_t more = plain_utf8(plain_number(p + 4 * i, 4, c->swapped), out + size);
        if (more == 0) return 0;
        size += more;
      }
      *span = (blake2_simd_bytes){out, size};
      return 1;
    }
    case RVH_INTEGERS: {
      uint64_t x = plain_number(p, c->itemsize, c->swapped);
      if (c->is_signed && c->itemsize < 8 && x >> (8 * c->itemsize - 1))
        x |= ~(uint64_t)0 << 8 * c->itemsize;
      for (size_t i = 0; i < 8; i++) out[i] = (uint8_t)(x >> 8 * i);
      *span = (blake2_simd_bytes){out, 8};
      return 1;
    }
    case RVH_OFFSETS: {
      const uint8_t *offset = (const uint8_t *)c->offsets + at * c->offset_size;
      const uint64_t start = plain_number(offset, c->offset_size, 0);
      const uint64_t end = plain_number(offset + c->offset_size, c->offset_size, 0);
      *span = (blake2_simd_bytes){c->data + start, (size_t)(end - start)};
      return 1;
    }
    case RVH_VIEWS: {
      const uint64_t size = plain_number(p, 4, 0), buffer = plain_number(p + 8, 4, 0);
      const uint64_t start = plain_number(p + 12, 4, 0), most = INT32_MAX;
      *span = (blake2_simd_bytes){p + 4, (size_t)size};
      if (size <= 12) return 1;
      if (size > most || start > most || buffer >= c->buffer_count) return 0;
      span->data = (const uint8_t *)(uintptr_t)c->buffers[buffer] + start;
      return start + size <= c->sizes[buffer];
    }
  }
  abort();
}

/* ---- hashes ------------------------------------------------------------------------------- */

static inline uint64_t plain_murmur64a(const uint8_t *p, size_t size, uint64_t seed) {
  const uint64_t m = 0xc6a4a7935bd1e995u;
  uint64_t h = seed ^ size * m;
  for (size_t i = 0; i < size; i += 8) {
    uint64_t k = 0;
    for (size_t b = 0; b < 8 && i + b < size; b++) k |= (uint64_t)p[i + b] << (8 * b);
    if (i + 8 <= size) {
      k *= m;
      k ^= k >> 47;
      k *= m;
    }
    h ^= k;
    h *= m;
  }
  h ^= h >> 47;
  h *= m;
  h ^= h >> 47;
  return h;
}

/* CityHash's Hash128to64. */
static inline uint64_t plain_murmur_pair(uint64_t lo, uint64_t hi) {
  const uint64_t mix = 0x9ddfea08eb382d69u;
  uint64_t a = (lo ^ hi) * mix;
  a ^= a >> 47;
  uint64_t b = (hi ^ a) * mix;
  b ^= b >> 47;
  return b * mix;
}

/* MurmurHash3_x86_32, the whole text at once. */
static inline uint32_t plain_murmur3_32(const uint8_t *text, size_t size, uint32_t seed) {
  uint32_t h = seed;
  for (size_t at = 0; at < size; at += 4) {
    uint32_t k = 0;
    for (size_t i = 0; i < 4 && at + i < size; i++) k |= (uint32_t)text[at + i] << 8 * i;
    k *= 0xcc9e2d51u;
    h ^= (k << 15 | k >> 17) * 0x1b873593u;
    if (at + 4 <= size) h = (h << 13 | h >> 19) * 5 + 0xe6546b64u;
  }
  h ^= (uint32_t)size;
  h = (h ^ h >> 16) * 0x85ebca6bu;
  h = (h ^ h >> 13) * 0xc2b2ae35u;
  return h ^ h >> 16;
}

/* ---- scores ------------------------------------------------------------------------------- */

/* What decides about a pair, the most important first. */
typedef struct {
  uint64_t word[3]; /* the bits of the weighted score (0 without weights), high word, low word */
} plain_rank;

static inline double plain_neg_log(uint64_t m) {
  int exponent;
  double x = frexp((double)m, &exponent); /* 1/2 <= x < 1 */
  if (x < 0.70710678118654757) {
    x *= 2;
    exponent--;
  }
  const double f = x - 1, k = 53 - exponent;
  const double s = f / (2 + f), z = s * s, w = z * z;
  const double even = w * (3.999999999940941908e-01 +
                           w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
  const double odd = z * (6.666666666666735130e-01 +
                          w * (2.857142874366239149e-01 +
                               w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
  const double half = 0.5 * f * f;
  const double low = s * (half + (even + odd)) - k * 1.90821492927058770002e-10;
  return k * 6.93147180369123816490e-01 + ((half - low) - f);
}

static inline uint64_t plain_weighted(rvh_scheme scheme, uint64_t score, double weight) {
  const uint64_t m =
      scheme == RVH_MURMUR ? score & (((uint64_t)1 << 53) - 1) : 2 * (score >> 12) + 1;
  const double value = m == 0 ? 0 : weight / plain_neg_log(m);
  uint64_t bits;
  memcpy(&bits, &value, 8);
  return bits;
}

/* The secret is empty where there is none, the weight NULL. */
static inline plain_rank plain_score(rvh_scheme scheme, blake2_simd_bytes secret,
                                     blake2_simd_bytes id, blake2_simd_bytes key,
                                     const double *weight) {
  uint64_t score[2] = {0, 0};
  if (scheme == RVH_MURMUR) {
    score[0] = plain_murmur_pair(plain_murmur64a(key.data, key.size, 2718281828u),
                                 plain_murmur64a(id.data, id.size, 4193360111u));
  } else {
    reference_state state;
    uint8_t digest[16];
    reference_init(&state, 16, secret.data, secret.size);
    reference_update(&state, id.data, id.size);
    reference_update(&state, key.data, key.size);
    reference_final(&state, digest);
    for (int i = 0; i < 16; i++) score[i / 8] = score[i / 8] << 8 | digest[i];
  }
  return (plain_rank){
      {weight != NULL ? plain_weighted(scheme, score[0], *weight) : 0, score[0], score[1]}};
}

/* Whether a node ranks before another: by what decides about them, then by their ids. */
static inline int plain_before(const plain_rank *a, blake2_simd_bytes id_a, const plain_rank *b,
                               blake2_simd_bytes id_b) {
  for (int w = 0; w < 3; w++)
    if (a->word[w] != b->word[w]) return a->word[w] > b->word[w];
  return plain_compare(id_a, id_b) > 0;
}

/* ---- replicas, buckets, partitions -------------------------------------------------------- */

/* The walks in plain words: a node is taken where none of its domains is full; then the same with a
 * level less, from the outermost in. Returns how many were taken. */
static inline size_t plain_walk(const size_t *ranking, size_t ranked, const rvh_spread *spread,
                                size_t k, intptr_t *chosen) {
  size_t n = 0;
  for (size_t held = spread->count + 1; held-- > 0;) {
    for (size_t i = 0; i < ranked && n < k; i++) {
      int room = 1;
      for (size_t j = 0; j < n; j++) room &= chosen[j] != (intptr_t)ranking[i];
      for (size_t level = 0; level < held; level++) {
        const uint32_t *domain = spread->levels[level].domain;
        size_t there = 0;
        for (size_t j = 0; j < n; j++) there += domain[chosen[j]] == domain[ranking[i]];
        room &= there < spread->levels[level].limit;
      }
      if (room) chosen[n++] = (intptr_t)ranking[i];
    }
  }
  return n;
}

/* Jump hash as Lamping and Veach print it. */
static inline uint64_t plain_jump(uint64_t key, uint64_t buckets) {
  int64_t b = -1, j = 0;
  while (j < (int64_t)buckets) {
    b = j;
    key = key * 2862933555777941757u + 1;
    j = (int64_t)((double)(b + 1) * ((double)((int64_t)1 << 31) / (double)((key >> 33) + 1)));
  }
  return (uint64_t)b;
}

static inline uint64_t plain_mixed(uint64_t z) {
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

/* JumpBackHash as the paper describes it, bit by bit. */
static inline uint64_t plain_jumpback(uint64_t key, uint64_t buckets) {
  uint64_t all = 1, bits;
  while (all < buckets) all *= 2;
  uint64_t v = plain_mixed(key += 0x9e3779b97f4a7c15u);
  for (bits = (v ^ v >> 32) & (all - 1); bits != 0;) {
    uint64_t q = (uint64_t)1 << 32;
    unsigned set = 0;
    while ((bits & q) == 0) q /= 2;
    for (uint64_t left = bits; left != 0; left &= left - 1) set++;
    uint64_t b = q + ((v >> 32 * (set % 2)) & (q - 1));
    while (b >= q) {
      if (b < buckets) return b;
      const uint64_t w = plain_mixed(key += 0x9e3779b97f4a7c15u);
      b = w & (2 * q - 1);
      if (b >= buckets) b = w >> 32 & (2 * q - 1);
    }
    bits ^= q;
  }
  return 0;
}

/* (hash * partitions) >> 64, bit by bit of the multiplier. */
static inline size_t plain_partition(uint64_t hash, uint64_t partitions) {
  uint64_t high = 0, low = 0;
  for (int bit = 24; bit >= 0; bit--) {
    high = high << 1 | low >> 63;
    low <<= 1;
    if (partitions >> bit & 1) {
      low += hash;
      high += low < hash;
    }
  }
  return (size_t)high;
}

#endif
