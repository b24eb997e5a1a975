/* Memory that runs out: of every call that allocates, the n-th allocation fails, for every n. The
 * call says so, keeps nothing, and gives the right answer the next time. The linker puts the
 * functions below in the place of malloc, calloc and realloc (-Wl,--wrap). */

#include "../rvh_kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);

static size_t allocations, failing_one, live; /* failing_one: counted from 1; 0 is none */

static void *counted(void *p) {
  live += p != NULL;
  return p;
}

void *__wrap_malloc(size_t size) {
  return ++allocations == failing_one ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size) {
  return ++allocations == failing_one ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *p, size_t size) {
  if (++allocations == failing_one) return NULL;
  void *moved = __real_realloc(p, size);
  live += p == NULL && moved != NULL;
  return moved;
}

void __wrap_free(void *p) {
  live -= p != NULL;
  __real_free(p);
}

static size_t failures;

static void check(int ok, const char *what, size_t n) {
  if (ok) return;
  fprintf(stderr, "FAILED %s, allocation %zu\n", what, n);
  exit(1);
}

/* ---- what is asked ------------------------------------------------------------------------- */

enum { NODES = 70, KEYS = 300, K = 40 };

static const rvh_isa *isa;
static uint64_t numbers[KEYS];
static uint8_t text[NODES * 3 + 1];
static uint64_t text_offsets[NODES + 1];
static double weights[NODES];
static rvh_nodes *set, *weighted;
static rvh_ring *ring;
static uint64_t points[NODES * 8];
static uint32_t owners[NODES * 8];

static const rvh_column integers = {
    .layout = RVH_INTEGERS, .data = (const uint8_t *)numbers, .stride = 8, .itemsize = 8};
static const rvh_column texts = {.layout = RVH_OFFSETS,
                                 .data = text,
                                 .offsets = text_offsets,
                                 .offset_size = sizeof *text_offsets};

static void prepare(void) {
  isa = rvh_isa_active();
  for (size_t i = 0; i < KEYS; i++) numbers[i] = i * 0x9e3779b97f4a7c15u;
  for (size_t i = 0; i < NODES; i++) {
    memcpy(text + text_offsets[i], (const uint8_t[]){'n', (uint8_t)(i + 1), 'x'}, 3);
    text_offsets[i + 1] = text_offsets[i] + 2 + i % 2;
    weights[i] = (double)(i + 1) / 4;
  }
  for (size_t i = 0; i < NODES * 8; i++) {
    points[i] = i << 54;
    owners[i] = (uint32_t)(i % NODES);
  }
}

static rvh_status make(rvh_nodes **nodes, rvh_scheme scheme, const double *weight) {
  size_t bad[2];
  return rvh_nodes_new(nodes, scheme, text, text_offsets, NODES, weight, NULL, 0, NULL, bad);
}

/* ---- calls: each writes its answer to `out`, and frees what it made ------------------------- */

typedef union {
  intptr_t chosen[KEYS * NODES];
  uint64_t words[KEYS * NODES * 2];
  uint32_t codes[2][KEYS];
  uint8_t bytes[KEYS * 16];
} answer;

static size_t bad;

static rvh_status one_set(answer *out, rvh_scheme scheme, const double *weight) {
  rvh_nodes *nodes = (rvh_nodes *)out; /* anything but NULL */
  const rvh_status status = make(&nodes, scheme, weight);
  if (status == RVH_OK) out->words[0] = rvh_score_words(nodes);
  check(status == RVH_OK || nodes == NULL, "a set that is there", failing_one);
  rvh_nodes_free(nodes);
  return status;
}
static rvh_status blake2b(answer *out) { return one_set(out, RVH_BLAKE2B, NULL); }
static rvh_status blake2b_weighted(answer *out) { return one_set(out, RVH_BLAKE2B, weights); }
static rvh_status murmur(answer *out) { return one_set(out, RVH_MURMUR, NULL); }
static rvh_status murmur_weighted(answer *out) { return one_set(out, RVH_MURMUR, weights); }

static rvh_status ascending(answer *out) {
  return rvh_ascending(text, text_offsets, NODES, out->chosen, NULL);
}

static rvh_status argselect(answer *out) {
  return rvh_argselect(isa, set, &integers, 0, KEYS, K, out->chosen, NULL, NULL, &bad);
}
static rvh_status argselect_best(answer *out) {
  return rvh_argselect(isa, weighted, &texts, 0, NODES, 1, out->chosen, NULL, NULL, &bad);
}
static rvh_status scores(answer *out) {
  return rvh_scores(isa, set, &integers, 0, KEYS, out->words, NULL, &bad);
}
static rvh_status select_one(answer *out) {
  return rvh_select_one(isa, set, (blake2_simd_bytes){text, 2}, NODES, out->chosen, NULL);
}
static rvh_status rank_scores(answer *out) {
  return rvh_rank_scores(isa, set, numbers, KEYS / NODES / 2, K, out->chosen);
}

