/* Words to buckets: jump hash and JumpBackHash, `FLIGHT` vectors of keys at a time.
 *
 * A division or a multiplication takes long to answer and short to start, so several vectors share
 * the wait: with vectors of one, too, it halves the time. A vector works until its last lane is
 * done; refilling lanes that are done earlier costs more than it saves. */

enum { FLIGHT = 4 }; /* of the widest vectors, RVH_BUCKETS_GROUP keys */

/* ---- jump hash ----------------------------------------------------------------------------- */
/* J. Lamping and E. Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", 2014,
 * https://arxiv.org/abs/1406.2294. Their loop, in doubles from end to end: with whole numbers below
 * 2^31, `(int64_t)x < n` is `x < n`, and adding or subtracting 2^52 converts without rounding. */

/* One more than the bucket where the key stands, and where it jumps from there. */
typedef struct {
  V key;
  D stands, jump;
  V_MASK open; /* lanes that jumped to a bucket that is there */
} jumping;

ALWAYS_INLINE void jump_once(jumping *at, D buckets) {
  const D landed = D_ADD(D_TRUNC(at->jump), D_SET1(1));
  at->stands = D_SELECT(at->open, landed, at->stands);
  at->key = V_ADD(V_MUL(at->key, V_SET1(2862933555777941757u)), V_SET1(1));
  const V biased = V_OR(V_SRL(at->key, 33), V_SET1(0x4330000000000000u)); /* bits of 2^52 + x */
  const D divisor = D_SUB(D_OF_BITS(biased), D_SET1(0x1p52 - 1));         /* x + 1 */
  at->jump = D_MUL(at->stands, D_DIV(D_SET1(0x1p31), divisor));
  at->open = V_MASK_AND(at->open, D_LT(at->jump, buckets));
}

void NAME(jump)(uint64_t *words, size_t n, uint32_t buckets) {
  const D limit = D_SET1(buckets), zero = D_SET1(0);
  const V_MASK all = D_LT(zero, limit);
  for (size_t i = 0; i < n; i += FLIGHT * V_LANES) {
    jumping at[FLIGHT];
    V_MASK open;
    for (size_t f = 0; f < FLIGHT; f++)
      at[f] = (jumping){V_LOAD(words + i + f * V_LANES), zero, zero, all};
    do {
      for (size_t f = 0; f < FLIGHT; f++) {
        jump_once(&at[f], limit);
        open = f == 0 ? at[f].open : V_MASK_OR(open, at[f].open);
      }
    } while (V_ANY(open));
    for (size_t f = 0; f < FLIGHT; f++) {
      const V biased = D_BITS(D_ADD(at[f].stands, D_SET1(0x1p52 - 1)));
      V_STORE(words + i + f * V_LANES, V_XOR(biased, V_SET1(0x4330000000000000u)));
    }
  }
}

/* ---- JumpBackHash -------------------------------------------------------------------------- */
/* O. Ertl, "JumpBackHash: Say Goodbye to the Modulo Operation to Distribute Keys Uniformly to
 * Buckets", 2024, https://arxiv.org/abs/2403.18682, over SplitMix64 (G. Steele, D. Lea, C. Flood,
 * "Fast Splittable Pseudorandom Number Generators", 2014) seeded with the key.
 *
 * The paper walks over the set bits of one random number, from the highest down, and stops at the
 * first that gives a bucket there is. Only the highest bit that n - 1 has can give one that there
 * is not: every other bit gives a bucket below it. So a lane has two candidates, and only one that
 * stands at or above n draws again. */

#define GOLDEN 0x9e3779b97f4a7c15u

ALWAYS_INLINE V splitmix64(V state) {
  V z = state;
  z = V_MUL(V_XOR(z, V_SRL(z, 30)), V_SET1(0xbf58476d1ce4e5b9u));
  z = V_MUL(V_XOR(z, V_SRL(z, 27)), V_SET1(0x94d049bb133111ebu));
  return V_XOR(z, V_SRL(z, 31));
}

/* All bits from the highest set one down, of 32 bits. */
ALWAYS_INLINE V fill_down(V x) {
  x = V_OR(x, V_SRL(x, 1));
  x = V_OR(x, V_SRL(x, 2));
  x = V_OR(x, V_SRL(x, 4));
  x = V_OR(x, V_SRL(x, 8));
  return V_OR(x, V_SRL(x, 16));
}

/* Lanes with an odd number of bits set, of 32 bits. */
ALWAYS_INLINE V_MASK odd(V x) {
  x = V_XOR(x, V_SRL(x, 16));
  x = V_XOR(x, V_SRL(x, 8));
  x = V_XOR(x, V_SRL(x, 4));
  x = V_XOR(x, V_SRL(x, 2));
  x = V_XOR(x, V_SRL(x, 1));
  return V_EQ(V_AND(x, V_SET1(1)), V_SET1(1));
}

typedef struct {
  V last;  /* the highest bucket */
  V all;   /* the bits that a bucket can have */
  V below; /* those but the highest */
} range;

typedef struct {
  V state;  /* SplitMix64's */
  V lower;  /* the bucket without the highest bit */
  V bucket; /* where it is none, the lane draws again */
} drawing;

ALWAYS_INLINE drawing first_draw(V key, range r) {
  drawing d;
  d.state = V_ADD(key, V_SET1(GOLDEN));
  const V v = splitmix64(d.state), high = V_SRL(v, 32);
  const V bits = V_AND(V_XOR(v, high), r.all), low_bits = V_AND(bits, r.below);
  /* Which half of v is used goes by the number of bits left, so the other one by one bit more. */
  const V_MASK half = odd(low_bits);
  const V filled = fill_down(low_bits), under = V_SRL(filled, 1);
  d.lower = V_OR(V_SUB(filled, under), V_AND(V_SELECT(half, high, v), under));
  const V upper = V_OR(V_SUB(r.all, r.below), V_AND(V_SELECT(half, v, high), r.below));
  d.bucket = V_SELECT(V_GT(bits, r.below), upper, d.lower);
  return d;
}

ALWAYS_INLINE void draw_again(drawing *d, V_MASK none, range r) {
  d->state = V_ADD(d->state, V_SET1(GOLDEN));
  const V w = splitmix64(d->state);
  const V first = V_AND(w, r.all), second = V_AND(V_SRL(w, 32), r.all);
  const V drawn = V_SELECT(V_GT(first, r.last), second, first);
  d->bucket = V_SELECT(none, V_SELECT(V_GT(drawn, r.below), drawn, d->lower), d->bucket);
}

void NAME(jumpback)(uint64_t *words, size_t n, uint32_t buckets) {
  const V last = V_SET1(buckets - 1), all = fill_down(last);
  const range r = {last, all, V_SRL(all, 1)};
  for (size_t i = 0; i < n; i += FLIGHT * V_LANES) {
    drawing d[FLIGHT];
    V_MASK none[FLIGHT], any;
    for (size_t f = 0; f < FLIGHT; f++) d[f] = first_draw(V_LOAD(words + i + f * V_LANES), r);
    for (;;) {
      for (size_t f = 0; f < FLIGHT; f++) {
        none[f] = V_GT(d[f].bucket, r.last);
        any = f == 0 ? none[f] : V_MASK_OR(any, none[f]);
      }
      if (!V_ANY(any)) break;
      for (size_t f = 0; f < FLIGHT; f++) draw_again(&d[f], none[f], r);
    }
    for (size_t f = 0; f < FLIGHT; f++) V_STORE(words + i + f * V_LANES, d[f].bucket);
  }
}
