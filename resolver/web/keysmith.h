// SPDX-License-Identifier: Apache-2.0
/* keysmith: keys out of passwords, one at a time, on a thread of its own.
 *
 * Each costs 32 MiB and a tenth of a second, so they queue; a stranger who fills the queue keeps
 * others waiting for seconds, and the daemon lets each address try five times a minute. */
#pragma once
#include "web/exchange.h"

enum { KEYSMITH_WAITING_MAX = 8 };

struct keysmith;

__attribute__((warn_unused_result)) int keysmith_new(uv_loop_t *loop, struct inquiry_source *daemon,
                                                     struct keysmith **ret_smith);

/* Whoever waits is not answered any more; freed when the thread has ended. NULL is allowed. */
void keysmith_free(struct keysmith *smith);

/* Takes the request over. Its "old" (or, to sign in, "password") becomes "key", with what the
 * daemon says of its "account"; another "password" becomes "salt", "passes", "kib", "verifier".
 * Then it is asked, and on_reply called as by inquiry_ask(), perhaps with a refusal of our own. */
void keysmith_ask(struct keysmith *smith, struct exchange *exchange, cJSON *request,
                  void (*on_reply)(struct inquiry *inquiry, const cJSON *reply));
