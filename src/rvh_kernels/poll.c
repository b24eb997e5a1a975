/* Long calls ask their caller now and then whether to stop. */

#include "rvh_kernels_impl.h"

int rvh_poll_now(rvh_poll *poll) {
  /* A poll that has stopped stays so: it tells what a handler raised only once. */
  poll->left = RVH_POLL_WORK;
  if (!poll->stopped) poll->stopped = poll->stop(poll->context) != 0;
  if (poll->stopped) poll->left = 0;
  return poll->stopped;
}
