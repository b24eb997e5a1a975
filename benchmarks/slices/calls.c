/* The calls that cycles.py and versus.py time, over the kernels of one tree. RVH_ISA chooses the
 * instruction set. A library holds the data of one call at a time. */
#include "rvh_kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A run takes the next KEYS or FEW keys of the pool: multiples of every set's lanes, as near as may
 * be, and others than in the last run, so that no branch is learnt by heart. */
enum { NODES = 1024, ID_MAX = 48, POOL = 16320, KEYS = 2040, FEW = 306, KEY_MAX = 60, K_MAX = 10 };

typedef struct {
  const char *name;
  void (*run)(void);
  rvh_scheme scheme;
  size_t nodes;
  size_t keys; /* 0: KEYS */
  size_t k;
  size_t words;     /* of a bare compression */
  int nine_lengths; /* of the ids; otherwise one */
  int mixed_keys;   /* of 4 to 60 bytes; otherwise 13 */
  int weighted, secret;
} call;

/* ---- data --------------------------------------------------------------------------------- */

static const call *c;
static const rvh_isa *isa;
static rvh_nodes *nodes;
static rvh_column keys;
static size_t key_count, first; /* of a run */
static uint8_t texts[POOL * KEY_MAX];
static uint64_t ends[POOL + 1];
static intptr_t chosen[KEYS * K_MAX];
static uint64_t *scores;

static void check(rvh_status status) {
  if (status != RVH_OK) abort();
}

static void make_nodes(void) {
  static uint8_t ids[NODES * ID_MAX];
  static uint64_t id_ends[NODES + 1];
  static double weights[NODES];
  static const uint8_t secret[16] = "sixteen bytes, 1";
  size_t bad[2];
  for (size_t i = 0; i < c->nodes; i++) {
    char *id = (char *)ids + id_ends[i];
    const int pad = c->nine_lengths ? (int)(i % 9) : 0;
    const int size = snprintf(id, ID_MAX, "%.*scache-%03zu.eu-west-1:11211", pad, "xxxxxxxx", i);
    id_ends[i + 1] = id_ends[i] + (uint64_t)size;
    weights[i] = 1 + 2 * (double)i / (double)c->nodes;
  }
  check(rvh_nodes_new(&nodes, c->scheme, ids, id_ends, c->nodes, c->weighted ? weights : NULL,
                      secret, c->secret ? sizeof secret : 0, NULL, bad));
}

static void make_keys(void) {
  uint64_t random = 1;
  for (size_t i = 0; i < POOL; i++) {
    char *key = (char *)texts + ends[i];
    size_t size = 13;
    if (c->mixed_keys) {
      random = random * 6364136223846793005u + 1442695040888963407u;
      size = 4 + (size_t)(random >> 33) % (KEY_MAX - 3);
      for (size_t j = 0; j < size; j++) key[j] = (char)('a' + (i * (j + 7)) % 26);
    } else {
      snprintf(key, 14, "user:%08zu", i);
    }
    ends[i + 1] = ends[i] + size;
  }
  keys = c->mixed_keys
             ? (rvh_column){.layout = RVH_OFFSETS, .data = texts, .offsets = ends, .offset_size = 8}
             : (rvh_column){.layout = RVH_PADDED, .data = texts, .stride = 13, .itemsize = 13};
}

/* ---- calls -------------------------------------------------------------------------------- */

static void bare(void) { (void)rvh_bare_hashes(isa, c->words, key_count); }

static void select_rows(void) {
  size_t bad;
  check(rvh_argselect(isa, nodes, &keys, first, first + key_count, c->k, chosen, NULL, NULL, &bad));
}

static void select_one(void) {
  for (size_t i = 0; i < key_count; i++) {
    const blake2_simd_bytes key = {texts + ends[first + i],
                                   (size_t)(ends[first + i + 1] - ends[first + i])};
    check(rvh_select_one(isa, nodes, key, c->k, chosen + i * c->k, NULL));
  }
}

static void score(void) {
  size_t bad;
  check(rvh_scores(isa, nodes, &keys, first, first + key_count, scores, NULL, &bad));
}

static void select_spread(const intptr_t *current) {
  static uint32_t zones[NODES];
  size_t bad;
  for (size_t i = 0; i < c->nodes; i++) zones[i] = (uint32_t)i % 8;
  const rvh_spread by_zone = {{{zones, 8, 1}}, 1};
  check(rvh_argselect_spread(isa, nodes, &keys, first, first + key_count, c->k, &by_zone, current,
                             1, chosen, NULL, &bad));
}

static void spread(void) { select_spread(NULL); }

/* Each key has one of its replicas already. */
static void repair(void) {
  static intptr_t current[KEYS];
  for (size_t i = 0; i < key_count; i++) current[i] = (intptr_t)(i % c->nodes);
  select_spread(current);
}

