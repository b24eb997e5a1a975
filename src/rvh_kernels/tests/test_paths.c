/* Random configurations of nodes, keys and a question: whichever way the kernels go, every set
 * answers as plain.h says.
 *
 * What changes the way is common here: few nodes and keys, or as many as lanes, strips and steps
 * have, give or take one; lengths around a block and around what a tile takes; equal hashes and
 * scores at both ends of their range; weights that leave a key all but undecided; and more low bits
 * for positions than there are, so that a fast way is often not certain. Memory ends where its
 * bytes do: the next byte cannot be read or written.
 *
 *   test_paths [CONFIGURATIONS]
 *   test_paths --only NUMBER      the configuration that a failure names */

#include "../rvh_kernels_impl.h"
#include "plain.h"

#include <stdio.h>
#include <stdlib.h>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/mman.h>
#include <unistd.h>
#define GUARDED 1
#else
#define GUARDED 0
#endif

enum {
  CONFIGURATIONS = 400,
  PIECES_MAX = 64,     /* of memory for one configuration */
  HASHED_COST = 32,    /* pairs of hashes that cost the plain code as much as one of its blocks */
  HEAPS_ALONE = 10923, /* places of a heap, where 24 of them need more than a group may */
};

#define COUNT(list) (sizeof(list) / sizeof *(list))

static uint64_t random_state;
static uint64_t random64(void) { /* SplitMix64 */
  uint64_t z = random_state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

/* One of 0 to n - 1. */
static size_t below(size_t n) { return (size_t)(random64() % n); }

/* ---- memory ------------------------------------------------------------------------------- */

static struct {
  uint8_t *start;
  size_t size;
} pieces[PIECES_MAX];
static size_t piece_count;

static void *new_piece(size_t size) {
#if GUARDED
  void *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) abort();
#else
  void *start = malloc(size);
  if (start == NULL) abort();
#endif
  if (piece_count == PIECES_MAX) abort();
  pieces[piece_count].start = start;
  pieces[piece_count++].size = size;
  return start;
}

/* Garbage between two pages that cannot be touched; it ends where the second one begins, or with
 * `at_front` begins where the first one ends. */
static void *guarded(size_t size, int at_front) {
#if GUARDED
  const size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (size + page - 1) / page * page;
  uint8_t *start = new_piece(whole + 2 * page), *own = start + page;
  if (mprotect(start, page, PROT_NONE) != 0 || mprotect(own + whole, page, PROT_NONE) != 0) abort();
  if (!at_front) own += whole - size;
#else
  uint8_t *own = new_piece(size + 1);
  (void)at_front;
#endif
  memset(own, (int)random64(), size);
  return own;
}

static void *room(size_t size) { return guarded(size, below(4) == 0); }

static void free_pieces(size_t kept) {
  while (piece_count > kept) {
    piece_count--;
#if GUARDED
    munmap(pieces[piece_count].start, pieces[piece_count].size);
#else
    free(pieces[piece_count].start);
#endif
  }
}

static void fill(uint8_t *p, size_t size) {
  for (size_t i = 0; i < size; i++) p[i] = (uint8_t)random64();
}

/* ---- the configuration -------------------------------------------------------------------- */

static struct {
  size_t number;
  /* nodes */
  rvh_scheme scheme;
  size_t n, ranked; /* all nodes, and those of a weight above 0 */
  const char *ids_are, *weights_are;
  uint8_t *data;
  uint64_t *offsets;
  double *weights; /* or NULL */
  blake2_simd_bytes secret;
  unsigned low; /* bits that hold a position, at least */
  rvh_nodes *nodes;
  /* keys */
  const char *keys_are;
  rvh_column column;
  size_t rows;
  blake2_simd_bytes *keys; /* [rows] */
  /* the question */
  size_t start, k;
  int with_words;
  rvh_spread spread; /* or of no levels */
  size_t held;
  intptr_t *current; /* [rows][held] */
  /* the answer */
  plain_rank *ranks; /* [rows][n] */
  size_t *ranking;   /* [rows][ranked] */
} c;

static const rvh_isa *isa; /* the one under test */

