/* The hashes that points are made with (points.c), one key at a time. */
#ifndef RVH_HASHES_H
#define RVH_HASHES_H

#include "rvh_kernels_impl.h"

static inline uint32_t rvh_load32(const uint8_t *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Bytes, fewer than 4, the first lowest. */
static inline uint32_t rvh_load_few32(const uint8_t *p, size_t n) {
  uint32_t word = 0;
  while (n-- > 0) word = word << 8 | p[n];
  return word;
}

/* n: 1 to 31. */
static inline uint32_t rvh_rotl32(uint32_t x, unsigned n) { return x << n | x >> (32 - n); }

/* A byte as the signed char of C on x86, or Java's byte: a cast would warn. */
static inline uint32_t rvh_with_sign(uint8_t byte) { return (byte ^ 0x80u) - 0x80u; }

/* MurmurHash3_x86_32 by Austin Appleby (https://github.com/aappleby/smhasher), in its steps. */
static inline uint32_t rvh_murmur3_word(uint32_t k) {
  return rvh_rotl32(k * 0xcc9e2d51u, 15) * 0x1b873593u;
}
static inline uint32_t rvh_murmur3_block(uint32_t h, uint32_t k) {
  return rvh_rotl32(h ^ rvh_murmur3_word(k), 13) * 5 + 0xe6546b64u;
}
static inline uint32_t rvh_murmur3_end(uint32_t h, uint32_t size) {
  h ^= size;
  h = (h ^ h >> 16) * 0x85ebca6bu;
  h = (h ^ h >> 13) * 0xc2b2ae35u;
  return h ^ h >> 16;
}

/* The digest as two words, little-endian. */
void rvh_md5_one(blake2_simd_bytes key, uint64_t digest[2]);
/* CRC-32 of ISO-HDLC, as zlib's. */
uint64_t rvh_crc32(blake2_simd_bytes key);
/* The first half of MurmurHash3_x64_128 with seed 0, as Cassandra computes it. */
uint64_t rvh_murmur3(blake2_simd_bytes key);
/* Jenkins's one_at_a_time, whose bytes enter with their sign, as libmemcached's. */
uint64_t rvh_one_at_a_time(blake2_simd_bytes key);
/* XXH64 with seed 0. */
uint64_t rvh_xxh64(blake2_simd_bytes key);
/* XXH64 with seed 1. */
uint64_t rvh_xxh64_1(blake2_simd_bytes key);

/* modulo_hashes.c */

/* MurmurHash2 of 32 bits with the seed 0x9747b28c, as Kafka's. */
uint64_t rvh_murmur2_32(blake2_simd_bytes key);
/* CRC-16/XMODEM, as Redis Cluster's. */
uint64_t rvh_crc16(blake2_simd_bytes key);
/* FNV-1a, as librdkafka's. */
uint64_t rvh_fnv1a_32(blake2_simd_bytes key);
/* libmemcached's and twemproxy's, by their names; 15 bits of the CRC-32. */
uint64_t rvh_hashkit_crc32(blake2_simd_bytes key);
uint64_t rvh_hashkit_crc32_or_1(blake2_simd_bytes key);
uint64_t rvh_hashkit_fnv1_32(blake2_simd_bytes key);
uint64_t rvh_hashkit_fnv1a_32(blake2_simd_bytes key);
uint64_t rvh_hashkit_fnv1_64(blake2_simd_bytes key);
uint64_t rvh_hashkit_fnv1a_64(blake2_simd_bytes key);
uint64_t rvh_hashkit_hsieh(blake2_simd_bytes key);
uint64_t rvh_hashkit_jenkins(blake2_simd_bytes key);
uint64_t rvh_hashkit_murmur(blake2_simd_bytes key);
uint64_t rvh_nutcracker_crc16(blake2_simd_bytes key);

/* farmhash.c: FarmHash's Fingerprint64 */
uint64_t rvh_farm_fingerprint64(blake2_simd_bytes key);

/* haproxy_hashes.c: the four functions of its hash-type (the fourth is rvh_crc32), and the same
 * with `avalanche` */
uint64_t rvh_sdbm(blake2_simd_bytes key);
uint64_t rvh_djb2(blake2_simd_bytes key);
uint64_t rvh_wt6(blake2_simd_bytes key);
uint64_t rvh_sdbm_avalanche(blake2_simd_bytes key);
uint64_t rvh_djb2_avalanche(blake2_simd_bytes key);
uint64_t rvh_wt6_avalanche(blake2_simd_bytes key);
uint64_t rvh_crc32_avalanche(blake2_simd_bytes key);

#endif
