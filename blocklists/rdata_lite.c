// SPDX-License-Identifier: Apache-2.0
/* For builds without ldns (make LITE=1): records of lists are left out, and told of as such;
 * what a list blocks is blocked. */
#include "blocklists/rdata.h"

#include <errno.h>

int rdata_read(const struct rdata_text *text, uint8_t record[RDATA_RECORD_MAX])
{
    (void)text, (void)record;
    return -EPROTONOSUPPORT;
}
