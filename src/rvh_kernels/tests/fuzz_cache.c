/* libFuzzer on the memo of selections: any calls in any order. What it answers is what was put
 * since it was cleared, and it stays within its bounds. */

#include "fuzz_keys.h"

enum { MOST = 6 }; /* nodes of a key */

/* What would be selected for a key, by its bytes and the epoch. */
static intptr_t chosen_for(blake2_simd_bytes key, uint64_t epoch, size_t j) {
  uint64_t h = epoch;
  for (size_t i = 0; i < key.size; i++) h = (h ^ key.data[i]) * 0x9e3779b97f4a7c15u;
  return (intptr_t)((h >> 32) + j);
}

static intptr_t *all_chosen(input *in, const keys *k, size_t start, uint64_t epoch, size_t each) {
  intptr_t *out = room(in, (k->bad - start) * each * sizeof *out);
  for (size_t i = start; i < k->bad; i++)
    for (size_t j = 0; j < each; j++)
      out[(i - start) * each + j] = chosen_for(k->rows[i], epoch, j);
  return out;
}

static void check_one(input *in, rvh_cache *cache, uint64_t epoch, const keys *k, size_t each) {
  if (k->bad == 0) return;
  const blake2_simd_bytes key = k->rows[below(in, k->bad)];
  intptr_t *out = room(in, each * sizeof *out);
  const int found = rvh_cache_get_one(cache, epoch, key, each, (int)below(in, 2), out);
  for (size_t j = 0; j < each; j++) {
    REQUIRE(!found || out[j] == chosen_for(key, epoch, j));
    out[j] = chosen_for(key, epoch, j);
  }
  if (!found && below(in, 4) > 0) rvh_cache_put_one(cache, epoch, key, each, out);
}

static void check_many(input *in, rvh_cache *cache, uint64_t epoch, const keys *k, size_t each) {
  const size_t start = below(in, k->bad + 1), rows = k->count - start;
  const rvh_status expected = k->bad < k->count ? RVH_BAD_KEY : RVH_OK;
  intptr_t *out = room(in, rows * each * sizeof *out);
  int64_t *missing = room(in, rows * sizeof *missing);
  size_t count = 0, bad = k->bad;
  REQUIRE(rvh_cache_get(cache, epoch, &k->column, start, k->count, each, out, missing, &count, NULL,
                        &bad) == expected);
  REQUIRE(bad == k->bad);
  if (expected != RVH_OK) return;
  const intptr_t *chosen = all_chosen(in, k, start, epoch, each);
  REQUIRE(count <= rows);
  for (size_t i = 0, m = 0; i < rows; i++) {
    if (m < count && missing[m] == (int64_t)i)
      m++;
    else
      REQUIRE(memcmp(out + i * each, chosen + i * each, each * sizeof *out) == 0);
  }
  REQUIRE(rvh_cache_put(cache, epoch, &k->column, start, k->count, each, chosen, NULL, &bad) ==
          RVH_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  input in = {.data = data, .size = size};
  const uint64_t seed[3] = {take(&in, 1), 2, 3};
  const size_t most = 1 + below(&in, 64), most_bytes = take(&in, 2);
  rvh_cache *cache = rvh_cache_new(most, most_bytes, (int)below(&in, 2), seed);
  REQUIRE(cache != NULL);
  uint64_t epoch = rvh_cache_clear(cache);
  for (int call = 0; call < 40 && in.size > 0; call++) {
    const size_t what = below(&in, 8), each = 1 + below(&in, MOST), late = below(&in, 8) == 0;
    const keys k = make_keys(&in, ANY_LAYOUT);
    if (what == 0)
      epoch = rvh_cache_clear(cache);
    else
      (what < 5 ? check_one : check_many)(&in, cache, epoch - late, &k, each);
    rvh_cache_info info;
    rvh_cache_figures(cache, &info);
    REQUIRE(info.entries <= most && info.bytes <= most_bytes && info.target >= 0);
    release(&in);
  }
  rvh_cache_free(cache);
  release(&in);
  return 0;
}
