/* MurmurHash64A of keys of one size, a key in each lane. */

#include "murmur.h"

/* Words are copied into columns first. */
void NAME(murmur_hashes)(const uint8_t *p, ptrdiff_t stride, size_t size, size_t n,
                         uint64_t *hashes) {
  BLAKE2_SIMD_ALIGNED(64) uint64_t words[RVH_HASHED_SIZE_MAX / 8][RVH_HASHED], last[RVH_HASHED];
  const size_t whole = size / 8, tail = size % 8;
  const V m = V_SET1(RVH_MURMUR_M);
  for (size_t i = 0; i < n; i++, p += stride) {
    for (size_t w = 0; w < whole; w++) words[w][i] = blake2_simd_load64(p + 8 * w);
    last[i] = blake2_simd_load64(p + size - 8); /* within the key */
  }
  for (size_t i = n; i % V_LANES != 0; i++) {
    for (size_t w = 0; w < whole; w++) words[w][i] = 0;
    last[i] = 0;
  }
  for (size_t i = 0; i < n; i += V_LANES) {
    V h = V_SET1(RVH_MURMUR_KEY_SEED ^ size * RVH_MURMUR_M);
    for (size_t w = 0; w < whole; w++) {
      V k = V_MUL(V_LOAD(words[w] + i), m);
      k = V_MUL(V_XOR(k, V_SRL(k, 47)), m);
      h = V_MUL(V_XOR(h, k), m);
    }
    if (tail > 0) h = V_MUL(V_XOR(h, V_SHR(V_LOAD(last + i), 64 - 8 * tail)), m);
    h = V_MUL(V_XOR(h, V_SRL(h, 47)), m);
    V_STORE(last + i, V_XOR(h, V_SRL(h, 47)));
  }
  memcpy(hashes, last, n * sizeof *hashes);
}
