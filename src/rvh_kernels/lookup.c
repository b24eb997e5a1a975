/* Partition tables: a key's partition comes from its hash alone, and a table has the owners. */

#include "murmur.h"

#include <stdlib.h>

enum {
  BATCH = 1024,           /* keys looked up together, or fewer */
  BATCHED_COST = 1 << 15, /* of such a batch, at most, in short keys */
  BYTES_PER_KEY = 32,     /* read or written in the time of a short key */
  KEYS_PER_WORK = 4,      /* short keys that take as long as a compression */
};

/* (hash * partitions) >> 64, partitions <= 2^24 */
static size_t partition_of(uint64_t hash, uint64_t partitions) {
  const uint64_t low = (hash & 0xffffffff) * partitions >> 32;
  return (size_t)(((hash >> 32) * partitions + low) >> 32);
}

/* Copies in pieces, the last of which overlaps: for names half the time of memcpy(). */
static void copy_name(uint8_t *to, const uint8_t *from, size_t size) {
  if (size < 16) {
    memcpy(to, from, size);
    return;
  }
  for (size_t i = 0; i + 16 < size; i += 16) memcpy(to + i, from + i, 16);
  memcpy(to + size - 16, from + size - 16, 16);
}

size_t rvh_partition(size_t partitions, blake2_simd_bytes key) {
  return partition_of(rvh_murmur64a(key, RVH_MURMUR_KEY_SEED), partitions);
}

/* Writes the owners of partitions, by index or by name. */
static void write_owners(const rvh_table *table, const uint32_t *partition, size_t n, void *out) {
  const uint32_t *owners = table->owners;
  const uint8_t *names = table->names;
  const size_t k = table->k, size = table->name_size;
  if (names == NULL) {
    intptr_t *index = out;
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j < k; j++) *index++ = (intptr_t)owners[partition[i] * k + j];
  } else {
    uint8_t *name = out;
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j < k; j++, name += size)
        copy_name(name, names + owners[partition[i] * k + j] * size, size);
  }
}

rvh_status rvh_lookup(const rvh_isa *isa, const rvh_table *table, const rvh_column *keys,
                      size_t start, size_t stop, void *out, rvh_poll *poll, size_t *bad) {
  const size_t size = table->names == NULL ? sizeof(intptr_t) : table->name_size;
  const size_t row_size = table->owners == NULL ? sizeof(intptr_t) : table->k * size;
  const size_t cost = 1 + row_size / BYTES_PER_KEY; /* of a key, in short keys */
  const size_t batch = cost < BATCHED_COST / BATCH ? BATCH
                       : cost < BATCHED_COST       ? BATCHED_COST / cost
                                                   : 1;
  rvh_status status = RVH_OK;
  uint64_t hashes[BATCH];
  uint32_t partition[BATCH];
  blake2_simd_bytes *spans = malloc(batch * sizeof *spans);
  uint8_t *scratch = malloc(rvh_column_batch_scratch(keys, batch) + 1);
  if (spans == NULL || scratch == NULL) status = RVH_NO_MEMORY;
  for (size_t row = start, n; row < stop && status == RVH_OK; row += n) {
    size_t bytes;
    n = rvh_column_batch(keys, row, stop - row < batch ? stop - row : batch, &bytes);
    if (rvh_stopped(poll, (n * cost + bytes / BYTES_PER_KEY) / KEYS_PER_WORK + 1)) {
      status = RVH_STOPPED;
      break;
    }
    status = rvh_column_hashes(isa, keys, row, n, hashes, spans, scratch, bad);
    if (status != RVH_OK) break;
    for (size_t i = 0; i < n; i++)
      partition[i] = (uint32_t)partition_of(hashes[i], table->partitions);
    uint8_t *to = (uint8_t *)out + (row - start) * row_size;
    if (table->owners != NULL)
      write_owners(table, partition, n, to);
    else
      for (size_t i = 0; i < n; i++) ((intptr_t *)(void *)to)[i] = (intptr_t)partition[i];
  }
  free(scratch);
  free(spans);
  return status;
}
