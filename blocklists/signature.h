// SPDX-License-Identifier: Apache-2.0
/* signature: the signature of a source's list, fetched beside it and judged.
 *
 * Only for sources with a public_key. What was accepted before stands in the source's
 * meta: a lower serial is refused. */
#pragma once
#include "blocklists/minisign.h"
#include "blocklists/sync.h"

struct signing {
    const struct sync_options *options;
    struct sync_source *source;
    struct minisign sign; /* as fetched */
};

/* Fetch URL.minisig. -EBADMSG: there is none, or what came is none; errors of
 * fetch_source(). */
__attribute__((warn_unused_result)) int signature_fetch(struct signing *signing, struct diag *diag);

/* Is the copy in use the one that this very signature came with? */
bool signature_is_known(const struct signing *signing);

/* Judge the downloaded octets of fd, nothing of them unpacked. -EBADMSG and others of
 * minisign_verify(). The signature is fetched again when it came too early: publishers
 * exchange two files one after the other. */
__attribute__((warn_unused_result)) int signature_check(struct signing *signing, int fd,
                                                        struct diag *diag);

/* Write down what was accepted. */
void signature_keep(const struct signing *signing, struct source_meta *meta);