static void describe(FILE *out) {
  static const char *const layouts[] = {"padded", "fixed", "UCS4", "integers", "offsets", "views"};
  fprintf(out, "configuration %zu: %s, %zu nodes with %s, %s, secret of %zu bytes, %u low bits; ",
          c.number, c.scheme == RVH_MURMUR ? "murmur" : "blake2b", c.n, c.ids_are, c.weights_are,
          c.secret.size, c.low);
  fprintf(out, "%zu %s (%s%s, %td apart); k %zu of %zu, from row %zu on, ", c.rows, c.keys_are,
          layouts[c.column.layout], c.column.rows != NULL ? ", chosen" : "", c.column.stride, c.k,
          c.ranked, c.start);
  fprintf(out, "words %s, %zu levels, %zu current\n", c.with_words ? "too" : "not", c.spread.count,
          c.held);
}

static unsigned long checks;

static void check(int ok, const char *what, size_t row, size_t place) {
  checks++;
  if (ok) return;
  fprintf(stderr, "FAILED %s: %s (row %zu, place %zu) in ", isa ? isa->hash->name : "plain", what,
          row, place);
  describe(stderr);
  fprintf(stderr, "alone: test_paths --only %zu\n", c.number);
  exit(1);
}

static blake2_simd_bytes id_of(size_t index) {
  return (blake2_simd_bytes){c.data + c.offsets[index],
                             (size_t)(c.offsets[index + 1] - c.offsets[index])};
}

/* Around what kernels take at a time, or small. */
static size_t draw_count(const size_t *around, size_t count) {
  const size_t kind = below(8);
  return kind < 3   ? 1 + below(8)
         : kind < 5 ? 1 + below(40)
         : kind < 6 ? 1 + below(100)
                    : around[below(count)] + below(3) - 1;
}

/* ---- murmur backwards ---------------------------------------------------------------------- */

static uint64_t inverse(uint64_t odd) {
  uint64_t x = odd;
  for (int i = 0; i < 6; i++) x *= 2 - odd * x;
  return x;
}

static const uint64_t murmur_m = 0xc6a4a7935bd1e995u;

static uint64_t mixed_word(uint64_t k) {
  k *= murmur_m;
  return (k ^ k >> 47) * murmur_m;
}

static uint64_t unmixed_word(uint64_t k) {
  k *= inverse(murmur_m);
  return (k ^ k >> 47) * inverse(murmur_m);
}

static void put64(uint8_t *p, uint64_t x) {
  for (int b = 0; b < 8; b++) p[b] = (uint8_t)(x >> 8 * b);
}

/* An id of 16 bytes; those of the same `common` have the same hash. */
static void put_id_of_hash(uint8_t *id, uint64_t common) {
  const uint64_t first = random64(), seed = 4193360111u;
  put64(id, first);
  put64(id + 8, unmixed_word(((seed ^ 16 * murmur_m) ^ mixed_word(first)) * murmur_m ^ common));
}

/* A key of 8 bytes whose score on a node is the one given. */
static void put_key_of_score(uint8_t *key, blake2_simd_bytes id, uint64_t score) {
  const uint64_t back = inverse(0x9ddfea08eb382d69u),
                 node = plain_murmur64a(id.data, id.size, 4193360111u);
  uint64_t b = score * back;
  b ^= b >> 47;
  uint64_t a = b * back ^ node;
  a ^= a >> 47;
  uint64_t h = a * back ^ node;
  h ^= h >> 47;
  h *= inverse(murmur_m);
  h ^= h >> 47;
  h *= inverse(murmur_m);
  put64(key, unmixed_word(h ^ (2718281828u ^ 8 * murmur_m)));
}

/* ---- nodes -------------------------------------------------------------------------------- */

enum { ONE_LENGTH, SHORT, NINE_LENGTHS, LONG, AROUND_BLOCKS, WHOLE_BLOCKS, EQUAL_HASHES, ID_KINDS };

