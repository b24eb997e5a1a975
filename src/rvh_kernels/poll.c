/* Long calls ask now and then whether to go on. */

#include "rvh_kernels_impl.h"

int rvh_stopped(rvh_poll *poll, size_t work) {
  if (poll == NULL) return 0;
  if (poll->left > work) {
    poll->left -= work;
    return 0;
  }
  /* Once stopped it stays so: what a handler raised is told once only. */
  poll->left = RVH_POLL_WORK;
  if (!poll->stopped) poll->stopped = poll->stop(poll->context) != 0;
  if (poll->stopped) poll->left = 0;
  return poll->stopped;
}
