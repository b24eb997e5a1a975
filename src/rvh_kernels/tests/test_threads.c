/* Threads that share what is const: the first look at the processor, prepared nodes, a ring, a
 * memo, and a flag that ends their calls. ThreadSanitizer sees races that give right answers too:
 * nox -s "ctests(threads)". */

#include "../rvh_kernels.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 8, NODES = 50, KEYS = 600, K = 3, ROUNDS = 4 };

static void check(int ok, const char *what, size_t a) {
  if (ok) return;
  fprintf(stderr, "FAILED %s (%zu)\n", what, a);
  exit(1);
}

static uint64_t numbers[KEYS];
static uint8_t ids[2 * NODES];
static uint64_t id_offsets[NODES + 1];
static uint64_t points[NODES * 8];
static uint32_t owners[NODES * 8];
static const rvh_column keys = {
    .layout = RVH_INTEGERS, .data = (const uint8_t *)numbers, .stride = 8, .itemsize = 8};

static rvh_nodes *nodes;
static rvh_ring *ring;
static rvh_prefixes *prefixes;
static rvh_cache *cache;
static uint64_t epoch;

static void prepare(void) {
  static const uint64_t seed[3] = {1, 2, 3};
  double weights[NODES];
  size_t bad[2];
  for (size_t i = 0; i < KEYS; i++) numbers[i] = i * 0x9e3779b97f4a7c15u;
  for (size_t i = 0; i < NODES; i++) {
    ids[2 * i] = 'n';
    ids[2 * i + 1] = (uint8_t)i;
    id_offsets[i + 1] = 2 * (i + 1);
    weights[i] = 1 + (double)(i % 3);
  }
  for (size_t i = 0; i < NODES * 8; i++) {
    points[i] = i << 54;
    owners[i] = (uint32_t)(i % NODES);
  }
  check(rvh_nodes_new(&nodes, RVH_BLAKE2B, ids, id_offsets, NODES, weights, NULL, 0, NULL, bad) ==
                RVH_OK &&
            rvh_ring_new(&ring, RVH_POINT_XXH64, points, owners, NODES * 8, NULL) == RVH_OK,
        "set-up", 0);
  prefixes = rvh_prefixes_new(ids, id_offsets, NODES, 7, 0);
  cache = rvh_cache_new(KEYS / 2, 1 << 20, 1, seed);
  check(prefixes != NULL && cache != NULL, "set-up", 1);
  epoch = rvh_cache_clear(cache);
}

/* ---- the same questions from all threads ---------------------------------------------------- */

typedef struct {
  const rvh_isa *isa;
  intptr_t selected[KEYS][K], on_ring[KEYS][K], by_prefix[KEYS][K];
  uint64_t scores[KEYS][NODES];
} answers;

static pthread_barrier_t together;

static void *ask(void *context) {
  answers *to = context;
  size_t bad;
  pthread_barrier_wait(&together);
  to->isa = rvh_isa_active(); /* the first call of all threads at once */
  for (int round = 0; round < ROUNDS; round++) {
    static const intptr_t none[KEYS][K];
    intptr_t found[KEYS][K];
    int64_t missing[KEYS];
    size_t missed, m = 0;
    check(rvh_argselect(to->isa, nodes, &keys, 0, KEYS, K, to->selected[0], NULL, NULL, &bad) ==
                  RVH_OK &&
              rvh_scores(to->isa, nodes, &keys, 0, KEYS, to->scores[0], NULL, &bad) == RVH_OK &&
              rvh_ring_lookup(to->isa, ring, &keys, 0, KEYS, K, to->on_ring[0], NULL, &bad) ==
                  RVH_OK &&
              rvh_prefixes_select(prefixes, &keys, 0, KEYS, K, to->by_prefix[0], NULL, &bad) ==
                  RVH_OK &&
              rvh_cache_get(cache, epoch, &keys, 0, KEYS, K, found[0], missing, &missed, NULL,
                            &bad) == RVH_OK &&
              rvh_cache_put(cache, epoch, &keys, 0, KEYS, K, to->selected[0], NULL, &bad) == RVH_OK,
          "a call", (size_t)round);
    for (size_t i = 0; i < KEYS; i++) {
      if (m < missed && missing[m] == (int64_t)i)
        m++;
      else
        check(memcmp(found[i], to->selected[i], sizeof found[i]) == 0, "the memo", i);
    }
    /* Old answers come too late, whenever another thread begins anew. */
    if (round == ROUNDS / 2) rvh_cache_clear(cache);
    check(rvh_cache_put(cache, epoch - 1, &keys, 0, KEYS, K, none[0], NULL, &bad) == RVH_OK, "put",
          0);
  }
  return NULL;
}

static void test_sharing(void) {
  pthread_t threads[THREADS];
  answers *each = calloc(THREADS + 1, sizeof *each);
  check(each != NULL && pthread_barrier_init(&together, NULL, THREADS) == 0, "set-up", 2);
  for (size_t t = 0; t < THREADS; t++)
    check(pthread_create(&threads[t], NULL, ask, &each[t]) == 0, "a thread", t);
  for (size_t t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);
  pthread_barrier_destroy(&together);
  check(pthread_barrier_init(&together, NULL, 1) == 0, "set-up", 3);
  ask(&each[THREADS]);
  pthread_barrier_destroy(&together);
  for (size_t t = 0; t < THREADS; t++)
    check(memcmp(&each[t], &each[THREADS], sizeof *each) == 0, "answers", t);
  free(each);
}

/* ---- calls that another thread ends ---------------------------------------------------------- */

static atomic_int ended, running;

static int stop(void *context) {
  return atomic_load_explicit((atomic_int *)context, memory_order_relaxed);
}

static void *go_on(void *unused) {
  rvh_poll poll = {.stop = stop, .context = &ended};
  intptr_t out[KEYS][K];
  size_t bad;
  rvh_status status = RVH_OK;
  (void)unused;
  atomic_fetch_add(&running, 1);
  while (status == RVH_OK)
    status = rvh_argselect(rvh_isa_active(), nodes, &keys, 0, KEYS, K, out[0], NULL, &poll, &bad);
  check(status == RVH_STOPPED && poll.stopped, "an ended call", (size_t)status);
  return NULL;
}

static void test_ending(void) {
  pthread_t threads[THREADS];
  for (size_t t = 0; t < THREADS; t++)
    check(pthread_create(&threads[t], NULL, go_on, NULL) == 0, "a thread", t);
  while (atomic_load(&running) < THREADS) continue;
  atomic_store_explicit(&ended, 1, memory_order_relaxed);
  for (size_t t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);
}

int main(void) {
  prepare();
  test_sharing();
  test_ending();
  rvh_nodes_free(nodes), rvh_ring_free(ring), rvh_prefixes_free(prefixes), rvh_cache_free(cache);
  printf("%d threads gave one answer\n", THREADS);
  return 0;
}
