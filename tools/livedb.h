// SPDX-License-Identifier: Apache-2.0
/* livedb: a whole SQLite database that another process may be using, as octets. */
#pragma once
#include "base/diag.h"

#include <stddef.h>
#include <stdint.h>

/* A consistent copy, what its write-ahead log holds included; *ret_data for the caller to
 * livedb_free(). -ENOENT; -EBADMSG: damaged; -EBUSY; -ENOMEM, with *diag. */
__attribute__((warn_unused_result)) int livedb_read(const char *path, uint8_t **ret_data,
                                                    size_t *ret_len, struct diag *diag);
void livedb_free(uint8_t *data);

/* Put these octets into the database at path in one transaction, so that who has it open sees
 * the one or the other; made when it is not there. -EBADMSG, -EBUSY and the like with *diag. */
__attribute__((warn_unused_result)) int livedb_write(const char *path, const uint8_t *data,
                                                     size_t len, struct diag *diag);

/* Are these octets a whole database? -EBADMSG with *diag. */
__attribute__((warn_unused_result)) int livedb_check(const uint8_t *data, size_t len,
                                                     struct diag *diag);
