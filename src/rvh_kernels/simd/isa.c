/* Which instruction set: blake2_simd makes the choice, this table adds what else runs in it. */

#include "rvh_kernels_impl.h"

#define KERNELS(isa, hashes)                        \
  {                                                 \
      .hash = &blake2_simd_##isa,                   \
      .topk = rvh_topk_##isa,                       \
      .topk_merge = rvh_topk_merge_##isa,           \
      .weigh_tile = rvh_weigh_tile_##isa,           \
      .weigh_row = rvh_weigh_row_##isa,             \
      .murmur_tile = rvh_murmur_tile_##isa,         \
      .murmur_row = rvh_murmur_row_##isa,           \
      .murmur_hashes = hashes,                      \
      .best = rvh_best_##isa,                       \
      .best_step = rvh_best_step_##isa,             \
      .best_find = rvh_best_find_##isa,             \
      .best_group = &rvh_best_group_##isa,          \
      .rank_row = rvh_rank_row_##isa,               \
      .rank_mixed = rvh_rank_mixed_##isa,           \
      .rank_nodes = rvh_rank_nodes_##isa,           \
      .rank_tile = rvh_rank_tile_##isa,             \
      .settle_ties = rvh_settle_ties_##isa,         \
      .settle_nearest = rvh_settle_nearest_##isa,   \
      .settle_weighted = rvh_settle_weighted_##isa, \
      .jump = rvh_jump_##isa,                       \
      .jumpback = rvh_jumpback_##isa,               \
      .md5 = rvh_md5_##isa,                         \
      .neg_log = rvh_neg_log_##isa,                 \
  }

static const rvh_isa table[] = {
    KERNELS(portable, NULL),
#if defined(BLAKE2_SIMD_X86)
    KERNELS(avx2, rvh_murmur_hashes_avx2),
    KERNELS(avx512, rvh_murmur_hashes_avx512),
#elif defined(BLAKE2_SIMD_ARM64)
    KERNELS(neon, NULL),
#endif
};

size_t rvh_isa_all(const rvh_isa **sets) {
  *sets = table;
  return sizeof table / sizeof *table;
}

const rvh_isa *rvh_isa_active(void) {
  const blake2_simd *active = blake2_simd_active();
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (table[i].hash == active) return &table[i];
  return NULL;
}

void rvh_neg_log(const rvh_isa *isa, const uint64_t *m, size_t n, double *out) {
  isa->neg_log(m, n, out);
}
