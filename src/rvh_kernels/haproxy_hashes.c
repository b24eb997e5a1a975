/* The hashes of HAProxy's `hash-type`: https://docs.haproxy.org, "hash-type". */

#include "hashes.h"

static uint32_t rotl32(uint32_t x, uint32_t n) { return n == 0 ? x : x << n | x >> (32 - n); }

/* sdbm: from the database library of that name. */
static uint32_t sdbm(blake2_simd_bytes key) {
  uint32_t h = 0;
  for (size_t i = 0; i < key.size; i++) h = key.data[i] + (h << 6) + (h << 16) - h;
  return h;
}

/* djb2: Daniel J. Bernstein's, times 33. */
static uint32_t djb2(blake2_simd_bytes key) {
  uint32_t h = 5381;
  for (size_t i = 0; i < key.size; i++) h = h * 33 + key.data[i];
  return h;
}

/* wt6: Willy Tarreau's, whose rotations follow from the state. */
static uint32_t wt6(blake2_simd_bytes key) {
  uint32_t a = 0xa53c965au, b = 0x5ca6953au, left_a = 18, left_b = 6;
  for (size_t i = 0; i < key.size; i++) {
    a = ~(a ^ key.data[i]);
    b = ~(b + key.data[i]);
    const uint32_t next = rotl32(b, left_b);
    b = rotl32(a, left_a);
    a = next;
    const uint32_t steps = a >> 16 ^ b;
    left_b = steps & 31;
    left_a = steps >> 11 & 31;
  }
  return a ^ b;
}

/* Bob Jenkins's hash of an integer (http://burtleburtle.net/bob/hash/integer.html), times a prime.
 */
static uint32_t avalanche(uint32_t h) {
  h = h + 0x7ed55d16u + (h << 12);
  h = h ^ 0xc761c23cu ^ h >> 19;
  h = h + 0x165667b1u + (h << 5);
  h = (h + 0xd3a2646cu) ^ h << 9;
  h = h + 0xfd7046c5u + (h << 3);
  h = h ^ 0xb55a4f09u ^ h >> 16;
  return h * 3221225473u;
}

uint64_t rvh_sdbm(blake2_simd_bytes key) { return sdbm(key); }
uint64_t rvh_djb2(blake2_simd_bytes key) { return djb2(key); }
uint64_t rvh_wt6(blake2_simd_bytes key) { return wt6(key); }
uint64_t rvh_sdbm_avalanche(blake2_simd_bytes key) { return avalanche(sdbm(key)); }
uint64_t rvh_djb2_avalanche(blake2_simd_bytes key) { return avalanche(djb2(key)); }
uint64_t rvh_wt6_avalanche(blake2_simd_bytes key) { return avalanche(wt6(key)); }
uint64_t rvh_crc32_avalanche(blake2_simd_bytes key) { return avalanche((uint32_t)rvh_crc32(key)); }
