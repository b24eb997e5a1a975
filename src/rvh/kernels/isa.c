/* Which instruction set: blake2_simd makes the choice, this table adds what else runs in it. */

#include "rvh_kernels_impl.h"

const rvh_isa *rvh_isa_active(void) {
  static const rvh_isa table[] = {
      {&blake2_simd_portable, rvh_topk_portable},
#if defined(BLAKE2_SIMD_X86)
      {&blake2_simd_avx2, rvh_topk_avx2},
      {&blake2_simd_avx512, rvh_topk_avx512},
#elif defined(BLAKE2_SIMD_ARM64)
      {&blake2_simd_neon, rvh_topk_neon},
#endif
  };
  const blake2_simd *active = blake2_simd_active();
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (table[i].hash == active) return &table[i];
  return NULL;
}
