/* Which instruction set: blake2_simd makes the choice, this table adds what else runs in it. */

#include "rvh_kernels_impl.h"

#define KERNELS(isa)                  \
  {                                   \
      .hash = &blake2_simd_##isa,     \
      .topk = rvh_topk_##isa,         \
      .jump = rvh_jump_##isa,         \
      .jumpback = rvh_jumpback_##isa, \
  }

const rvh_isa *rvh_isa_active(void) {
  static const rvh_isa table[] = {
      KERNELS(portable),
#if defined(BLAKE2_SIMD_X86)
      KERNELS(avx2),
      KERNELS(avx512),
#elif defined(BLAKE2_SIMD_ARM64)
      KERNELS(neon),
#endif
  };
  const blake2_simd *active = blake2_simd_active();
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (table[i].hash == active) return &table[i];
  return NULL;
}