static rvh_status spread(answer *out) {
  uint32_t zones[NODES], racks[NODES];
  intptr_t current[KEYS];
  for (uint32_t i = 0; i < NODES; i++) zones[i] = (racks[i] = i / 4) / 5;
  for (size_t i = 0; i < KEYS; i++) current[i] = (intptr_t)(i % NODES);
  const rvh_spread rules = {.levels = {{racks, NODES / 4 + 1, 1}, {zones, 4, 2}}, .count = 2};
  return rvh_argselect_spread(isa, set, &integers, 0, KEYS, K, &rules, current, 1, out->chosen,
                              NULL, &bad);
}

static rvh_status matching(answer *out) {
  uint64_t best[KEYS][2], lists[KEYS][2 * NODES], capacity[NODES], sizes[KEYS];
  int64_t left[KEYS], more[KEYS];
  size_t count = 0;
  for (size_t n = 0; n < NODES; n++) capacity[n] = 2 * KEYS / NODES;
  for (size_t i = 0; i < KEYS; i++) {
    sizes[i] = 1 + i % 3;
    for (size_t n = 0; n < NODES; n++) {
      lists[i][n] = n;
      lists[i][NODES + n] = (NODES - n) << 32 | numbers[i] >> 32;
    }
    best[i][0] = lists[i][0];
    best[i][1] = lists[i][NODES];
  }
  rvh_matching *m = rvh_matching_new(isa, capacity, NODES, sizes, KEYS, out->chosen, NULL);
  if (m == NULL) return RVH_NO_MEMORY;
  rvh_status status = rvh_matching_offer(m, NULL, KEYS, 1, best[0], left, &count, NULL);
  while (status == RVH_OK && count > 0) {
    const int64_t row = left[--count];
    size_t others;
    status = rvh_matching_offer(m, &row, 1, NODES, lists[row], more, &others, NULL);
    if (status != RVH_OK) break;
    memcpy(left + count, more, others * sizeof *more);
    count += others;
  }
  rvh_matching_free(m);
  return status;
}

static rvh_status point(answer *out) {
  return rvh_points(isa, RVH_POINT_MD5, (rvh_tag){0}, &integers, 0, KEYS, out->words, NULL, &bad);
}
static rvh_status chain(answer *out) {
  const rvh_chain parts = {.system = RVH_CHAIN_POSTGRESQL, .count = 1, .parts = {RVH_PART_INT64}};
  return rvh_chain_points(&parts, &integers, 0, KEYS, out->words, NULL, &bad);
}

static rvh_status a_ring(answer *out) {
  rvh_ring *made = (rvh_ring *)out;
  const rvh_status status = rvh_ring_new(&made, RVH_POINT_XXH64, points, owners, NODES * 8, NULL);
  check(status == RVH_OK || made == NULL, "a ring that is there", failing_one);
  if (status == RVH_OK) out->words[0] = rvh_ring_cost(made, K);
  rvh_ring_free(made);
  return status;
}
static rvh_status ring_lookup(answer *out) {
  return rvh_ring_lookup(isa, ring, &integers, 0, KEYS, K, out->chosen, NULL, &bad);
}
static rvh_status ring_lookup_one(answer *out) {
  return rvh_ring_lookup_one(ring, (blake2_simd_bytes){text, 2}, K, out->chosen, NULL);
}
static rvh_status ring_nodes(answer *out) {
  return rvh_ring_nodes(ring, points, KEYS, K, out->chosen, NULL);
}

static rvh_status prefixes(answer *out) {
  rvh_prefixes *p = rvh_prefixes_new(text, text_offsets, NODES, 7, 1);
  if (p == NULL) return RVH_NO_MEMORY;
  const rvh_status status = rvh_prefixes_select(p, &integers, 0, KEYS, K, out->chosen, NULL, &bad);
  rvh_prefixes_free(p);
  return status;
}

static rvh_status partitions(answer *out) {
  const rvh_table table = {.partitions = 64};
  return rvh_lookup(rvh_isa_active(), &table, &integers, 0, KEYS, out->chosen, NULL, &bad);
}

static rvh_status key_words(answer *out) {
  return rvh_key_words(isa, &texts, 0, NODES, out->words, NULL, &bad);
}
static rvh_status jump(answer *out) {
  return rvh_jump(isa, &integers, 0, KEYS, 1000, K, out->chosen, NULL);
}
static rvh_status spans(answer *out) { return rvh_bare_spans(&integers, 0, KEYS, out->words); }

/* What goes on after the call that failed: it has all rows of before, and takes the others then. */
static rvh_status distinct(answer *out) {
  rvh_distinct keys = {0};
  rvh_status first = rvh_distinct_add(&keys, &integers, 0, KEYS, out->codes[0], NULL, &bad);
  const size_t counted_ones = allocations;
  failing_one = 0;
  check(rvh_distinct_add(&keys, &integers, 0, KEYS, out->codes[1], NULL, &bad) == RVH_OK &&
            keys.count == KEYS,
        "distinct keys", 0);
  rvh_distinct_free(&keys);
  allocations = counted_ones;
  return first;
}