/* What the tables call them. Names with `one key` count calls, all others pairs. */
static const call calls[] = {
    {"bare compression, 4 words", bare, .words = 4},
    {"bare compression, 8 words", bare, .words = 8},
    {"bare compression, 16 words", bare, .words = 16},
#define BLAKE2B(name, ...) {"blake2b, " name, select_rows, RVH_BLAKE2B, __VA_ARGS__}
    BLAKE2B("N=3", 3, .k = 1),
    BLAKE2B("N=8", 8, .k = 1),
    BLAKE2B("N=16", 16, .k = 1),
    BLAKE2B("N=64", 64, FEW, .k = 1),
    BLAKE2B("N=1024", 1024, FEW, .k = 1),
    BLAKE2B("9 lengths, N=3", 3, .k = 1, .nine_lengths = 1),
    BLAKE2B("9 lengths, N=8", 8, .k = 1, .nine_lengths = 1),
    BLAKE2B("9 lengths, N=16", 16, .k = 1, .nine_lengths = 1),
    BLAKE2B("9 lengths, N=64", 64, FEW, .k = 1, .nine_lengths = 1),
    BLAKE2B("keys of 4 to 60 bytes, N=3", 3, .k = 1, .mixed_keys = 1),
    BLAKE2B("keys of 4 to 60 bytes, N=8", 8, .k = 1, .mixed_keys = 1),
    BLAKE2B("keys of 4 to 60 bytes, N=64", 64, FEW, .k = 1, .mixed_keys = 1),
    BLAKE2B("keys of 4 to 60 bytes, 9 lengths, N=8", 8, .k = 1, .nine_lengths = 1, .mixed_keys = 1),
    BLAKE2B("keys of 4 to 60 bytes, 9 lengths, N=64", 64, FEW, .k = 1, .nine_lengths = 1,
            .mixed_keys = 1),
    BLAKE2B("N=8, k=3", 8, .k = 3),
    BLAKE2B("N=64, k=3", 64, FEW, .k = 3),
    BLAKE2B("N=64, k=10", 64, FEW, .k = 10),
    BLAKE2B("N=64, weighted", 64, FEW, .k = 1, .weighted = 1),
    BLAKE2B("N=8, secret", 8, .k = 1, .secret = 1),
#define MURMUR(name, ...) {"murmur, " name, select_rows, RVH_MURMUR, __VA_ARGS__}
    MURMUR("N=3", 3, .k = 1),
    MURMUR("N=8", 8, .k = 1),
    MURMUR("N=64", 64, .k = 1),
    MURMUR("N=256", 256, .k = 1),
    MURMUR("N=1024", 1024, .k = 1),
    MURMUR("keys of 4 to 60 bytes, N=8", 8, .k = 1, .mixed_keys = 1),
    MURMUR("N=8, k=3", 8, .k = 3),
    MURMUR("N=64, k=3", 64, .k = 3),
    MURMUR("N=64, k=10", 64, .k = 10),
    MURMUR("N=1024, k=3", 1024, FEW, .k = 3),
    MURMUR("N=3, weighted", 3, .k = 1, .weighted = 1),
    MURMUR("N=8, weighted", 8, .k = 1, .weighted = 1),
    MURMUR("N=64, weighted", 64, .k = 1, .weighted = 1),
    MURMUR("N=1024, weighted", 1024, FEW, .k = 1, .weighted = 1),
    MURMUR("N=64, k=3, weighted", 64, .k = 3, .weighted = 1),
    {"one key, blake2b, N=8", select_one, RVH_BLAKE2B, 8, FEW, .k = 1},
    {"one key, blake2b, 9 lengths, N=8", select_one, RVH_BLAKE2B, 8, FEW, .k = 1,
     .nine_lengths = 1},
    {"one key, blake2b, N=64", select_one, RVH_BLAKE2B, 64, FEW, .k = 1},
    {"one key, murmur, N=8", select_one, RVH_MURMUR, 8, FEW, .k = 1},
    {"one key, murmur, N=64", select_one, RVH_MURMUR, 64, FEW, .k = 1},
    {"one key, murmur, N=8, k=3", select_one, RVH_MURMUR, 8, FEW, .k = 3},
    {"all scores, blake2b, N=64", score, RVH_BLAKE2B, .nodes = 64, .keys = FEW},
    {"all scores, murmur, N=64", score, RVH_MURMUR, .nodes = 64, .keys = FEW},
    {"spread, blake2b, N=64, k=3", spread, RVH_BLAKE2B, 64, FEW, .k = 3},
    {"spread, murmur, N=64, k=3", spread, RVH_MURMUR, 64, FEW, .k = 3},
    {"repair, murmur, N=64, k=3", repair, RVH_MURMUR, 64, FEW, .k = 3},
};

/* ---- the library --------------------------------------------------------------------------- */

size_t calls_count(void) { return sizeof calls / sizeof *calls; }
const char *calls_name(size_t i) { return calls[i].name; }

/* Prepares a call; returns the pairs or the calls of one key that calls_run() then does, or 0 where
 * RVH_ISA names no set of this processor. */
size_t calls_start(size_t i) {
  isa = rvh_isa_active();
  if (isa == NULL) return 0;
  c = calls + i;
  first = 0;
  rvh_nodes_free(nodes);
  nodes = NULL;
  free(scores);
  scores = NULL;
  if (c->run == bare) return key_count = 64 * blake2_simd_lanes(blake2_simd_active());
  key_count = c->keys > 0 ? c->keys : KEYS;
  make_nodes();
  make_keys();
  if (c->run == score) {
    scores = calloc(key_count * c->nodes, rvh_score_words(nodes) * sizeof *scores);
    if (scores == NULL) abort();
  }
  return c->run == select_one ? key_count : key_count * c->nodes;
}

void calls_run(void) {
  c->run();
  first += key_count;
  if (first + key_count > POOL) first = 0;
}

/* A hash of the last run's answers, the same in every tree; of a bare compression none. */
uint64_t calls_answers(void) {
  if (c->run == bare) return 0;
  const int scored = c->run == score;
  const size_t count = key_count * (scored ? c->nodes * rvh_score_words(nodes) : c->k);
  uint64_t hash = 0;
  for (size_t i = 0; i < count; i++)
    hash = (hash ^ (scored ? scores[i] : (uint64_t)chosen[i])) * 0x9e3779b97f4a7c15u;
  return hash;
}
