// SPDX-License-Identifier: Apache-2.0
/* svcb: service bindings (RFC 9460) without the keys of encrypted client hellos. */
#pragma once
#include "base/wire.h"
#include "dns/reply.h"

/* Copy a rebuilt answer (one question, names of data written out) without the parameter
 * `ech`, which `mandatory` then does not name either; without the signatures over what
 * was changed, and not as authentic. 1: done; 0: there is none, `out` is as it was;
 * -EBADMSG: a binding is not as RFC 9460 section 2.2 wants it. */
__attribute__((warn_unused_result)) int svcb_strip_ech(const struct packet *answer,
                                                       struct wire *out);

/* Are these parameters, the end of a binding's data, as RFC 9460 section 2.2 wants them, and
 * their values those of their keys? -EBADMSG when not: then no client may use the record. */
__attribute__((warn_unused_result)) int svcb_check(const uint8_t *data, size_t len);