static rvh_status compose(answer *out) {
  const rvh_part parts[] = {{integers, RVH_BARE, 0}, {integers, RVH_SIZED, 0}};
  uint64_t ends[KEYS];
  rvh_buffer composed = {0};
  rvh_status first = rvh_compose(parts, 2, KEYS, &composed, ends, NULL, &bad);
  check(first == RVH_OK || composed.size == 0, "bytes of a call that failed", failing_one);
  if (first == RVH_OK) memcpy(out->bytes, composed.data, sizeof out->bytes);
  free(composed.data);
  return first;
}

/* A memo forgets instead, so that it has no error to give but of a column's own memory. */
static int forgotten;
static rvh_status memo(answer *out) {
  static const uint64_t seed[3] = {1, 2, 3};
  int64_t missing[KEYS];
  size_t missed;
  rvh_cache *cache = rvh_cache_new(KEYS / 2, 1 << 20, 1, seed);
  if (cache == NULL) return RVH_NO_MEMORY;
  const uint64_t epoch = rvh_cache_clear(cache);
  rvh_status status = RVH_OK;
  for (size_t i = 0; i < KEYS; i++) out->chosen[i] = (intptr_t)i;
  for (int round = 0; round < 3 && status == RVH_OK; round++) {
    intptr_t found[KEYS];
    status =
        rvh_cache_get(cache, epoch, &integers, 0, KEYS, 1, found, missing, &missed, NULL, &bad);
    for (size_t i = 0, m = 0; i < KEYS && status == RVH_OK; i++) {
      if (m < missed && missing[m] == (int64_t)i)
        m++;
      else
        check(found[i] == (intptr_t)i, "an answer that nobody gave", failing_one);
    }
    if (status == RVH_OK)
      status = rvh_cache_put(cache, epoch, &integers, 0, KEYS, 1, out->chosen, NULL, &bad);
  }
  rvh_cache_free(cache);
  forgotten = status == RVH_OK;
  return status;
}

static const struct {
  const char *name;
  rvh_status (*ask)(answer *out);
} calls[] = {{"rvh_nodes_new, blake2b", blake2b},
             {"rvh_nodes_new, blake2b weighted", blake2b_weighted},
             {"rvh_nodes_new, murmur", murmur},
             {"rvh_nodes_new, murmur weighted", murmur_weighted},
             {"rvh_ascending", ascending},
             {"rvh_argselect", argselect},
             {"rvh_argselect, the best", argselect_best},
             {"rvh_argselect_spread", spread},
             {"rvh_scores", scores},
             {"rvh_select_one", select_one},
             {"rvh_rank_scores", rank_scores},
             {"rvh_matching", matching},
             {"rvh_cache", memo},
             {"rvh_points", point},
             {"rvh_chain_points", chain},
             {"rvh_ring_new", a_ring},
             {"rvh_ring_lookup", ring_lookup},
             {"rvh_ring_lookup_one", ring_lookup_one},
             {"rvh_ring_nodes", ring_nodes},
             {"rvh_prefixes", prefixes},
             {"rvh_lookup", partitions},
             {"rvh_key_words", key_words},
             {"rvh_jump", jump},
             {"rvh_compose", compose},
             {"rvh_distinct_add", distinct},
             {"rvh_bare_spans", spans}};

/* One call, whose n-th allocation fails; n 0: none. */
static rvh_status ask(size_t call, size_t n, answer *out) {
  const size_t before = live;
  memset(out, 0xa5, sizeof *out);
  allocations = 0;
  failing_one = n;
  const rvh_status status = calls[call].ask(out);
  failing_one = 0;
  check(live == before, calls[call].name, n);
  return status;
}

int main(void) {
  const size_t of_libc = live; /* where the C library is linked in, its blocks count too */
  answer *expected = malloc(sizeof *expected), *out = malloc(sizeof *out);
  check(expected != NULL && out != NULL, "memory", 0);
  prepare();
  check(make(&set, RVH_BLAKE2B, NULL) == RVH_OK && make(&weighted, RVH_MURMUR, weights) == RVH_OK &&
            rvh_ring_new(&ring, RVH_POINT_XXH64, points, owners, NODES * 8, NULL) == RVH_OK,
        "set-up", 0);
  for (size_t call = 0; call < sizeof calls / sizeof *calls; call++) {
    check(ask(call, 0, expected) == RVH_OK, calls[call].name, 0);
    const size_t all = allocations;
    size_t said = 0;
    check(all > 0, calls[call].name, 0);
    for (size_t n = 1; n <= all; n++) {
      const rvh_status status = ask(call, n, out);
      check(status == RVH_NO_MEMORY || (calls[call].ask == memo && forgotten), calls[call].name, n);
      said += status == RVH_NO_MEMORY;
      check(ask(call, 0, out) == RVH_OK && memcmp(out, expected, sizeof *out) == 0,
            calls[call].name, n);
    }
    check(said > 0, calls[call].name, all);
    failures += all;
  }
  rvh_nodes_free(set), rvh_nodes_free(weighted), rvh_ring_free(ring);
  free(expected), free(out);
  check(live == of_libc, "blocks that are left", live);
  printf("%zu allocations failed, each of them alone\n", failures);
  return 0;
}
