/* The hashes of systems that take a hash modulo a number of slots. */

#include "hashes.h"

/* MurmurHash2 by Austin Appleby (https://github.com/aappleby/smhasher), whose blocks are
 * little-endian on every machine. */
static uint32_t murmur2(blake2_simd_bytes key, uint32_t seed) {
  const uint32_t m = 0x5bd1e995u;
  const uint8_t *p = key.data;
  size_t left = key.size;
  uint32_t h = seed ^ (uint32_t)key.size;
  for (; left >= 4; left -= 4, p += 4) {
    uint32_t k = rvh_load32(p) * m;
    k = (k ^ k >> 24) * m;
    h = h * m ^ k;
  }
  if (left > 0) {
    uint32_t last = 0;
    while (left-- > 0) last = last << 8 | p[left];
    h = (h ^ last) * m;
  }
  h = (h ^ h >> 13) * m;
  return h ^ h >> 15;
}

uint64_t rvh_murmur2_32(blake2_simd_bytes key) { return murmur2(key, 0x9747b28cu); }
