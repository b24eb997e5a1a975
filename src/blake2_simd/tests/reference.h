/* BLAKE2b written out from RFC 7693 for the tests alone: bytes in, digest out, no cleverness and
 * nothing shared with the code under test. */
#ifndef REFERENCE_H
#define REFERENCE_H

#include <stdint.h>
#include <string.h>

static const uint64_t reference_iv[8] = {
    0x6a09e667f3bcc908u, 0xbb67ae8584caa73bu, 0x3c6ef372fe94f82bu, 0xa54ff53a5f1d36f1u,
    0x510e527fade682d1u, 0x9b05688c2b3e6c1fu, 0x1f83d9abfb41bd6bu, 0x5be0cd19137e2179u};

static const uint8_t reference_sigma[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

static uint64_t reference_rotr(uint64_t x, int n) { return x >> n | x << (64 - n); }

static void reference_compress(uint64_t h[8], const uint64_t m[16], uint64_t t, uint64_t final) {
  static const int mix[8][4] = {{0, 4, 8, 12},  {1, 5, 9, 13},  {2, 6, 10, 14}, {3, 7, 11, 15},
                                {0, 5, 10, 15}, {1, 6, 11, 12}, {2, 7, 8, 13},  {3, 4, 9, 14}};
  uint64_t v[16];
  memcpy(v, h, 64);
  memcpy(v + 8, reference_iv, 64);
  v[12] ^= t;
  v[14] ^= final;
  for (int round = 0; round < 12; round++) {
    const uint8_t *s = reference_sigma[round % 10];
    for (int i = 0; i < 8; i++) {
      uint64_t *a = &v[mix[i][0]], *b = &v[mix[i][1]], *c = &v[mix[i][2]], *d = &v[mix[i][3]];
      *a = *a + *b + m[s[2 * i]];
      *d = reference_rotr(*d ^ *a, 32);
      *c = *c + *d;
      *b = reference_rotr(*b ^ *c, 24);
      *a = *a + *b + m[s[2 * i + 1]];
      *d = reference_rotr(*d ^ *a, 16);
      *c = *c + *d;
      *b = reference_rotr(*b ^ *c, 63);
    }
  }
  for (int i = 0; i < 8; i++) h[i] ^= v[i] ^ v[i + 8];
}

typedef struct {
  uint64_t h[8], t;
  uint8_t block[128];
  size_t fill;
  size_t digest_size;
} reference_state;

static void reference_block(reference_state *s, uint64_t final) {
  uint64_t m[16] = {0};
  for (int i = 0; i < 128; i++) m[i / 8] |= (uint64_t)s->block[i] << (8 * (i % 8));
  reference_compress(s->h, m, s->t, final);
}

static void reference_update(reference_state *s, const uint8_t *data, size_t size) {
  for (size_t i = 0; i < size; i++) {
    if (s->fill == 128) {
      reference_block(s, 0);
      s->fill = 0;
    }
    s->block[s->fill++] = data[i];
    s->t++;
  }
}

static void reference_init(reference_state *s, size_t digest_size, const uint8_t *key,
                           size_t key_size) {
  uint8_t block[128] = {0};
  memset(s, 0, sizeof *s);
  memcpy(s->h, reference_iv, 64);
  s->h[0] ^= 0x01010000 ^ (uint64_t)key_size << 8 ^ digest_size;
  s->digest_size = digest_size;
  if (key_size == 0) return;
  memcpy(block, key, key_size);
  reference_update(s, block, 128);
}

static inline void reference_final(reference_state *s, uint8_t *out) {
  memset(s->block + s->fill, 0, 128 - s->fill);
  reference_block(s, ~(uint64_t)0);
  for (size_t i = 0; i < s->digest_size; i++) out[i] = (uint8_t)(s->h[i / 8] >> (8 * (i % 8)));
}

#endif
