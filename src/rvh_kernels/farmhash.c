/* FarmHash's Fingerprint64, by Geoff Pike: https://github.com/google/farmhash (farmhashna). It
 * never changes; BigQuery has it as FARM_FINGERPRINT. */

#include "hashes.h"

#define K0 0xc3a5c85c97cb3127u
#define K1 0xb492b66fbe98f273u
#define K2 0x9ae16a3b2f90404fu

static uint64_t rotr64(uint64_t x, unsigned n) { return x >> n | x << (64 - n); }

static uint64_t shift_mix(uint64_t x) { return x ^ x >> 47; }

static uint64_t at(const uint8_t *p, size_t offset) { return blake2_simd_load64(p + offset); }

static uint64_t pair(uint64_t u, uint64_t v, uint64_t mul) {
  const uint64_t a = shift_mix((u ^ v) * mul);
  return shift_mix((v ^ a) * mul) * mul;
}

static uint64_t up_to_16(const uint8_t *p, size_t size) {
  const uint64_t mul = K2 + size * 2;
  if (size >= 8) {
    const uint64_t a = at(p, 0) + K2, b = at(p, size - 8);
    return pair(rotr64(b, 37) * mul + a, (rotr64(a, 25) + b) * mul, mul);
  }
  if (size >= 4) return pair(size + ((uint64_t)rvh_load32(p) << 3), rvh_load32(p + size - 4), mul);
  if (size == 0) return K2;
  const uint64_t y = p[0] + ((uint64_t)p[size / 2] << 8), z = size + ((uint64_t)p[size - 1] << 2);
  return shift_mix(y * K2 ^ z * K0) * K2;
}

static uint64_t up_to_32(const uint8_t *p, size_t size) {
  const uint64_t mul = K2 + size * 2;
  const uint64_t a = at(p, 0) * K1, b = at(p, 8);
  const uint64_t c = at(p, size - 8) * mul, d = at(p, size - 16) * K2;
  return pair(rotr64(a + b, 43) + rotr64(c, 30) + d, a + rotr64(b + K2, 18) + c, mul);
}

static uint64_t up_to_64(const uint8_t *p, size_t size) {
  const uint64_t mul = K2 + size * 2;
  const uint64_t a = at(p, 0) * K2, b = at(p, 8);
  const uint64_t c = at(p, size - 8) * mul, d = at(p, size - 16) * K2;
  const uint64_t y = rotr64(a + b, 43) + rotr64(c, 30) + d;
  const uint64_t z = pair(y, a + rotr64(b + K2, 18) + c, mul);
  const uint64_t e = at(p, 16) * mul, f = at(p, 24);
  const uint64_t g = (y + at(p, size - 32)) * mul, h = (z + at(p, size - 24)) * mul;
  return pair(rotr64(e + f, 43) + rotr64(g, 30) + h, e + rotr64(f + a, 18) + g, mul);
}

/* What is kept from one block of 64 bytes to the next. */
typedef struct {
  uint64_t x, y, z, v[2], w[2];
} state;

static void half_block(const uint8_t *p, uint64_t a, uint64_t b, uint64_t out[2]) {
  a += at(p, 0);
  b = rotr64(b + a + at(p, 24), 21);
  const uint64_t c = a;
  a += at(p, 8) + at(p, 16);
  out[0] = a + at(p, 24);
  out[1] = b + rotr64(a, 44) + c;
}

/* `more` is 1, or 9 for the last block. */
static void block(state *s, const uint8_t *p, uint64_t mul, uint64_t more) {
  const uint64_t x = rotr64(s->x + s->y + s->v[0] + at(p, 8), 37) * mul ^ s->w[1] * more;
  const uint64_t y = rotr64(s->y + s->v[1] + at(p, 48), 42) * mul + s->v[0] * more + at(p, 40);
  const uint64_t z = rotr64(s->z + s->w[0], 33) * mul;
  const uint64_t w1 = s->w[1];
  half_block(p, s->v[1] * mul, x + s->w[0], s->v);
  half_block(p + 32, z + w1, y + at(p, 16), s->w);
  s->x = z;
  s->y = y;
  s->z = x;
}

uint64_t rvh_farm_fingerprint64(blake2_simd_bytes key) {
  const uint64_t seed = 81;
  const uint8_t *p = key.data;
  if (key.size <= 16) return up_to_16(p, key.size);
  if (key.size <= 32) return up_to_32(p, key.size);
  if (key.size <= 64) return up_to_64(p, key.size);
  const size_t whole = (key.size - 1) / 64 * 64, left = key.size - whole; /* 1 to 64 are left */
  state s = {.x = seed * K2 + at(p, 0), .y = seed * K1 + 113};
  s.z = shift_mix(s.y * K2 + 113) * K2;
  for (size_t offset = 0; offset < whole; offset += 64) block(&s, p + offset, K1, 1);
  const uint64_t mul = K1 + ((s.z & 0xff) << 1);
  s.w[0] += left - 1;
  s.v[0] += s.w[0];
  s.w[0] += s.v[0];
  block(&s, p + key.size - 64, mul, 9);
  return pair(pair(s.v[0], s.w[0], mul) + shift_mix(s.y) * K0 + s.z,
              pair(s.v[1], s.w[1], mul) + s.x, mul);
}