static size_t draw_id_length(size_t kind, size_t fixed) {
  switch (kind) {
    case ONE_LENGTH:
      return fixed;
    case SHORT:
      return 1 + below(12);
    case NINE_LENGTHS:
      return fixed + below(9);
    case LONG:
      return 1 + below(140);
    case AROUND_BLOCKS:
      return BLAKE2_SIMD_BLOCK * (1 + below(2)) - 10 + below(14);
    case WHOLE_BLOCKS:
      return BLAKE2_SIMD_BLOCK * (1 + below(2));
    default:
      return 16;
  }
}

/* Ids that differ: by their last bytes where the lengths are equal. */
static void make_ids(void) {
  static const char *const names[] = {
      "ids of one length", "short ids",           "ids of 9 lengths", "long ids",
      "ids around blocks", "ids of whole blocks", "equal hashes"};
  static const size_t around[] = {4, 8, 16, 17, 24, 32, 34, 64, 128, 160, 256, 288};
  c.n = draw_count(around, COUNT(around));
  if (c.scheme == RVH_MURMUR && below(30) == 0)
    c.n = below(4) > 0 ? 4096 + below(40) - 20 : HEAPS_ALONE + below(20);
  const size_t kind = below(c.scheme == RVH_MURMUR ? ID_KINDS : EQUAL_HASHES);
  const size_t fixed = 1 + below(40), least = c.n <= 256 ? 1 : 2;
  uint64_t common[4];
  for (size_t i = 0; i < COUNT(common); i++) common[i] = random64();
  const size_t hashes = 1 + below(COUNT(common));
  c.ids_are = names[kind];
  c.offsets = room((c.n + 1) * sizeof *c.offsets);
  c.offsets[0] = 0;
  for (size_t i = 0; i < c.n; i++) {
    const size_t size = draw_id_length(kind, fixed);
    c.offsets[i + 1] = c.offsets[i] + (size < least ? least : size);
  }
  c.data = room((size_t)c.offsets[c.n]);
  fill(c.data, (size_t)c.offsets[c.n]);
  for (size_t i = 0; i < c.n; i++) {
    uint8_t *end = c.data + c.offsets[i + 1];
    if (kind == EQUAL_HASHES) {
      put_id_of_hash(end - 16, common[below(hashes)]);
      continue;
    }
    end[-1] = (uint8_t)i;
    if (least == 2) end[-2] = (uint8_t)(i >> 8);
  }
}

enum { NO_WEIGHTS, FEW_WEIGHTS, EQUAL_WEIGHTS, ANY_WEIGHTS, NEAR_WEIGHTS, WEIGHT_KINDS };

/* The weight that gives a node the weighted score 1 for a key, give or take a few last places. */
static double near_weight(size_t index, blake2_simd_bytes key) {
  static const double one = 1;
  const plain_rank rank = plain_score(c.scheme, c.secret, id_of(index), key, &one);
  double weighted;
  memcpy(&weighted, &rank.word[0], 8);
  return weighted > 0 ? 1 / weighted * (1 + ((double)below(5) - 2) * 0x1p-52) : 1;
}

static double draw_weight(size_t kind, size_t index, blake2_simd_bytes key) {
  switch (kind) {
    case FEW_WEIGHTS:
      return below(5) == 0 ? 0 : (double)(1 + below(8)) / (double)(1 + below(3));
    case EQUAL_WEIGHTS:
      return 3;
    case ANY_WEIGHTS:
      return ldexp(1 + (double)below(1 << 20) / (1 << 20), (int)below(1016 + 969) - 1016);
    default:
      return near_weight(index, key);
  }
}

/* Needs a key that near weights are near for. */
static void make_nodes(blake2_simd_bytes key) {
  static const char *const names[] = {"no weights", "few weights", "equal weights", "any weights",
                                      "near weights"};
  static const unsigned lows[] = {0, 0, 0, 8, 16, 40, 60};
  const size_t kind = below(2) ? NO_WEIGHTS : 1 + below(WEIGHT_KINDS - 1);
  size_t bad[2];
  c.weights_are = names[kind];
  c.weights = kind == NO_WEIGHTS ? NULL : room(c.n * sizeof *c.weights);
  for (size_t i = 0; c.weights != NULL && i < c.n; i++) c.weights[i] = draw_weight(kind, i, key);
  if (c.weights != NULL) c.weights[below(c.n)] += 1; /* one at least is above 0 */
  c.ranked = 0;
  for (size_t i = 0; i < c.n; i++) c.ranked += c.weights == NULL || c.weights[i] > 0;
  check(rvh_nodes_new(&c.nodes, c.scheme, c.data, c.offsets, c.n, c.weights, c.secret.data,
                      c.secret.size, NULL, bad) == RVH_OK,
        "nodes", 0, 0);
  c.low = lows[below(COUNT(lows))];
  c.nodes->low |= ((uint64_t)1 << c.low) - 1;
}

