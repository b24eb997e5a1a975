/* Parameters, and many messages at once. */

#include "blake2_simd_shapes.h"

/* ---- parameters --------------------------------------------------------------------------- */

void blake2_simd_wipe(void *memory, size_t size) {
  /* Whatever function it may be by now: the compiler cannot leave the call out. */
  static void *(*const volatile set)(void *, int, size_t) = memset;
  if (size > 0) set(memory, 0, size);
}

BLAKE2_SIMD_NOINLINE void blake2_simd_wipe_stack(void) {
  uint8_t below[24 << 10]; /* twice what any call here has */
  blake2_simd_wipe(below, sizeof below);
}

void blake2_simd_compress_one(uint64_t h[8], const uint8_t block[BLOCK], uint64_t t,
                              uint64_t final) {
  uint64_t m[BLOCK_WORDS];
  for (size_t w = 0; w < BLOCK_WORDS; w++) m[w] = blake2_simd_load64(block + 8 * w);
  blake2_simd_portable.compress(h, m, &t, &final, BLOCK_WORDS);
}

int blake2_simd_params_init(blake2_simd_params *params, size_t digest_size, const uint8_t *key,
                            size_t key_size) {
  uint8_t block[BLOCK] = {0};
  if (digest_size < 1 || digest_size > BLAKE2_SIMD_DIGEST_MAX || key_size > BLAKE2_SIMD_KEY_MAX)
    return -1;
  memcpy(params->h, blake2_simd_iv, sizeof params->h);
  params->h[0] ^= 0x01010000 ^ (uint64_t)key_size << 8 ^ (uint64_t)digest_size;
  params->t = 0;
  params->digest_size = (unsigned)digest_size;
  if (key_size > 0) {
    memcpy(block, key, key_size);
    params->t = BLOCK;
  }
  memcpy(params->empty, params->h, sizeof params->h);
  blake2_simd_compress_one(params->empty, block, params->t, ~(uint64_t)0);
  if (key_size > 0) blake2_simd_compress_one(params->h, block, params->t, 0);
  return 0;
}

/* ---- any messages, lane by lane ----------------------------------------------------------- */

static size_t rest_size(const rest *r) { return r->part[0].size + r->part[1].size; }

/* Bytes `at` to `at` + BLOCK of the rest, zero after its end, into one lane of m. */
static void load_block(const rest *r, size_t at, uint64_t *m, size_t stride) {
  uint8_t block[BLOCK] = {0};
  size_t fill = 0;
  for (int p = 0; p < 2; p++) {
    size_t size = r->part[p].size;
    if (at < size) {
      size_t n = min_size(size - at, BLOCK - fill);
      memcpy(block + fill, r->part[p].data + at, n);
      fill += n;
      at = 0;
    } else {
      at -= size;
    }
  }
  for (size_t w = 0; w < BLOCK_WORDS; w++) m[w * stride] = blake2_simd_load64(block + 8 * w);
}

void blake2_simd_finish(const blake2_simd *impl, const rest *r, size_t n, uint64_t *state) {
  BLAKE2_SIMD_ALIGNED(64) uint64_t h[8 * STRIDE_MAX] = {0};
  BLAKE2_SIMD_ALIGNED(64) uint64_t m[BLOCK_WORDS * STRIDE_MAX] = {0};
  BLAKE2_SIMD_ALIGNED(64) uint64_t t[STRIDE_MAX] = {0}, final[STRIDE_MAX] = {0};
  const size_t stride = impl->stride;
  size_t blocks = 0;
  for (size_t l = 0; l < n; l++) {
    size_t own = blocks_of(rest_size(&r[l]));
    if (own > blocks) blocks = own;
    for (size_t i = 0; i < 8; i++) h[i * stride + l] = r[l].h[i];
  }
  for (size_t b = 0; b < blocks; b++) {
    for (size_t l = 0; l < n; l++) {
      size_t size = rest_size(&r[l]), at = b * BLOCK;
      if (b >= blocks_of(size)) continue; /* done: what this lane computes from here on is lost */
      load_block(&r[l], at, m + l, stride);
      t[l] = r[l].t + min_size(size, at + BLOCK);
      final[l] = b + 1 == blocks_of(size) ? ~(uint64_t)0 : 0;
    }
    impl->compress(h, m, t, final, BLOCK_WORDS);
    for (size_t l = 0; l < n; l++)
      if (b + 1 == blocks_of(rest_size(&r[l])))
        for (size_t i = 0; i < 8; i++) state[i * stride + l] = h[i * stride + l];
  }
}

void blake2_simd_many(const blake2_simd *impl, const blake2_simd_params *params,
                      const blake2_simd_bytes *prefix, const blake2_simd_bytes *suffix, size_t n,
                      uint8_t *out) {
  uint64_t state[8 * STRIDE_MAX] = {0};
  const size_t lanes = impl->lanes, stride = impl->stride;
  for (size_t first = 0; first < n; first += lanes) {
    rest r[LANES_MAX];
    size_t count = min_size(lanes, n - first);
    for (size_t l = 0; l < count; l++)
      r[l] = (rest){params->h, params->t, {prefix[first + l], suffix[first + l]}};
    blake2_simd_finish(impl, r, count, state);
    for (size_t l = 0; l < count; l++) {
      int empty = rest_size(&r[l]) == 0;
      for (size_t i = 0; i < params->digest_size; i++) {
        uint64_t word = empty ? params->empty[i / 8] : state[i / 8 * stride + l];
        *out++ = (uint8_t)(word >> (8 * (i % 8)));
      }
    }
  }
}
