// SPDX-License-Identifier: Apache-2.0
#include "identity.h"

#include <string.h>
#include <sys/stat.h>

#include "policy/snapshot.h"

/* What tells that a file is another one, or has other content. */
static uint64_t mark_of(const char *path)
{
    struct stat stat_now;
    if (stat(path, &stat_now) < 0) {
        return 0;
    }
    return (uint64_t)stat_now.st_ino * 31 + (uint64_t)stat_now.st_mtim.tv_sec * 1000000000U +
           (uint64_t)stat_now.st_mtim.tv_nsec + (uint64_t)stat_now.st_size;
}

static uint64_t mark_of_files(const struct config *config)
{
    return mark_of(config->dns.tls_cert) * 31 + mark_of(config->dns.tls_key);
}

int identity_load(struct daemon *daemon, struct diag *diag)
{
    const struct config *config = policy_config_get(daemon->config);
    struct tls_context *identity = NULL;
    if (config->dns.tls_listen.count == 0 && daemon->sockets[0].tls_count == 0) {
        return 0;
    }
    daemon->identity_mark = mark_of_files(config);
    int err = tls_context_server(config->dns.tls_cert, config->dns.tls_key, &identity, diag);
    if (err == 0) {
        tls_context_free(daemon->identity);
        daemon->identity = identity;
    }
    return err;
}

void identity_hand_out(struct daemon *daemon)
{
    for (unsigned i = 0; daemon->identity && i < daemon->worker_count; i++) {
        struct tls_context *share = tls_context_share(daemon->identity);
        if (share) { /* else it goes on with what it has */
            worker_identify(daemon->workers[i], share);
        }
    }
}

void identity_refresh(struct daemon *daemon)
{
    const struct config *config = policy_config_get(daemon->config);
    struct diag diag = {0};
    if (!daemon->identity || mark_of_files(config) == daemon->identity_mark) {
        return;
    }
    daemon->identity_error[0] = '\0';
    if (identity_load(daemon, &diag) < 0) {
        diag_print(&diag, daemon->identity_error, sizeof(daemon->identity_error));
        return;
    }
    identity_hand_out(daemon);
}
