/* What the targets for libFuzzer share: an input's bytes as numbers, memory of exact sizes, and the
 * instruction sets of this machine. A sanitizer sees each byte that is read or written beyond such
 * memory; it is full of garbage, so that what a set leaves out differs from what another writes. */
#ifndef FUZZ_H
#define FUZZ_H

#include "../rvh_kernels_impl.h"
#include "require.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HELD_MAX = 512 };

typedef struct {
  const uint8_t *data;
  size_t size;
  uint8_t garbage;      /* another one each time */
  void *held[HELD_MAX]; /* until release() */
  size_t count;
} input;

/* The next bytes, at most 8, as a number; zeros once there are none left. */
static inline uint64_t take(input *in, size_t bytes) {
  uint64_t x = 0;
  for (size_t i = 0; i < bytes && in->size > 0; i++, in->size--)
    x |= (uint64_t)*in->data++ << 8 * i;
  return x;
}

/* One of 0 to n - 1. */
static inline size_t below(input *in, size_t n) { return (size_t)(take(in, n <= 256 ? 1 : 4) % n); }

/* A length: mostly short, now and then of several blocks, or more than a tile takes. */
static inline size_t length(input *in) {
  const size_t size = below(in, 256);
  return size < 224 ? size % 40 : size < 248 ? 8 * (size - 208) : 150 * (size - 241);
}

static inline void *room(input *in, size_t size) {
  void *memory;
  REQUIRE(posix_memalign(&memory, 64, size) == 0 && in->count < HELD_MAX);
  memset(memory, in->garbage += 0x51, size);
  return in->held[in->count++] = memory;
}

static inline uint8_t *bytes(input *in, size_t size) {
  uint8_t *memory = room(in, size);
  for (size_t i = 0; i < size; i++) memory[i] = (uint8_t)take(in, 1);
  return memory;
}

static inline void release(input *in) {
  while (in->count > 0) free(in->held[--in->count]);
}

/* n byte strings one after another; offsets[n + 1]. */
static inline uint8_t *strings(input *in, size_t n, uint64_t *offsets) {
  offsets[0] = 0;
  for (size_t i = 0; i < n; i++) offsets[i + 1] = offsets[i] + length(in);
  return bytes(in, (size_t)offsets[n]);
}

static inline blake2_simd_bytes string(const uint8_t *data, const uint64_t *offsets, size_t i) {
  const size_t size = (size_t)(offsets[i + 1] - offsets[i]);
  return (blake2_simd_bytes){size > 0 ? data + offsets[i] : NULL, size};
}

/* The sets that this machine can run, portable first; returns how many. */
static inline size_t available(const rvh_isa *sets[BLAKE2_SIMD_ISA_MAX]) {
  const rvh_isa *all;
  const size_t n = rvh_isa_all(&all);
  size_t count = 0;
  for (size_t i = 0; i < n; i++)
    if (blake2_simd_find(all[i].hash->name) != NULL) sets[count++] = &all[i];
  return count;
}

#define EACH_SET(isa)                                             \
  const rvh_isa *sets_of_##isa[BLAKE2_SIMD_ISA_MAX], *isa = NULL; \
  const size_t count_of_##isa = available(sets_of_##isa);         \
  for (size_t i_##isa = 0; i_##isa < count_of_##isa && (isa = sets_of_##isa[i_##isa]); i_##isa++)

#endif
