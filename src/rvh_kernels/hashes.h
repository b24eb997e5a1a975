/* The hashes that points are made with (points.c), one key at a time. */
#ifndef RVH_HASHES_H
#define RVH_HASHES_H

#include "rvh_kernels_impl.h"

static inline uint32_t rvh_load32(const uint8_t *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The first 8 bytes of the digest, little-endian. */
uint64_t rvh_md5_one(blake2_simd_bytes key);
/* CRC-32 of ISO-HDLC, as zlib's. */
uint32_t rvh_crc32(blake2_simd_bytes key);
/* The first half of MurmurHash3_x64_128 with seed 0, as Cassandra computes it. */
uint64_t rvh_murmur3(blake2_simd_bytes key);
/* Jenkins's one_at_a_time, whose bytes enter with their sign, as libmemcached's. */
uint32_t rvh_one_at_a_time(blake2_simd_bytes key);
/* XXH64 with seed 0. */
uint64_t rvh_xxh64(blake2_simd_bytes key);

#endif
