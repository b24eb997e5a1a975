/* The fixed workloads of the instruction gate (__main__.py): each is a few calls of the kernels on
 * data that never changes.
 *
 *   workloads              the names, one a line
 *   workloads --compiler   what built this: instruction counts are one compiler's
 *   workloads NAME         runs it once; callgrind counts what happens inside measured()
 *
 * RVH_ISA chooses the instruction set. A workload's work is never changed, only new ones added:
 * the baseline would compare unlike things.
 */
#include "rvh_kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 512, NODES = 1024, K_MAX = 16, WIDTH = 128, PARTITIONS = 4096 };

static const rvh_isa *isa;

/* ---- data --------------------------------------------------------------------------------- */

static uint64_t random_state = 1;
static uint64_t random64(void) { /* SplitMix64 */
  uint64_t z = random_state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

static uint8_t texts[KEYS * WIDTH];  /* keys as text, one after another */
static uint64_t text_ends[KEYS + 1]; /* where they end */
static uint8_t padded[KEYS * WIDTH]; /* the same padded */
static uint32_t wide[KEYS * WIDTH];  /* the same as code points */
static uint8_t views[KEYS * 16];     /* the same as Arrow's views */
static uint64_t integers[KEYS];
static uint64_t view_buffer, view_size;

/* The keys: `user:` and eight digits, with `more` bytes after them; mixed ones have 4 to 60 bytes
 * of that, and are for RVH_OFFSETS alone. */
static void make_keys(size_t more, int mixed) {
  size_t at = 0;
  for (size_t i = 0; i < KEYS; i++) {
    const size_t size = mixed ? 4 + i * 7919 % 57 : 13 + more;
    char key[WIDTH] = "";
    snprintf(key, sizeof key, "user:%08u", (unsigned)(i * 7919));
    memset(key + 13, 'x', sizeof key - 13);
    memcpy(texts + at, key, size);
    memcpy(padded + i * size, key, size);
    for (size_t j = 0; j < size; j++) wide[i * size + j] = (uint8_t)key[j];
    uint32_t length = (uint32_t)size, buffer = 0, offset = (uint32_t)at;
    memcpy(views + 16 * i, &length, 4);
    memcpy(views + 16 * i + 4, key, 4);
    memcpy(views + 16 * i + 8, &buffer, 4);
    memcpy(views + 16 * i + 12, &offset, 4);
    text_ends[i + 1] = at += size;
    integers[i] = random64();
  }
  view_buffer = (uint64_t)(uintptr_t)texts;
  view_size = at;
}

static rvh_column column_of(rvh_layout layout, size_t more, int mixed) {
  size_t size = 13 + more;
  make_keys(more, mixed);
  switch (layout) {
    case RVH_UCS4:
      return (rvh_column){.layout = layout,
                          .data = (const uint8_t *)wide,
                          .stride = 4 * (ptrdiff_t)size,
                          .itemsize = 4 * size};
    case RVH_INTEGERS:
      return (rvh_column){
          .layout = layout, .data = (const uint8_t *)integers, .stride = 8, .itemsize = 8};
    case RVH_OFFSETS:
      return (rvh_column){.layout = layout, .data = texts, .offsets = text_ends, .offset_size = 8};
    case RVH_VIEWS:
      return (rvh_column){.layout = layout,
                          .data = views,
                          .stride = 16,
                          .itemsize = 16,
                          .buffers = &view_buffer,
                          .sizes = &view_size,
                          .buffer_count = 1};
    default:
      return (rvh_column){
          .layout = layout, .data = padded, .stride = (ptrdiff_t)size, .itemsize = size};
  }
}

static uint8_t ids[NODES * 160];
static uint64_t id_ends[NODES + 1];
static double weights[NODES];

/* more: bytes in each id beyond its own; nine_lengths: 0 to 8 of them. */
static rvh_nodes *nodes_of(rvh_scheme scheme, size_t n, int weighted, size_t more,
                           int nine_lengths) {
  size_t at = 0, bad[2];
  rvh_nodes *nodes = NULL;
  for (size_t i = 0; i < n; i++) {
    if (nine_lengths) more = i % 9;
    at += (size_t)snprintf((char *)ids + at, 160 - more, "cache-%03u.eu-west-1:11211", (unsigned)i);
    memset(ids + at, 'x', more);
    id_ends[i + 1] = at += more;
    weights[i] = 1 + (double)(i % 5) / 2;
  }
  if (rvh_nodes_new(&nodes, scheme, ids, id_ends, n, weighted ? weights : NULL, NULL, 0, NULL,
                    bad) != RVH_OK)
    abort();
  return nodes;
}

static intptr_t chosen[KEYS * K_MAX];
static uint64_t words[KEYS * NODES];

/* ---- workloads ---------------------------------------------------------------------------- */

typedef struct {
  const char *name;
  void (*run)(size_t a, size_t b);
  rvh_scheme scheme;
  int weighted;
  size_t nodes; /* 0: the workload has none */
  rvh_layout layout;
  size_t keys, more; /* how many, and bytes in each beyond 13 */
  size_t a, b;       /* the workload's own: k, buckets ... */
  size_t id_more;    /* bytes in each id beyond its own */
  int nine_lengths;  /* of ids */
  int mixed_keys;    /* of 4 to 60 bytes */
} workload;

/* What is prepared before counting starts. */
static const workload *w;
static rvh_nodes *nodes;
static rvh_column keys;
static uint32_t owners[PARTITIONS * K_MAX];
static uint8_t names[NODES * 32];

static void check(rvh_status status) {
  if (status != RVH_OK) abort();
}

static void select_rows(size_t k, size_t unused) {
  size_t bad;
  (void)unused;
  check(rvh_argselect(isa, nodes, &keys, 0, w->keys, k, chosen, NULL, NULL, &bad));
}

static void select_one(size_t k, size_t unused) {
  (void)unused;
  for (size_t i = 0; i < w->keys; i++) {
    blake2_simd_bytes key = {texts + text_ends[i], (size_t)(text_ends[i + 1] - text_ends[i])};
    check(rvh_select_one(isa, nodes, key, k, chosen, NULL));
  }
}

/* b: whether the keys have replicas already, which come first. */
static void select_spread(size_t k, size_t b) {
  static uint32_t racks[NODES], zones[NODES];
  static intptr_t current[KEYS * 3];
  size_t bad;
  for (size_t i = 0; i < NODES; i++) racks[i] = (uint32_t)i % 16, zones[i] = (uint32_t)i % 8;
  for (size_t i = 0; i < KEYS * 3; i++) current[i] = (intptr_t)(i % w->nodes);
  const rvh_spread spread = {{{racks, 16, 1}, {zones, 8, 1}}, 2};
  check(rvh_argselect_spread(isa, nodes, &keys, 0, w->keys, k, &spread, b ? current : NULL, 3,
                             chosen, NULL, &bad));
}

/* a: keys that a node has room for. */
static void balance(size_t a, size_t b) {
  static int64_t left[KEYS];
  uint64_t capacity[NODES], *lists = words;
  size_t bad, free_count;
  (void)b;
  for (size_t i = 0; i < w->nodes; i++) capacity[i] = a;
  rvh_matching *matching = rvh_matching_new(isa, capacity, w->nodes, NULL, w->keys, chosen, NULL);
  if (matching == NULL) abort();
  for (size_t i = 0; i < w->keys; i++) { /* scores made up: no kernel of theirs is counted */
    lists[2 * i] = (uint64_t)integers[i] % w->nodes;
    lists[2 * i + 1] = integers[i];
  }
  check(rvh_matching_offer(matching, NULL, w->keys, 1, lists, left, &free_count, NULL));
  uint64_t *longer = lists + 2 * w->keys;
  for (size_t i = 0; i < free_count; i++)
    for (size_t j = 0; j < 16; j++) {
      longer[32 * i + j] = (integers[left[i]] + j) % w->nodes;
      longer[32 * i + 16 + j] = integers[left[i]] * (2 * j + 1);
    }
  check(rvh_matching_offer(matching, left, free_count, 16, longer, left, &bad, NULL));
  rvh_matching_free(matching);
}

/* a: entries, b: ARC or LRU. Keys come one after another three times, from the second on hits. */
static void cached(size_t a, size_t b) {
  static const uint64_t seed[3] = {1, 2, 3};
  static int64_t missing[KEYS];
  size_t bad, missing_count;
  rvh_cache *cache = rvh_cache_new(a, (size_t)1 << 20, (int)b, seed);
  if (cache == NULL) abort();
  for (int i = 0; i < 3; i++) {
    check(
        rvh_cache_get(cache, 0, &keys, 0, w->keys, 1, chosen, missing, &missing_count, NULL, &bad));
    check(rvh_cache_put(cache, 0, &keys, 0, w->keys, 1, chosen, NULL, &bad));
  }
  rvh_cache_free(cache);
}

/* a: the hash, b: nodes of a key. */
static void ring_lookup(size_t a, size_t b) {
  static uint64_t points[PARTITIONS];
  static uint32_t of[PARTITIONS];
  size_t bad;
  const unsigned shift = a == RVH_POINT_KETAMA || a == RVH_POINT_CRC32 ? 32 : 0;
  for (size_t i = 0; i < PARTITIONS; i++) {
    points[i] = (i << 52) >> shift;
    of[i] = (uint32_t)(i % 64);
  }
  rvh_ring *ring;
  check(rvh_ring_new(&ring, (rvh_point_kind)a, points, of, PARTITIONS, NULL));
  check(rvh_ring_lookup(isa, ring, &keys, 0, w->keys, b, chosen, NULL, &bad));
  rvh_ring_free(ring);
}

static void points(size_t a, size_t b) {
  size_t bad;
  (void)b;
  check(rvh_points(isa, (rvh_point_kind)a, (rvh_tag){0}, &keys, 0, w->keys, words, NULL, &bad));
}

static void geohashes(size_t a, size_t b) {
  static uint8_t text[KEYS][12];
  size_t bad;
  (void)a, (void)b;
  for (size_t i = 0; i < KEYS; i++)
    for (size_t j = 0; j < 12; j++) text[i][j] = (uint8_t)"0123456789bcdefg"[(i * 7919 >> j) % 16];
  const rvh_column places = {.layout = RVH_FIXED, .data = text[0], .stride = 12, .itemsize = 12};
  check(rvh_points(isa, RVH_POINT_GEOHASH, (rvh_tag){0}, &places, 0, w->keys, words, NULL, &bad));
}

static void score_rows(size_t a, size_t b) {
  size_t bad;
  (void)a, (void)b;
  check(rvh_scores(isa, nodes, &keys, 0, w->keys, words, NULL, &bad));
}

static void prepare(size_t a, size_t b) {
  size_t bad[2];
  rvh_nodes *fresh = NULL;
  (void)a, (void)b;
  check(rvh_nodes_new(&fresh, w->scheme, ids, id_ends, w->nodes, NULL, NULL, 0, NULL, bad));
  rvh_nodes_free(fresh);
}

static void bare_hashes(size_t message_words, size_t n) {
  words[0] = rvh_bare_hashes(isa, message_words, n);
}

static void bare_spans(size_t a, size_t b) {
  uint64_t bytes;
  (void)a, (void)b;
  check(rvh_bare_spans(&keys, 0, w->keys, &bytes));
}

static void key_words(size_t a, size_t b) {
  size_t bad;
  (void)a, (void)b;
  check(rvh_key_words(isa, &keys, 0, w->keys, words, NULL, &bad));
}

static void jump(size_t buckets, size_t k) {
  check(rvh_jump(isa, &keys, 0, w->keys, (uint32_t)buckets, k, chosen, NULL));
}

static void jumpback(size_t buckets, size_t unused) {
  (void)unused;
  check(rvh_jumpback(isa, &keys, 0, w->keys, (uint32_t)buckets, chosen, NULL));
}

static void lookup(size_t k, size_t name_size) {
  static uint8_t found[KEYS * K_MAX * 32];
  size_t bad;
  rvh_table table = {PARTITIONS, owners, k, name_size > 0 ? names : NULL, name_size};
  check(rvh_lookup(isa, &table, &keys, 0, w->keys, found, NULL, &bad));
}

static void compose(size_t a, size_t b) {
  rvh_buffer out = {0};
  size_t bad;
  (void)a, (void)b;
  rvh_part parts[] = {
      {.column = keys, .framing = RVH_SIZED},
      {.column = {RVH_INTEGERS, (const uint8_t *)integers, 8, 8, .is_signed = 0},
       .framing = RVH_BARE},
  };
  check(rvh_compose(parts, 2, w->keys, &out, words, NULL, &bad));
  free(out.data);
}

static void distinct(size_t a, size_t b) {
  static uint32_t codes[KEYS];
  rvh_distinct found = {0};
  size_t bad;
  (void)a, (void)b;
  for (int i = 0; i < 4; i++) check(rvh_distinct_add(&found, &keys, 0, w->keys, codes, NULL, &bad));
  rvh_distinct_free(&found);
}

static void neg_log(size_t a, size_t b) {
  static double out[KEYS];
  (void)a, (void)b;
  rvh_neg_log(isa, words, w->keys, out);
}

static const workload workloads[] = {
    {"bare_hashes_w4", bare_hashes, .a = 4, .b = 1 << 14},
    {"bare_hashes_w16", bare_hashes, .a = 16, .b = 1 << 14},
    {"select_blake2b_n8", select_rows, RVH_BLAKE2B, .nodes = 8, .keys = KEYS, .a = 1},
    {"select_blake2b_n64", select_rows, RVH_BLAKE2B, .nodes = 64, .keys = KEYS, .a = 1},
    {"select_blake2b_n64_k3", select_rows, RVH_BLAKE2B, .nodes = 64, .keys = KEYS, .a = 3},
    {"select_blake2b_n64_k10", select_rows, RVH_BLAKE2B, .nodes = 64, .keys = KEYS, .a = 10},
    {"select_blake2b_n64_weighted", select_rows, RVH_BLAKE2B, 1, 64, .keys = KEYS, .a = 1},
    {"select_blake2b_n64_long_keys", select_rows, RVH_BLAKE2B, .nodes = 64, .keys = KEYS,
     .more = 87, .a = 1},
    {"select_blake2b_n16_long_ids", select_rows, RVH_BLAKE2B, .nodes = 16, .keys = KEYS, .a = 1,
     .id_more = 110},
    {"select_blake2b_n1024_few_keys", select_rows, RVH_BLAKE2B, .nodes = NODES, .keys = 2, .a = 1},
    {"select_blake2b_n3", select_rows, RVH_BLAKE2B, .nodes = 3, .keys = KEYS, .a = 1},
    {"select_blake2b_n16", select_rows, RVH_BLAKE2B, .nodes = 16, .keys = KEYS, .a = 1},
    {"select_blake2b_n8_k3", select_rows, RVH_BLAKE2B, .nodes = 8, .keys = KEYS, .a = 3},
    {"select_blake2b_n8_lengths", select_rows, RVH_BLAKE2B, .nodes = 8, .keys = KEYS, .a = 1,
     .nine_lengths = 1},
    {"select_blake2b_n8_lengths_mixed_keys", select_rows, RVH_BLAKE2B, .nodes = 8,
     .layout = RVH_OFFSETS, .keys = KEYS, .a = 1, .nine_lengths = 1, .mixed_keys = 1},
    {"select_one_blake2b_n16", select_one, RVH_BLAKE2B, .nodes = 16, .keys = 256, .a = 1},
    {"select_one_blake2b_n8_lengths", select_one, RVH_BLAKE2B, .nodes = 8, .keys = 64, .a = 1,
     .nine_lengths = 1},
    {"score_blake2b_n64", score_rows, RVH_BLAKE2B, .nodes = 64, .keys = 256},
    {"prepare_blake2b_n1024", prepare, RVH_BLAKE2B, .nodes = NODES},
    {"select_murmur_n8", select_rows, RVH_MURMUR, .nodes = 8, .keys = KEYS, .a = 1},
    {"select_murmur_n64", select_rows, RVH_MURMUR, .nodes = 64, .keys = KEYS, .a = 1},
    {"select_murmur_n1024", select_rows, RVH_MURMUR, .nodes = NODES, .keys = KEYS, .a = 1},
    {"select_murmur_n64_k3", select_rows, RVH_MURMUR, .nodes = 64, .keys = KEYS, .a = 3},
    {"select_murmur_n64_weighted", select_rows, RVH_MURMUR, 1, 64, .keys = KEYS, .a = 1},
    {"select_murmur_n3", select_rows, RVH_MURMUR, .nodes = 3, .keys = KEYS, .a = 1},
    {"select_murmur_n16", select_rows, RVH_MURMUR, .nodes = 16, .keys = KEYS, .a = 1},
    {"select_murmur_n8_mixed_keys", select_rows, RVH_MURMUR, .nodes = 8, .layout = RVH_OFFSETS,
     .keys = KEYS, .a = 1, .mixed_keys = 1},
    {"select_murmur_n8_k3", select_rows, RVH_MURMUR, .nodes = 8, .keys = KEYS, .a = 3},
    {"select_murmur_n64_k10", select_rows, RVH_MURMUR, .nodes = 64, .keys = KEYS, .a = 10},
    {"select_murmur_n3_weighted", select_rows, RVH_MURMUR, 1, 3, .keys = KEYS, .a = 1},
    {"select_murmur_n16_weighted", select_rows, RVH_MURMUR, 1, 16, .keys = KEYS, .a = 1},
    {"select_one_murmur_n16", select_one, RVH_MURMUR, .nodes = 16, .keys = 256, .a = 1},
    {"select_one_murmur_n8_k3", select_one, RVH_MURMUR, .nodes = 8, .keys = 256, .a = 3},
    {"select_one_murmur_n64", select_one, RVH_MURMUR, .nodes = 64, .keys = 256, .a = 1},
    {"score_murmur_n64", score_rows, RVH_MURMUR, .nodes = 64, .keys = 256},
    {"spans_padded", bare_spans, .layout = RVH_PADDED, .keys = KEYS},
    {"spans_ucs4", bare_spans, .layout = RVH_UCS4, .keys = KEYS},
    {"spans_integers", bare_spans, .layout = RVH_INTEGERS, .keys = KEYS},
    {"spans_offsets", bare_spans, .layout = RVH_OFFSETS, .keys = KEYS},
    {"spans_views", bare_spans, .layout = RVH_VIEWS, .keys = KEYS},
    {"key_words", key_words, .keys = KEYS},
    {"jump_1000", jump, .layout = RVH_INTEGERS, .keys = KEYS, .a = 1000, .b = 1},
    {"jump_1000_k3", jump, .layout = RVH_INTEGERS, .keys = KEYS, .a = 1000, .b = 3},
    {"jumpback_1000000", jumpback, .layout = RVH_INTEGERS, .keys = KEYS, .a = 1000000},
    {"lookup_indices_k3", lookup, .keys = KEYS, .a = 3},
    {"lookup_names_k1", lookup, .keys = KEYS, .a = 1, .b = 26},
    {"compose_text_integer", compose, .keys = KEYS},
    {"distinct", distinct, .keys = KEYS},
    {"neg_log", neg_log, .keys = KEYS},
    {"spread_blake2b_n64_k3", select_spread, RVH_BLAKE2B, .nodes = 64, .keys = KEYS, .a = 3},
    {"spread_murmur_n64_k3", select_spread, RVH_MURMUR, .nodes = 64, .keys = KEYS, .a = 3},
    {"ring_ketama", ring_lookup, .keys = KEYS, .a = RVH_POINT_KETAMA, .b = 1},
    {"ring_ketama_k3", ring_lookup, .keys = KEYS, .a = RVH_POINT_KETAMA, .b = 3},
    {"ring_xxh64_k_of_all", ring_lookup, .keys = 64, .a = RVH_POINT_XXH64, .b = 64},
    {"ring_crc32", ring_lookup, .keys = KEYS, .a = RVH_POINT_CRC32, .b = 1},
    {"ring_murmur3", ring_lookup, .keys = KEYS, .a = RVH_POINT_MURMUR3, .b = 1},
    {"ring_xxh64_long_keys", ring_lookup, .keys = KEYS, .more = 87, .a = RVH_POINT_XXH64, .b = 1},
    {"points_crossing", points, .keys = KEYS, .a = RVH_POINT_MURMUR2},
    {"points_geohash", geohashes, .keys = KEYS},
    {"cache_lru_hits", cached, .keys = KEYS, .a = KEYS},
    {"cache_lru_evictions", cached, .keys = KEYS, .a = KEYS / 4},
    {"cache_arc", cached, .keys = KEYS, .a = KEYS / 2, .b = 1},
    {"balance_n16", balance, RVH_MURMUR, .nodes = 16, .keys = KEYS, .a = 33},
    {"repair_murmur_n64_k3", select_spread, RVH_MURMUR, .nodes = 64, .keys = KEYS, .a = 3, .b = 1},
};
enum { WORKLOADS = sizeof workloads / sizeof *workloads };

/* callgrind counts from here to the return. */
#if defined(__GNUC__)
__attribute__((noinline))
#endif
void measured(void);
void measured(void) { w->run(w->a, w->b); }

int main(int argc, char **argv) {
  if (argc < 2) {
    for (size_t i = 0; i < WORKLOADS; i++) puts(workloads[i].name);
    return 0;
  }
  if (strcmp(argv[1], "--compiler") == 0) {
#if defined(__clang__)
    puts("clang " __clang_version__);
#else
    puts("gcc " __VERSION__);
#endif
    return 0;
  }
  isa = rvh_isa_active();
  if (isa == NULL) {
    fputs("RVH_ISA names a set that this processor does not have\n", stderr);
    return 2;
  }
  for (w = workloads; w < workloads + WORKLOADS && strcmp(w->name, argv[1]) != 0;) w++;
  if (w == workloads + WORKLOADS) {
    fprintf(stderr, "%s is not a workload\n", argv[1]);
    return 2;
  }
  keys = column_of(w->layout, w->more, w->mixed_keys);
  if (w->nodes > 0) nodes = nodes_of(w->scheme, w->nodes, w->weighted, w->id_more, w->nine_lengths);
  for (size_t i = 0; i < PARTITIONS * K_MAX; i++) owners[i] = (uint32_t)(random64() % NODES);
  for (size_t i = 0; i < KEYS; i++) words[i] = random64() >> 11 | 1;
  measured();
  rvh_nodes_free(nodes);
  return 0;
}