/* ---- keys --------------------------------------------------------------------------------- */

enum {
  ONE_SIZE,
  FEW_BYTES,
  UP_TO_A_BLOCK,
  AROUND_A_BLOCK,
  BLOCKS,
  AROUND_A_TILE,
  CHOSEN,
  KEY_KINDS
};

static size_t draw_size(size_t kind, size_t fixed) {
  switch (kind) {
    case ONE_SIZE:
      return fixed;
    case FEW_BYTES:
      return below(9);
    case UP_TO_A_BLOCK:
      return below(70);
    case AROUND_A_BLOCK:
      return BLAKE2_SIMD_BLOCK - 18 + below(24);
    case BLOCKS:
      return below(300);
    case AROUND_A_TILE:
      return below(8) > 0 ? below(40) : BLAKE2_SIMD_SUFFIX_MAX - 8 + below(16);
    default:
      return 8;
  }
}

/* The bytes of an element; `chosen`: those of a key whose score on some node is at an end. */
static void put_element(uint8_t *p, size_t size, int chosen) {
  static const uint64_t scores[] = {
      0, 1, ~(uint64_t)0, (uint64_t)1 << 53, ((uint64_t)1 << 53) - 1, (uint64_t)1 << 63};
  if (chosen)
    put_key_of_score(p, id_of(below(c.n)), scores[below(COUNT(scores))]);
  else
    fill(p, size);
}

static void make_offsets(size_t elements, const size_t *sizes, int chosen) {
  const size_t each = below(2) ? 4 : 8;
  uint8_t *offsets = room((elements + 1) * each);
  uint64_t at = below(4);
  for (size_t i = 0; i <= elements; i++) {
    const uint32_t narrow = (uint32_t)at;
    memcpy(offsets + i * each, each == 4 ? (const void *)&narrow : &at, each);
    if (i < elements) at += sizes[i];
  }
  uint8_t *data = room((size_t)at);
  for (size_t i = elements; i-- > 0;) put_element(data + (at -= sizes[i]), sizes[i], chosen);
  c.column.data = data;
  c.column.offsets = offsets;
  c.column.offset_size = each;
}

/* Elements of one size, some bytes apart, forwards or backwards. */
static void make_items(size_t elements, const size_t *sizes, int chosen) {
  size_t size = 0;
  for (size_t i = 0; i < elements; i++) size = sizes[i] > size ? sizes[i] : size;
  if (c.column.layout == RVH_INTEGERS) size = chosen ? 8 : (size_t)1 << below(4);
  const size_t step = size + (below(2) ? 0 : below(9));
  const int back = below(4) == 0;
  const size_t padded = below(2) ? 1 : 8; /* one of so many elements has padding */
  uint8_t *data = room((elements - 1) * step + size);
  for (size_t i = 0; i < elements; i++) {
    uint8_t *p = data + i * step;
    put_element(p, size, chosen);
    if (c.column.layout == RVH_PADDED && below(padded) == 0)
      memset(p + sizes[i], 0, size - sizes[i]);
  }
  c.column.swapped = c.column.layout == RVH_INTEGERS && below(4) == 0;
  c.column.is_signed = c.column.layout == RVH_INTEGERS && below(2);
  c.column.itemsize = size;
  c.column.stride = back ? -(ptrdiff_t)step : (ptrdiff_t)step;
  c.column.data = back ? data + (elements - 1) * step : data;
}

