/* The clock of slices/: calls take turns, and between any two of them the clock is read.
 *
 * No counter of cycles is open to every user, so the clock is read by a chain of dependent
 * additions, one cycle each. The chain takes 3 microseconds: an Intel core lowers its clock under
 * dense 512-bit code and has it back 8 microseconds later, so a longer chain would read another
 * clock than the one that the calls had.
 */
#define _POSIX_C_SOURCE 199309L
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { CYCLES = 8192 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void chain(void) {
  uint64_t x = 1;
  for (int i = 0; i < CYCLES; i += 16)
#if defined(__x86_64__)
    __asm__ volatile(".rept 16\n add %0, %0\n .endr" : "+r"(x));
#else
    __asm__ volatile(".rept 16\n add %0, %0, %0\n .endr" : "+r"(x));
#endif
}

static void nothing(void) {}

static double ns_of(void (*run)(void)) {
  const double start = now();
  run();
  return now() - start;
}

/* What reading the time takes itself. */
static double overhead(void) {
  double least = 1e9;
  for (int i = 0; i < 100; i++) {
    const double took = ns_of(nothing);
    if (took < least) least = took;
  }
  return least;
}

/* ns[side * rounds + r], cycles[...]: what run[side] took in round r. */
void slices(void (*const *run)(void), size_t sides, size_t rounds, double *ns, double *cycles) {
  const double own = overhead();
  for (size_t side = 0; side < sides; side++) run[side]();
  double before = ns_of(chain) - own;
  for (size_t r = 0; r < rounds; r++)
    for (size_t side = 0; side < sides; side++) {
      const double took = ns_of(run[side]) - own, after = ns_of(chain) - own;
      ns[side * rounds + r] = took;
      cycles[side * rounds + r] = took * (double)CYCLES / ((before + after) / 2);
      before = after;
    }
}
