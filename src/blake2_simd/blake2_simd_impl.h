/* What the files of blake2_simd share and nobody else includes: the table of an implementation,
 * the constants of RFC 7693, and little-endian loads. */
#ifndef BLAKE2_SIMD_IMPL_H
#define BLAKE2_SIMD_IMPL_H

#include "blake2_simd.h"

#include <string.h>

/* The architecture, asked of the compiler and not of the build: one configuration of a macOS
 * universal build compiles for two. */
#if defined(__x86_64__) || (defined(_M_X64) && !defined(_M_ARM64EC))
#define BLAKE2_SIMD_X86
#elif (defined(__aarch64__) || defined(_M_ARM64)) && \
    !(defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
#define BLAKE2_SIMD_ARM64
#endif

#if defined(__GNUC__)
#define BLAKE2_SIMD_ALIGNED(n) __attribute__((aligned(n)))
#define BLAKE2_SIMD_NOINLINE __attribute__((noinline))
#elif defined(_MSC_VER)
#define BLAKE2_SIMD_ALIGNED(n) __declspec(align(n))
#define BLAKE2_SIMD_NOINLINE __declspec(noinline)
#else
#define BLAKE2_SIMD_ALIGNED(n) _Alignas(n)
#define BLAKE2_SIMD_NOINLINE
#endif

/* Prefixes of one length. What is absorbed of each is whole blocks; its tail is kept as words. */
typedef struct {
  size_t size;            /* bytes of each prefix */
  size_t tail;            /* size % BLOCK: bytes in the block that the suffix begins in */
  size_t words;           /* tail / 8 + 1: the suffix begins in the last of them */
  size_t first, count;    /* positions */
  uint64_t t;             /* bytes absorbed, a key's block included */
  const uint64_t *prefix; /* [count][words] */
  const uint64_t *h;      /* [count][8], or [8] where nothing but the key is absorbed */
  size_t h_stride;        /* 8 or 0 */
  const uint64_t *alone;  /* [count][2], only where tail == 0: the digest with an empty suffix */
} blake2_simd_group;

/* One-block messages: prefixes one after another, each with the same suffixes. */
typedef struct {
  const blake2_simd_group *group; /* that the first prefix is in; the others are in it or behind */
  size_t skip;                    /* prefixes of that group before the first */
  size_t count;
  const uint64_t *suffix; /* [rows][stride], from the first byte on; the last row is zero */
  size_t rows;
  const uint64_t *size; /* [stride] bytes of the suffixes */
  uint64_t *hi, *lo;    /* [count][stride] */
} blake2_simd_strip;

/* Eight prefixes of less than a block that stand side by side, for one suffix. */
typedef struct {
  const uint64_t *tail;     /* [8], aligned to 64 bytes: their sizes */
  const uint64_t *word;     /* [words][8], aligned too */
  size_t words;             /* as the longest has */
  size_t shortest, longest; /* bytes */
} blake2_simd_eight;

/* An implementation. Rows of words are `stride` apart, of which the first `lanes` count; the first
 * row is aligned to 64 bytes. */
struct blake2_simd {
  const char *name;
  size_t lanes, stride;
  /* words[w][l] = word w of suffix l, zeros after its end; n <= lanes, all rows have room for it */
  void (*load)(uint64_t *words, const blake2_simd_bytes *suffix, size_t n, size_t rows);
  /* out[j] = words[j] moved up by `bits` (0 to 56), with what falls out of words[j - 1]; n rows */
  void (*shift)(uint64_t *out, const uint64_t *words, size_t n, unsigned bits);
  /* n strips, of whose blocks `words` words can be other than zero. Entering a kernel after other
   * code is slow: many strips a call are not. */
  void (*strip)(const blake2_simd_strip *strips, size_t n, size_t words, int with_lo);
  /* One compression for each lane. h: [8][stride]; m: [16][stride], of which words from `words`
   * rounded up to 4, 8 or 16 on are taken for zero; final: [lanes], 0 or all ones. */
  void (*compress)(uint64_t *h, const uint64_t *m, const uint64_t *t, const uint64_t *final,
                   size_t words);
  /* Or NULL. One or two eights of prefixes, each before the suffix in a block; h: the state before
   * it, which has absorbed `before` bytes. hi, lo: [8 * n], aligned to 64 bytes. */
  void (*row)(const blake2_simd_eight *eight, size_t n, const uint64_t *h, uint64_t before,
              blake2_simd_bytes suffix, uint64_t *hi, uint64_t *lo);
};

extern const blake2_simd blake2_simd_portable;
#if defined(BLAKE2_SIMD_X86)
extern const blake2_simd blake2_simd_avx2;
extern const blake2_simd blake2_simd_avx512;
#elif defined(BLAKE2_SIMD_ARM64)
extern const blake2_simd blake2_simd_neon;
#endif

static const uint64_t blake2_simd_iv[8] = {
    0x6a09e667f3bcc908u, 0xbb67ae8584caa73bu, 0x3c6ef372fe94f82bu, 0xa54ff53a5f1d36f1u,
    0x510e527fade682d1u, 0x9b05688c2b3e6c1fu, 0x1f83d9abfb41bd6bu, 0x5be0cd19137e2179u};

static inline uint64_t blake2_simd_load64(const uint8_t *p) {
#if (defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) || defined(_MSC_VER)
  uint64_t x;
  memcpy(&x, p, 8);
  return x;
#else
  return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
         (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
#endif
}

static inline size_t min_size(size_t a, size_t b) { return a < b ? a : b; }

/* The first n < 8 bytes as a word, the rest zero. */
static inline uint64_t blake2_simd_load_part(const uint8_t *p, size_t n) {
  uint64_t x = 0;
  for (size_t i = 0; i < n; i++) x |= (uint64_t)p[i] << (8 * i);
  return x;
}

/* A string as words, `stride` apart, with zeros after its end. */
static inline void blake2_simd_load_lane(uint64_t *words, size_t stride, blake2_simd_bytes string,
                                         size_t rows) {
  const size_t whole = string.size / 8, more = string.size % 8;
  size_t w = 0;
  for (; w < whole; w++) words[w * stride] = blake2_simd_load64(string.data + 8 * w);
  if (more > 0) {
    words[w++ * stride] = whole > 0
                              ? blake2_simd_load64(string.data + string.size - 8) >> (64 - 8 * more)
                              : blake2_simd_load_part(string.data, more);
  }
  for (; w < rows; w++) words[w * stride] = 0;
}

static inline uint64_t blake2_simd_bswap(uint64_t x) {
#if defined(__GNUC__)
  return __builtin_bswap64(x);
#else
  x = (x & 0x00ff00ff00ff00ffu) << 8 | (x >> 8 & 0x00ff00ff00ff00ffu);
  x = (x & 0x0000ffff0000ffffu) << 16 | (x >> 16 & 0x0000ffff0000ffffu);
  return x << 32 | x >> 32;
#endif
}

#endif
