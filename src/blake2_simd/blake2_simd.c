/* The dispatcher: which implementations this processor and system can run, and which one is used.
 * The only file that looks at the processor and at the environment. */

#include "blake2_simd_impl.h"

#include <stdlib.h>

#if defined(BLAKE2_SIMD_X86)

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
static void cpuid(unsigned leaf, unsigned r[4]) { __cpuidex((int *)r, (int)leaf, 0); }
static uint64_t xcr0(void) { return _xgetbv(0); }
#else
#include <cpuid.h>
static void cpuid(unsigned leaf, unsigned r[4]) { __cpuid_count(leaf, 0, r[0], r[1], r[2], r[3]); }
static uint64_t xcr0(void) {
  unsigned low, high;
  __asm__ volatile(".byte 0x0f, 0x01, 0xd0" : "=a"(low), "=d"(high) : "c"(0)); /* xgetbv */
  return (uint64_t)high << 32 | low;
}
#endif

enum { EBX = 1, ECX = 2 };

/* A vector unit counts only where the system saves its registers: OSXSAVE, then XCR0. */
static int has_vectors(uint64_t registers, unsigned leaf7_ebx) {
  unsigned r[4];
  cpuid(0, r);
  if (r[0] < 7) return 0;
  cpuid(1, r);
  if (!(r[ECX] >> 27 & 1) || (xcr0() & registers) != registers) return 0;
  cpuid(7, r);
  return (r[EBX] & leaf7_ebx) == leaf7_ebx;
}

static int has_avx2(void) { return has_vectors(0x06, 1u << 5); }

/* F, DQ, BW and VL; opmask and both halves of the upper registers. */
static int has_avx512(void) {
  return has_avx2() && has_vectors(0xe6, 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31);
}

#endif

size_t blake2_simd_available(const blake2_simd *list[BLAKE2_SIMD_ISA_MAX]) {
  size_t n = 0;
  list[n++] = &blake2_simd_portable;
#if defined(BLAKE2_SIMD_X86)
  if (has_avx2()) list[n++] = &blake2_simd_avx2;
  if (has_avx512()) list[n++] = &blake2_simd_avx512;
#elif defined(BLAKE2_SIMD_ARM64)
  list[n++] = &blake2_simd_neon; /* part of the architecture */
#endif
  return n;
}

const blake2_simd *blake2_simd_find(const char *name) {
  const blake2_simd *list[BLAKE2_SIMD_ISA_MAX];
  size_t n = blake2_simd_available(list);
  for (size_t i = 0; i < n; i++)
    if (strcmp(name, list[i]->name) == 0) return list[i];
  return NULL;
}

/* Threads that race here store the same value, so a relaxed atomic is enough. */
#if defined(__GNUC__)
#define LOAD_RELAXED(p) __atomic_load_n(p, __ATOMIC_RELAXED)
#define STORE_RELAXED(p, x) __atomic_store_n(p, x, __ATOMIC_RELAXED)
#else /* MSVC: an aligned volatile pointer is read and written whole */
#define LOAD_RELAXED(p) (*(const blake2_simd *volatile *)(p))
#define STORE_RELAXED(p, x) (*(const blake2_simd *volatile *)(p) = (x))
#endif

const blake2_simd *blake2_simd_active(void) {
  static const blake2_simd *chosen;
  const blake2_simd *impl = LOAD_RELAXED(&chosen);
  if (impl != NULL) return impl;
  const char *forced = getenv("RVH_ISA");
  if (forced != NULL && forced[0] != '\0') {
    impl = blake2_simd_find(forced);
  } else {
    const blake2_simd *list[BLAKE2_SIMD_ISA_MAX];
    impl = list[blake2_simd_available(list) - 1];
  }
  if (impl != NULL) STORE_RELAXED(&chosen, impl);
  return impl;
}

const char *blake2_simd_name(const blake2_simd *impl) { return impl->name; }

size_t blake2_simd_lanes(const blake2_simd *impl) { return impl->lanes; }

size_t blake2_simd_stride(const blake2_simd *impl) { return impl->stride; }
