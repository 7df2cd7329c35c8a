// SPDX-License-Identifier: Apache-2.0
/* tls_identity: the certificate and key that we show to clients, as OpenSSL holds them.
 *
 * Counted references, which any thread may hold. Nothing of it exists unless it is
 * loaded. */
#pragma once
#include "base/diag.h"

struct tls_identity;

/* Read a PEM chain and its key. -EINVAL or what reading says, with *diag. */
__attribute__((warn_unused_result)) int tls_identity_load(const char *certificate, const char *key,
                                                          struct tls_identity **ret_identity,
                                                          struct diag *diag);
struct tls_identity *tls_identity_ref(struct tls_identity *identity);
void tls_identity_unref(struct tls_identity *identity);
