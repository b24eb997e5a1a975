/* The hashes of other systems' rings: MD5 (RFC 1321), CRC-32 (ISO-HDLC), one_at_a_time as
 * libmemcached has it, MurmurHash3 as Apache Cassandra has it, XXH64. */

#include "hashes.h"

static uint64_t rotl64(uint64_t x, unsigned n) { return x << n | x >> (64 - n); }

/* ---- MD5 ---------------------------------------------------------------------------------- */

/* floor(2^32 * |sin(i + 1)|), RFC 1321, 3.4. */
const uint32_t rvh_md5_sine[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

static void md5_block(uint32_t h[4], const uint8_t *block) {
  static const uint8_t shift[4][4] = {
      {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
  static const uint8_t first[4] = {0, 1, 5, 0}, step[4] = {1, 5, 3, 7};
  uint32_t a = h[0], b = h[1], c = h[2], d = h[3];
  for (unsigned i = 0; i < 64; i++) {
    const unsigned round = i / 16;
    const uint32_t mixed = round == 0   ? (b & c) | (~b & d)
                           : round == 1 ? (d & b) | (~d & c)
                           : round == 2 ? b ^ c ^ d
                                        : c ^ (b | ~d);
    const uint32_t word = rvh_load32(block + 4 * ((first[round] + step[round] * i) % 16));
    const uint32_t sum = a + mixed + word + rvh_md5_sine[i];
    a = d;
    d = c;
    c = b;
    b += rvh_rotl32(sum, shift[round][i % 4]);
  }
  h[0] += a;
  h[1] += b;
  h[2] += c;
  h[3] += d;
}

void rvh_md5_one(blake2_simd_bytes key, uint64_t digest[2]) {
  uint32_t h[4] = {0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u};
  uint8_t last[128] = {0};
  const size_t whole = key.size / 64 * 64, left = key.size - whole;
  const size_t size = left < 56 ? 64 : 128;
  for (size_t at = 0; at < whole; at += 64) md5_block(h, key.data + at);
  if (left > 0) memcpy(last, key.data + whole, left);
  last[left] = 0x80;
  for (size_t i = 0; i < 8; i++) last[size - 8 + i] = (uint8_t)((uint64_t)key.size * 8 >> (8 * i));
  md5_block(h, last);
  if (size == 128) md5_block(h, last + 64);
  digest[0] = h[0] | (uint64_t)h[1] << 32;
  digest[1] = h[2] | (uint64_t)h[3] << 32;
}

/* ---- CRC-32 ------------------------------------------------------------------------------- */

/* Four bits at a time, from a table of 16 words: one for eight bits would be 1 KiB. */
static const uint32_t crc_nibble[16] = {
    0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};

uint64_t rvh_crc32(blake2_simd_bytes key) {
  uint32_t crc = 0xffffffff;
  for (size_t i = 0; i < key.size; i++) {
    crc ^= key.data[i];
    crc = crc >> 4 ^ crc_nibble[crc & 15];
    crc = crc >> 4 ^ crc_nibble[crc & 15];
  }
  return crc ^ 0xffffffff;
}

/* ---- one_at_a_time ------------------------------------------------------------------------ */

/* By Bob Jenkins (http://burtleburtle.net/bob/hash/doobs.html), but bytes enter with their sign, as
 * in libhashkit, which reads them as char, where char is signed, as on x86. */
uint64_t rvh_one_at_a_time(blake2_simd_bytes key) {
  uint32_t h = 0;
  for (size_t i = 0; i < key.size; i++) {
    h += (key.data[i] ^ 0x80u) - 0x80u; /* extends the sign; a cast would warn */
    h += h << 10;
    h ^= h >> 6;
  }
  h += h << 3;
  h ^= h >> 11;
  return (uint32_t)(h + (h << 15));
}

/* ---- MurmurHash3 -------------------------------------------------------------------------- */

static uint64_t fmix64(uint64_t k) {
  k = (k ^ k >> 33) * 0xff51afd7ed558ccdu;
  k = (k ^ k >> 33) * 0xc4ceb9fe1a85ec53u;
  return k ^ k >> 33;
}

/* MurmurHash3_x64_128 by Austin Appleby (https://github.com/aappleby/smhasher), but bytes of the
 * last block enter with their sign, as in org.apache.cassandra.utils.MurmurHash. */
uint64_t rvh_murmur3(blake2_simd_bytes key) {
  const uint64_t c1 = 0x87c37b91114253d5u, c2 = 0x4cf5ad432745937fu;
  uint64_t h1 = 0, h2 = 0, k1 = 0, k2 = 0;
  const size_t whole = key.size / 16 * 16, left = key.size - whole;
  const uint8_t *tail = key.data + whole;
  for (size_t at = 0; at < whole; at += 16) {
    k1 = blake2_simd_load64(key.data + at);
    k2 = blake2_simd_load64(key.data + at + 8);
    h1 ^= rotl64(k1 * c1, 31) * c2;
    h1 = (rotl64(h1, 27) + h2) * 5 + 0x52dce729;
    h2 ^= rotl64(k2 * c2, 33) * c1;
    h2 = (rotl64(h2, 31) + h1) * 5 + 0x38495ab5;
  }
  k1 = k2 = 0;
  for (size_t i = left; i-- > 0;) {
    const uint64_t with_sign = (uint64_t)(int64_t)(int8_t)tail[i];
    if (i >= 8)
      k2 ^= with_sign << (8 * (i - 8));
    else
      k1 ^= with_sign << (8 * i);
  }
  if (left > 8) h2 ^= rotl64(k2 * c2, 33) * c1;
  if (left > 0) h1 ^= rotl64(k1 * c1, 31) * c2;
  h1 ^= key.size;
  h2 ^= key.size;
  h1 += h2;
  h2 += h1;
  h1 = fmix64(h1);
  h2 = fmix64(h2);
  return h1 + h2;
}

/* ---- XXH64 -------------------------------------------------------------------------------- */

/* By Yann Collet: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md */
#define P1 0x9e3779b185ebca87u
#define P2 0xc2b2ae3d27d4eb4fu
#define P3 0x165667b19e3779f9u
#define P4 0x85ebca77c2b2ae63u
#define P5 0x27d4eb2f165667c5u

static uint64_t xxh_round(uint64_t sum, uint64_t input) {
  return rotl64(sum + input * P2, 31) * P1;
}

static uint64_t xxh_merge(uint64_t h, uint64_t sum) { return (h ^ xxh_round(0, sum)) * P1 + P4; }

static uint64_t xxh64(blake2_simd_bytes key, uint64_t seed) {
  const uint8_t *p = key.data;
  size_t left = key.size;
  uint64_t h = seed + P5;
  if (left >= 32) {
    uint64_t a = seed + P1 + P2, b = seed + P2, c = seed, d = seed - P1;
    for (; left >= 32; left -= 32, p += 32) {
      a = xxh_round(a, blake2_simd_load64(p));
      b = xxh_round(b, blake2_simd_load64(p + 8));
      c = xxh_round(c, blake2_simd_load64(p + 16));
      d = xxh_round(d, blake2_simd_load64(p + 24));
    }
    h = rotl64(a, 1) + rotl64(b, 7) + rotl64(c, 12) + rotl64(d, 18);
    h = xxh_merge(xxh_merge(xxh_merge(xxh_merge(h, a), b), c), d);
  }
  h += key.size;
  for (; left >= 8; left -= 8, p += 8)
    h = rotl64(h ^ xxh_round(0, blake2_simd_load64(p)), 27) * P1 + P4;
  if (left >= 4) {
    h = rotl64(h ^ rvh_load32(p) * P1, 23) * P2 + P3;
    left -= 4;
    p += 4;
  }
  for (; left > 0; left--, p++) h = rotl64(h ^ *p * P5, 11) * P1;
  h = (h ^ h >> 33) * P2;
  h = (h ^ h >> 29) * P3;
  return h ^ h >> 32;
}

uint64_t rvh_xxh64(blake2_simd_bytes key) { return xxh64(key, 0); }
uint64_t rvh_xxh64_1(blake2_simd_bytes key) { return xxh64(key, 1); }
