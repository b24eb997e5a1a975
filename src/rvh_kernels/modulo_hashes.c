/* The hashes of systems that take a hash modulo a number of slots: Kafka's, Redis Cluster's, and
 * those of libmemcached (its libhashkit) and twemproxy, which read bytes as char. That is signed on
 * x86: there the bytes of some hashes enter with their sign. */

#include "hashes.h"

/* ---- MurmurHash2 -------------------------------------------------------------------------- */

/* By Austin Appleby (https://github.com/aappleby/smhasher); its blocks are little-endian on every
 * machine. */
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
  if (left > 0) h = (h ^ rvh_load_few32(p, left)) * m;
  h = (h ^ h >> 13) * m;
  return h ^ h >> 15;
}

uint64_t rvh_murmur2_32(blake2_simd_bytes key) { return murmur2(key, 0x9747b28cu); }

uint64_t rvh_hashkit_murmur(blake2_simd_bytes key) {
  return murmur2(key, 0xdeadbeefu * (uint32_t)key.size);
}

/* ---- CRC ---------------------------------------------------------------------------------- */

/* CRC-16/XMODEM of a byte, which is that of its low four bits xor that of its high ones: a table
 * for eight would be 512 bytes. */
static const uint16_t crc16_low[16] = {0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5,
                                       0x60c6, 0x70e7, 0x8108, 0x9129, 0xa14a, 0xb16b,
                                       0xc18c, 0xd1ad, 0xe1ce, 0xf1ef};
static const uint16_t crc16_high[16] = {0x0000, 0x1231, 0x2462, 0x3653, 0x48c4, 0x5af5,
                                        0x6ca6, 0x7e97, 0x9188, 0x83b9, 0xb5ea, 0xa7db,
                                        0xd94c, 0xcb7d, 0xfd2e, 0xef1f};

/* twemproxy's, of which all 32 bits count: what a CRC-16 shifts out stays in the upper half. */
uint64_t rvh_nutcracker_crc16(blake2_simd_bytes key) {
  uint32_t crc = 0;
  for (size_t i = 0; i < key.size; i++) {
    const uint8_t byte = (uint8_t)(crc >> 8 ^ key.data[i]);
    crc = crc << 8 ^ crc16_low[byte & 15] ^ crc16_high[byte >> 4];
  }
  return crc;
}

uint64_t rvh_crc16(blake2_simd_bytes key) { return rvh_nutcracker_crc16(key) & 0xffff; }

uint64_t rvh_hashkit_crc32(blake2_simd_bytes key) { return rvh_crc32(key) >> 16 & 0x7fff; }

/* python-memcached's before 1.60. */
uint64_t rvh_hashkit_crc32_or_1(blake2_simd_bytes key) {
  const uint64_t h = rvh_hashkit_crc32(key);
  return h == 0 ? 1 : h;
}

/* ---- FNV ---------------------------------------------------------------------------------- */

/* http://www.isthe.com/chongo/tech/comp/fnv/ */
#define FNV_32_INIT 0x811c9dc5u
#define FNV_32_PRIME 0x01000193u
/* The low halves of the constants of 64 bits: more is not seen in the low half of a product. */
#define FNV_64_INIT_LOW 0x84222325u
#define FNV_64_PRIME_LOW 0x000001b3u

uint64_t rvh_fnv1a_32(blake2_simd_bytes key) {
  uint32_t h = FNV_32_INIT;
  for (size_t i = 0; i < key.size; i++) h = (h ^ key.data[i]) * FNV_32_PRIME;
  return h;
}

static uint32_t fnv1_with_sign(blake2_simd_bytes key, uint32_t h, uint32_t prime) {
  for (size_t i = 0; i < key.size; i++) h = h * prime ^ rvh_with_sign(key.data[i]);
  return h;
}

static uint32_t fnv1a_with_sign(blake2_simd_bytes key, uint32_t h, uint32_t prime) {
  for (size_t i = 0; i < key.size; i++) h = (h ^ rvh_with_sign(key.data[i])) * prime;
  return h;
}

uint64_t rvh_hashkit_fnv1_32(blake2_simd_bytes key) {
  return fnv1_with_sign(key, FNV_32_INIT, FNV_32_PRIME);
}

uint64_t rvh_hashkit_fnv1a_32(blake2_simd_bytes key) {
  return fnv1a_with_sign(key, FNV_32_INIT, FNV_32_PRIME);
}

uint64_t rvh_hashkit_fnv1_64(blake2_simd_bytes key) {
  return fnv1_with_sign(key, FNV_64_INIT_LOW, FNV_64_PRIME_LOW);
}

uint64_t rvh_hashkit_fnv1a_64(blake2_simd_bytes key) {
  return fnv1a_with_sign(key, FNV_64_INIT_LOW, FNV_64_PRIME_LOW);
}

/* ---- Hsieh's SuperFastHash ---------------------------------------------------------------- */

static uint32_t load16(const uint8_t *p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8; }

/* http://www.azillionmonkeys.com/qed/hash.html, but from 0, and with a last byte that is the third
 * behind the blocks with its sign and one that is the first without. */
uint64_t rvh_hashkit_hsieh(blake2_simd_bytes key) {
  const uint8_t *p = key.data;
  size_t left = key.size;
  uint32_t h = 0;
  for (; left >= 4; left -= 4, p += 4) {
    h += load16(p);
    h = h << 16 ^ load16(p + 2) << 11 ^ h;
    h += h >> 11;
  }
  if (left == 3) {
    h += load16(p);
    h ^= h << 16;
    h ^= rvh_with_sign(p[2]) << 18;
    h += h >> 11;
  } else if (left == 2) {
    h += load16(p);
    h ^= h << 11;
    h += h >> 17;
  } else if (left == 1) {
    h += p[0];
    h ^= h << 10;
    h += h >> 1;
  }
  h ^= h << 3;
  h += h >> 5;
  h ^= h << 4;
  h += h >> 17;
  h ^= h << 25;
  return (uint32_t)(h + (h >> 6));
}

/* ---- Jenkins's lookup3 -------------------------------------------------------------------- */

/* hashlittle() of http://burtleburtle.net/bob/c/lookup3.c with 13 for the first value. */
uint64_t rvh_hashkit_jenkins(blake2_simd_bytes key) {
  static const uint8_t turns[6] = {4, 6, 8, 16, 19, 4};
  static const uint8_t last_turns[7] = {14, 11, 25, 16, 4, 14, 24};
  const uint8_t *p = key.data;
  size_t left = key.size;
  uint32_t s[3]; /* a, b, c */
  s[0] = s[1] = s[2] = 0xdeadbeefu + (uint32_t)key.size + 13u;
  for (; left > 12; left -= 12, p += 12) {
    for (size_t i = 0; i < 3; i++) s[i] += rvh_load32(p + 4 * i);
    for (size_t i = 0; i < 6; i++) {
      uint32_t *x = s + i % 3, *y = s + (i + 1) % 3, *z = s + (i + 2) % 3;
      *x = (*x - *z) ^ rvh_rotl32(*z, turns[i]);
      *z += *y;
    }
  }
  if (left == 0) return s[2];
  for (size_t i = 0; 4 * i < left; i++)
    s[i] += left - 4 * i >= 4 ? rvh_load32(p + 4 * i) : rvh_load_few32(p + 4 * i, left - 4 * i);
  for (size_t i = 0; i < 7; i++) {
    uint32_t *x = s + (i + 2) % 3;
    const uint32_t y = s[(i + 1) % 3];
    *x = (*x ^ y) - rvh_rotl32(y, last_turns[i]);
  }
  return s[2];
}
