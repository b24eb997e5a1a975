/* Nothing of a secret in the memory that is given back, nor on the stack: not its words, and not
 * those of the state that has absorbed it, which stand for it. The linker puts __wrap_free in
 * place of the kernels' free (-Wl,--wrap=free). */

#include "reference.h"
#include "rvh_kernels.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAME __attribute__((noinline)) /* with a frame of its own */

enum {
  NODES = 300, /* each of another length: with states of their own from 128 bytes on */
  FEW = 20,    /* without */
  NEEDLES = 24,
  STACK = 128 << 10,
};

static const uint64_t MASK = 0x5bd1e9955bd1e995u; /* so that needles are not found themselves */
static uint64_t needles[NEEDLES];
static size_t needle_count, found, freed, failures;

static size_t count_in(const uint8_t *memory, size_t size) {
  size_t count = 0;
  for (size_t i = 0; i + 8 <= size; i++) {
    uint64_t word;
    memcpy(&word, memory + i, 8);
    for (size_t n = 0; n < needle_count; n++) count += (word ^ MASK) == needles[n];
  }
  return count;
}

void __real_free(void *block);
void __wrap_free(void *block);
void __wrap_free(void *block) {
  if (block != NULL) {
    freed++;
    found += count_in(block, malloc_usable_size(block));
  }
  __real_free(block);
}

static void expect(int holds, const char *what, size_t key_size) {
  if (holds) return;
  failures++;
  fprintf(stderr, "FAILED: %s, secret of %zu bytes\n", what, key_size);
}

/* The stack below this function, where others had their variables; -1 where it cannot be read. */
FRAME static long on_the_stack(void) {
  static uint8_t copy[STACK];
  const uint8_t *here = (const uint8_t *)__builtin_frame_address(0);
  const int memory = open("/proc/self/mem", O_RDONLY);
  if (memory < 0) return -1;
  const ssize_t got = pread(memory, copy, STACK, (off_t)(uintptr_t)(here - STACK));
  close(memory);
  return got == STACK ? (long)count_in(copy, STACK) : -1;
}

static void fill_key(uint8_t *key, size_t size) {
  uint64_t x = 0x9e3779b97f4a7c15u + size;
  for (size_t i = 0; i < size; i++) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    key[i] = (uint8_t)(x >> 56);
  }
}

FRAME static void wipe_the_stack(void) {
  uint8_t below[STACK];
  blake2_simd_wipe(below, sizeof below);
}

/* The words of the key, of the state behind it, and of that behind the first block of an id. */
FRAME static void look_for(const uint8_t *key, size_t size, const uint8_t *id) {
  static reference_state state;
  needle_count = 0;
  for (size_t i = 0; i + 8 <= size; i += 8) {
    uint64_t word;
    memcpy(&word, key + i, 8);
    needles[needle_count++] = word ^ MASK;
  }
  reference_init(&state, 16, key, size);
  reference_update(&state, id, 1);
  for (size_t i = 0; i < 8; i++) needles[needle_count++] = state.h[i] ^ MASK;
  reference_update(&state, id + 1, 128);
  for (size_t i = 0; i < 8; i++) needles[needle_count++] = state.h[i] ^ MASK;
  blake2_simd_wipe(&state, sizeof state);
}

FRAME static void leave_on_the_stack(void) {
  uint64_t left[8];
  volatile uint64_t *word = left;
  for (size_t i = 0; i < 8; i++) word[i] = needles[i] ^ MASK;
}

/* This test can fail: what is looked for is found, in a block and on the stack. */
static void expect_to_find(int stack) {
  volatile uint64_t *block = malloc(2 * sizeof *block);
  if (block == NULL) return;
  block[0] = needles[0] ^ MASK;
  block[1] = needles[needle_count - 1] ^ MASK;
  found = 0;
  __wrap_free(
      (void *)(uintptr_t)block); /* as free() is called: a compiler drops writes before it */
  expect(found == 2, "a word in a block is found", 0);
  leave_on_the_stack();
  if (stack) expect(on_the_stack() > 0, "a word on the stack is found", 0);
}

/* Stops after so many questions. */
static int stop_after(void *left) { return (*(int *)left)-- <= 0; }

int main(void) {
  static uint8_t ids[NODES * (NODES + 1) / 2], key[BLAKE2_SIMD_KEY_MAX];
  static uint64_t offsets[NODES + 1];
  static double weights[NODES];
  static intptr_t chosen[NODES];
  const rvh_isa *isa = rvh_isa_active();
  size_t bad[2];
#ifdef __SANITIZE_ADDRESS__
  int stack = 0; /* frames are many times as large as those that are wiped */
#else
  int stack = 1;
#endif
  for (size_t i = 0; i < NODES; i++) {
    offsets[i + 1] = offsets[i] + i + 1;
    weights[i] = (double)(i + 1);
  }
  memset(ids, 'n', sizeof ids);
  for (size_t size = 1; size <= BLAKE2_SIMD_KEY_MAX; size++) {
    fill_key(key, size);
    look_for(key, size, ids);
    wipe_the_stack();
    const size_t n = size % 4 < 2 ? NODES : FEW;
    rvh_nodes *nodes = NULL;
    found = 0;
    rvh_status status = rvh_nodes_new(&nodes, RVH_BLAKE2B, ids, offsets, n,
                                      size % 2 ? weights : NULL, key, size, NULL, bad);
    expect(status == RVH_OK, "a set is made", size);
    stack = stack && on_the_stack() >= 0;
    if (stack) expect(on_the_stack() == 0, "nothing on the stack when a set was made", size);
    expect(found == 0, "nothing in what preparation gives back", size);
    rvh_select_one(isa, nodes, (blake2_simd_bytes){ids, size}, n, chosen, NULL);
    freed = 0;
    rvh_nodes_free(nodes);
    expect(freed > 4 && found == 0, "nothing in a set that is given back", size);
    if (stack) expect(on_the_stack() == 0, "nothing on the stack when a set is gone", size);

    int left = 0; /* stopped as soon as it asks */
    rvh_poll poll = {.stop = stop_after, .context = &left, .left = 1};
    status = rvh_nodes_new(&nodes, RVH_BLAKE2B, ids, offsets, n, NULL, key, size, &poll, bad);
    expect(status == RVH_STOPPED && found == 0, "nothing in a set that was not finished", size);
  }
  expect_to_find(stack);
  printf("%s\n", stack ? "heap and stack" : "heap alone: the stack cannot be read here");
  return failures != 0;
}
