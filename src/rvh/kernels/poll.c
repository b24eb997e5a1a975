/* Long calls ask now and then whether to go on. */

#include "rvh_kernels_impl.h"

enum { POLL_WORK = 1 << 16 }; /* compressions between two questions: 1.5 ms with AVX-512 */

int rvh_stopped(rvh_poll *poll, size_t work) {
  if (poll == NULL) return 0;
  if (poll->left > work) {
    poll->left -= work;
    return 0;
  }
  poll->left = POLL_WORK;
  return poll->stop(poll->context) != 0;
}
