/* BLAKE2b in portable C, one message at a time: the specification that the other sets are held
 * against, right on any byte order. */

#include "blake2_simd_vec_portable.h"

#define STREAMS 1
#define SCALAR 0

#define ADD(a, b) a += b;
#define ADD_AT(a, p) a += *(p);
#define XOR(a, b) a ^= b;
#define ROTR(a, n) a = a >> n | a << (64 - n);
#define ROTR_32(a) ROTR(a, 32)
#define ROTR_24(a) ROTR(a, 24)
#define ROTR_16(a) ROTR(a, 16)
#define ROTR_63(a) ROTR(a, 63)

#define ROUND_BEGIN
#define ROUND_END
#define REST_8
#define REST_11

#define IMPL blake2_simd_portable
#define IMPL_NAME "portable"
#include "blake2_simd_lanes.h"