/* Up to so many rows; a row may be there more than once. */
static void make_keys(size_t most, size_t kind) {
  static const char *const names[] = {"keys of one size",     "keys of few bytes",
                                      "keys up to a block",   "keys around a block",
                                      "keys of some blocks",  "keys around a tile's longest",
                                      "keys of chosen scores"};
  static const rvh_layout layouts[] = {RVH_PADDED, RVH_FIXED, RVH_INTEGERS, RVH_OFFSETS,
                                       RVH_OFFSETS};
  static const size_t around[] = {4, 8, 16, 17, 24, 32, 34, 51, 64, 256, 512, 1024};
  const size_t drawn = draw_count(around, COUNT(around)), fixed = below(140);
  c.rows = drawn < most ? drawn : most;
  c.keys_are = names[kind];
  c.column = (rvh_column){.layout = layouts[below(COUNT(layouts))]};
  const size_t elements = below(4) > 0 ? c.rows : 1 + below(c.rows);
  size_t *sizes = room(elements * sizeof *sizes);
  for (size_t i = 0; i < elements; i++) sizes[i] = draw_size(kind, fixed);
  if (c.column.layout == RVH_OFFSETS)
    make_offsets(elements, sizes, kind == CHOSEN);
  else
    make_items(elements, sizes, kind == CHOSEN);
  if (elements < c.rows || below(4) == 0) {
    int64_t *rows = room(c.rows * sizeof *rows);
    for (size_t i = 0; i < c.rows; i++) rows[i] = (int64_t)below(elements);
    c.column.rows = rows;
  }
  c.keys = room(c.rows * sizeof *c.keys);
  uint8_t *loaded = room(c.rows * 8); /* integers */
  for (size_t i = 0; i < c.rows; i++) {
    const size_t at = c.column.rows != NULL ? (size_t)c.column.rows[i] : i;
    check(plain_element(&c.column, at, loaded + 8 * i, &c.keys[i]), "element", i, 0);
  }
}

/* ---- the question, and the answer by the contract ------------------------------------------ */

/* Levels from the innermost out, each domain of one in one of the next. */
static void make_spread(void) {
  c.spread.count = below(3) > 0 ? 0 : 1 + below(3);
  for (size_t level = 0; level < c.spread.count; level++) {
    const size_t domains = 1 + below(c.n),
                 parts = level > 0 ? c.spread.levels[level - 1].domains : c.n;
    uint32_t *parent = room(parts * sizeof *parent), *domain = room(c.n * sizeof *domain);
    for (size_t i = 0; i < parts; i++) parent[i] = (uint32_t)below(domains);
    for (size_t i = 0; i < c.n; i++)
      domain[i] = parent[level > 0 ? c.spread.levels[level - 1].domain[i] : i];
    c.spread.levels[level] = (rvh_level){domain, domains, 1 + below(below(2) ? 3 : 20)};
  }
}

static void make_question(void) {
  const size_t kind = below(8);
  c.k = c.n >= HEAPS_ALONE ? c.ranked
        : kind < 4         ? 1
        : kind < 7         ? 1 + below(c.ranked < 20 ? c.ranked : 20)
                           : c.ranked;
  c.start = below(4) > 0 ? 0 : below(c.rows);
  c.with_words = below(2) == 0;
  make_spread();
  c.held = below(3) > 0 ? 0 : 1 + below(3);
  c.current = room(c.rows * c.held * sizeof *c.current);
  for (size_t i = 0; i < c.rows * c.held; i++) c.current[i] = (intptr_t)below(c.n + 1) - 1;
}

static const plain_rank *ranks_of_row; /* what nodes are sorted by */

static int by_rank(const void *x, const void *y) {
  const size_t a = *(const size_t *)x, b = *(const size_t *)y;
  return plain_before(&ranks_of_row[a], id_of(a), &ranks_of_row[b], id_of(b)) ? -1 : 1;
}

/* The nodes that can be selected, best first. */
static void rank_nodes(const plain_rank *ranks, size_t *ranking) {
  size_t n = 0;
  for (size_t i = 0; i < c.n; i++)
    if (c.weights == NULL || c.weights[i] > 0) ranking[n++] = i;
  ranks_of_row = ranks;
  qsort(ranking, n, sizeof *ranking, by_rank);
}

