/* The scheme `murmur`: a key and a node are hashed once, and each pair of hashes is mixed. */
#ifndef RVH_MURMUR_H
#define RVH_MURMUR_H

#include "rvh_kernels_impl.h"

/* mcrouter's RendezvousHash: https://github.com/facebook/mcrouter */
#define RVH_MURMUR_KEY_SEED 2718281828u
#define RVH_MURMUR_NODE_SEED 4193360111u

/* CityHash's Hash128to64: https://github.com/google/cityhash */
#define RVH_MIX 0x9ddfea08eb382d69u

/* MurmurHash64A by Austin Appleby: https://github.com/aappleby/smhasher */
#define RVH_MURMUR_M 0xc6a4a7935bd1e995u

static inline uint64_t rvh_murmur64a(blake2_simd_bytes bytes, uint64_t seed) {
  const uint64_t m = RVH_MURMUR_M;
  const uint8_t *p = bytes.data;
  const size_t tail = bytes.size % 8;
  uint64_t h = seed ^ bytes.size * m;
  for (size_t left = bytes.size / 8; left > 0; left--, p += 8) {
    uint64_t k = blake2_simd_load64(p) * m;
    k = (k ^ k >> 47) * m;
    h = (h ^ k) * m;
  }
  if (tail > 0) {
    uint64_t last = 0;
    if (bytes.size >= 8) /* one load that ends where the bytes end */
      last = blake2_simd_load64(p + tail - 8) >> (64 - 8 * tail);
    else
      for (size_t i = tail; i-- > 0;) last = last << 8 | p[i];
    h = (h ^ last) * m;
  }
  h = (h ^ h >> 47) * m;
  return h ^ h >> 47;
}

/* Hash128to64 with the key's hash as the low half and the node's as the high one. */
static inline uint64_t rvh_murmur_pair(uint64_t key, uint64_t node) {
  uint64_t a = (key ^ node) * RVH_MIX;
  a ^= a >> 47;
  uint64_t b = (node ^ a) * RVH_MIX;
  b ^= b >> 47;
  return b * RVH_MIX;
}

#endif
