/* MurmurHash64A of a column's keys: in vectors, a block at a time, where keys have one size. */

#include "murmur.h"

enum {
  LEAST = 8,   /* keys below which vectors do not pay */
  SHORTER = 2, /* of the first LEAST: more, and most keys would be hashed twice */
};

static int fits(const rvh_isa *isa, size_t size, size_t n) {
  return isa->murmur_hashes != NULL && n >= LEAST && size >= RVH_HASHED_SIZE_MIN &&
         size <= RVH_HASHED_SIZE_MAX;
}

/* A block of padded elements. In vectors all have the item's size; shorter ones are hashed again.
 */
static void hash_padded(const rvh_isa *isa, const uint8_t *p, ptrdiff_t stride, size_t size,
                        size_t n, uint64_t *hashes) {
  int in_vectors = fits(isa, size, n);
  if (in_vectors) {
    const uint8_t *last = p + size - 1;
    int shorter = 0;
    for (size_t i = 0; i < LEAST; i++, last += stride) shorter += *last == 0;
    in_vectors = shorter <= SHORTER;
  }
  if (in_vectors) isa->murmur_hashes(p, stride, size, n, hashes);
  for (size_t i = 0; i < n; i++, p += stride) {
    if (in_vectors && p[size - 1] != 0) continue;
    const blake2_simd_bytes bytes = {p, rvh_without_padding(p, size)};
    hashes[i] = rvh_murmur64a(bytes, RVH_MURMUR_KEY_SEED);
  }
}

/* Whether n >= 2 spans have one size and stand evenly, as those of integers, of text turned into
 * bytes and of Arrow's strings often do. */
static int even(const blake2_simd_bytes *spans, size_t n, ptrdiff_t *stride) {
  const uintptr_t first = (uintptr_t)spans[0].data, step = (uintptr_t)spans[1].data - first;
  for (size_t i = 1; i < n; i++)
    if (spans[i].size != spans[0].size || (uintptr_t)spans[i].data - first != i * step) return 0;
  *stride = (ptrdiff_t)step;
  return 1;
}

static void hash_spans(const rvh_isa *isa, const blake2_simd_bytes *spans, size_t n,
                       uint64_t *hashes) {
  ptrdiff_t stride;
  if (fits(isa, spans[0].size, n) && even(spans, n, &stride))
    isa->murmur_hashes(spans[0].data, stride, spans[0].size, n, hashes);
  else
    for (size_t i = 0; i < n; i++) hashes[i] = rvh_murmur64a(spans[i], RVH_MURMUR_KEY_SEED);
}

rvh_status rvh_column_hashes(const rvh_isa *isa, const rvh_column *column, size_t first, size_t n,
                             uint64_t *hashes, blake2_simd_bytes *spans, uint8_t *scratch,
                             size_t *bad) {
  /* writing spans would take a third of the time */
  const int padded = column->layout == RVH_PADDED && column->rows == NULL;
  if (!padded) {
    const rvh_status status = rvh_column_spans(column, first, n, spans, scratch, bad);
    if (status != RVH_OK) return status;
  }
  for (size_t i = 0, m; i < n; i += m) {
    m = min_size(RVH_HASHED, n - i);
    if (padded)
      hash_padded(isa, column->data + (ptrdiff_t)(first + i) * column->stride, column->stride,
                  column->itemsize, m, hashes + i);
    else
      hash_spans(isa, spans + i, m, hashes + i);
  }
  return RVH_OK;
}