static void answer(void) {
  c.ranks = room(c.rows * c.n * sizeof *c.ranks);
  c.ranking = room(c.rows * c.ranked * sizeof *c.ranking);
  for (size_t row = 0; row < c.rows; row++) {
    plain_rank *ranks = c.ranks + row * c.n;
    for (size_t i = 0; i < c.n; i++)
      ranks[i] = plain_score(c.scheme, c.secret, id_of(i), c.keys[row],
                             c.weights != NULL ? &c.weights[i] : NULL);
    rank_nodes(ranks, c.ranking + row * c.ranked);
  }
}

static void configure(size_t number) {
  random_state = number;
  memset(&c, 0, sizeof c);
  c.number = number;
  c.scheme = below(2) ? RVH_MURMUR : RVH_BLAKE2B;
  make_ids();
  if (c.scheme == RVH_BLAKE2B && below(3) == 0) {
    c.secret.size = 1 + below(BLAKE2_SIMD_KEY_MAX);
    uint8_t *secret = room(c.secret.size);
    fill(secret, c.secret.size);
    c.secret.data = secret;
  }
  const size_t kind = below(c.scheme == RVH_MURMUR ? KEY_KINDS : CHOSEN);
  const size_t longer = kind >= AROUND_A_BLOCK && kind != CHOSEN, blocks = 1 + 2 * longer;
  const size_t each = c.scheme == RVH_MURMUR ? HASHED_COST : 1;
  make_keys(1 + ((size_t)128 << below(6)) * each / (c.n * blocks), kind);
  make_nodes(c.keys[below(c.rows)]);
  make_question();
  answer();
}

/* ---- what a set answers -------------------------------------------------------------------- */

static void check_selected(const char *what, const intptr_t *chosen, size_t row) {
  for (size_t j = 0; j < c.k; j++)
    check(chosen[j] == (intptr_t)c.ranking[row * c.ranked + j], what, row, j);
}

static void test_select(void) {
  const size_t rows = c.rows - c.start;
  intptr_t *chosen = room(rows * c.k * sizeof *chosen);
  uint64_t *words = c.with_words ? room(rows * c.k * sizeof *words) : NULL;
  size_t bad;
  check(rvh_argselect(isa, c.nodes, &c.column, c.start, c.rows, c.k, chosen, words, NULL, &bad) ==
            RVH_OK,
        "argselect", 0, 0);
  for (size_t row = c.start; row < c.rows; row++) {
    const size_t at = (row - c.start) * c.k;
    check_selected("argselect", chosen + at, row);
    for (size_t j = 0; c.with_words && j < c.k; j++) {
      const plain_rank *rank = &c.ranks[row * c.n + c.ranking[row * c.ranked + j]];
      check(words[at + j] == rank->word[c.weights == NULL], "words", row, j);
    }
  }
}

static void test_one(void) {
  size_t longest = 0;
  for (size_t row = 0; row < c.rows; row++)
    longest = c.keys[row].size > longest ? c.keys[row].size : longest;
  intptr_t *chosen = room(c.k * sizeof *chosen);
  uint8_t *end = (uint8_t *)guarded(longest, 0) + longest;
  for (size_t row = c.start; row < c.rows; row++) {
    const blake2_simd_bytes key = {end - c.keys[row].size, c.keys[row].size};
    if (key.size > 0) memcpy(end - key.size, c.keys[row].data, key.size);
    check(rvh_select_one(isa, c.nodes, key, c.k, chosen, NULL) == RVH_OK, "one key", row, 0);
    check_selected("one key", chosen, row);
  }
}

static void test_scores(void) {
  const size_t rows = c.rows - c.start, each = rvh_score_words(c.nodes);
  uint64_t *scores = room(rows * c.n * each * sizeof *scores);
  size_t bad;
  check(rvh_scores(isa, c.nodes, &c.column, c.start, c.rows, scores, NULL, &bad) == RVH_OK,
        "scores", 0, 0);
  for (size_t row = c.start; row < c.rows; row++)
    for (size_t i = 0; i < c.n; i++)
      for (size_t w = 0; w < each; w++)
        check(*scores++ == c.ranks[row * c.n + i].word[(c.weights == NULL) + w], "scores", row, i);
}

