/* Groups of keys x a strip of nodes: scores by the nodes' scheme, weighted where they have weights.
 */

#include "murmur.h"

void rvh_score_tile(const rvh_isa *isa, const rvh_nodes *nodes, const rvh_groups *groups,
                    size_t first, size_t count, uint64_t *hi, uint64_t *lo) {
  if (nodes->scheme == RVH_MURMUR)
    isa->murmur_tile(groups->hash, nodes->hash + first, count, hi);
  else
    blake2_simd_tile(isa->hash, nodes->prefixes, first, count, groups->suffixes, hi, lo);
  if (nodes->weight == NULL) return;
  const size_t tile = count * blake2_simd_stride(isa->hash);
  for (size_t g = 0; g < groups->count; g++)
    isa->weigh_tile(hi + g * tile, nodes->weight + first, count, nodes->scheme);
}

void rvh_score_row(const rvh_isa *isa, const rvh_nodes *nodes, const rvh_key *key, size_t first,
                   size_t count, uint64_t *hi, uint64_t *lo) {
  if (nodes->scheme == RVH_MURMUR)
    isa->murmur_row(key->hash, nodes->hash + first, count, hi);
  else
    blake2_simd_row(isa->hash, nodes->prefixes, first, count, key->bytes, hi, lo);
  if (nodes->weight != NULL) isa->weigh_row(hi, nodes->weight + first, count, nodes->scheme);
}

rvh_score rvh_score_pair(const rvh_isa *isa, const rvh_nodes *nodes, const rvh_key *key,
                         size_t position) {
  rvh_score score = {0, 0};
  if (nodes->scheme == RVH_MURMUR)
    score.hi = rvh_murmur_pair(key->hash, nodes->hash[position]);
  else
    blake2_simd_row(isa->hash, nodes->prefixes, position, 1, key->bytes, &score.hi, &score.lo);
  return score;
}

rvh_score rvh_score_bytes(const rvh_isa *isa, const rvh_nodes *nodes, blake2_simd_bytes bytes,
                          size_t index) {
  rvh_key key = {.bytes = bytes};
  size_t position = 0;
  if (nodes->scheme == RVH_MURMUR) key.hash = rvh_murmur64a(bytes, RVH_MURMUR_KEY_SEED);
  while (nodes->order[position] != index) position++;
  return rvh_score_pair(isa, nodes, &key, position);
}