/* Current nodes first, each group as it ranks; then the walks. */
static void test_spread(void) {
  const size_t rows = c.rows - c.start;
  intptr_t *chosen = room(rows * c.k * sizeof *chosen);
  intptr_t *expected = room(c.k * sizeof *expected);
  size_t *first = room(c.ranked * sizeof *first), bad;
  check(rvh_argselect_spread(
            isa, c.nodes, &c.column, c.start, c.rows, c.k, c.spread.count > 0 ? &c.spread : NULL,
            c.held > 0 ? c.current + c.start * c.held : NULL, c.held, chosen, NULL, &bad) == RVH_OK,
        "spread", 0, 0);
  for (size_t row = c.start; row < c.rows; row++) {
    size_t n = 0;
    for (int others = 0; others < 2; others++)
      for (size_t j = 0; j < c.ranked; j++) {
        const size_t node = c.ranking[row * c.ranked + j];
        int is_held = 0;
        for (size_t h = 0; h < c.held; h++)
          is_held |= c.current[row * c.held + h] == (intptr_t)node;
        if (is_held != others) first[n++] = node;
      }
    check(plain_walk(first, n, &c.spread, c.k, expected) == c.k, "walk", row, 0);
    for (size_t j = 0; j < c.k; j++) check(*chosen++ == expected[j], "spread", row, j);
  }
}

/* The rankings of scores of which few bits are left, so that they tie. */
static void test_ties(void) {
  const size_t each = c.scheme == RVH_BLAKE2B ? 2 : 1;
  uint64_t *scores = room(c.rows * c.n * each * sizeof *scores), mask = random64();
  intptr_t *chosen = room(c.rows * c.k * sizeof *chosen);
  plain_rank *ranks = room(c.n * sizeof *ranks);
  size_t *ranking = room(c.ranked * sizeof *ranking);
  for (size_t cuts = 3 + below(3); cuts > 0; cuts--) mask &= random64();
  for (size_t i = 0; i < c.rows * c.n; i++)
    for (size_t w = 0; w < each; w++) scores[i * each + w] = c.ranks[i].word[1 + w] & mask;
  check(rvh_rank_scores(isa, c.nodes, scores, c.rows, c.k, chosen) == RVH_OK, "ties", 0, 0);
  for (size_t row = 0; row < c.rows; row++) {
    for (size_t i = 0; i < c.n; i++, scores += each) {
      const uint64_t bits =
          c.weights != NULL ? plain_weighted(c.scheme, scores[0], c.weights[i]) : 0;
      ranks[i] = (plain_rank){{bits, scores[0], each == 2 ? scores[1] : 0}};
    }
    rank_nodes(ranks, ranking);
    for (size_t j = 0; j < c.k; j++) check(*chosen++ == (intptr_t)ranking[j], "ties", row, j);
  }
}

static void test_configuration(size_t number) {
  const rvh_isa *all;
  const size_t sets = rvh_isa_all(&all);
  isa = NULL;
  configure(number);
  const uint64_t state = random_state;
  const size_t kept = piece_count;
  for (size_t i = 0; i < sets; i++) {
    if (blake2_simd_find(all[i].hash->name) == NULL) continue;
    isa = &all[i];
    random_state = state; /* the same for each set */
    test_select();
    test_one();
    test_scores();
    if (c.spread.count > 0 || c.held > 0) test_spread();
    test_ties();
    free_pieces(kept);
  }
  rvh_nodes_free(c.nodes);
  free_pieces(0);
}

int main(int argc, char **argv) {
  const rvh_isa *all;
  const size_t sets = rvh_isa_all(&all);
  if (argc == 3 && strcmp(argv[1], "--only") == 0) {
    test_configuration((size_t)strtoull(argv[2], NULL, 10));
    describe(stdout);
  } else {
    const size_t count = argc == 2 ? (size_t)strtoull(argv[1], NULL, 10) : CONFIGURATIONS;
    for (size_t number = 0; number < count; number++) test_configuration(number);
  }
  for (size_t i = 0; i < sets; i++)
    printf(
        "%s: %s\n", all[i].hash->name,
        blake2_simd_find(all[i].hash->name) != NULL ? "tested" : "not available here, not tested");
  printf("%lu checks passed\n", checks);
  return 0;
}
