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
           (uint64_t)stat_now.st_mtim.tv_nsec + (uint64_t)stat_now.st_size +
           (uint64_t)stat_now.st_ctim.tv_sec * 1000003U + (uint64_t)stat_now.st_ctim.tv_nsec * 7;
}

static uint64_t mark_of_files(const struct config *config)
{
    return mark_of(config->dns.tls_cert) * 31 + mark_of(config->dns.tls_key);
}

static bool is_wanted(const struct daemon *daemon)
{
    const struct config *config = policy_config_get(daemon->config);
    return config->dns.tls_listen.count > 0 || daemon->sockets[0].tls_count > 0;
}

int identity_check(const struct daemon *daemon, struct diag *diag)
{
    const struct config *config = policy_config_get(daemon->config);
    struct tls_context *identity = NULL;
    int err = is_wanted(daemon)
                  ? tls_context_server(config->dns.tls_cert, config->dns.tls_key, &identity, diag)
                  : 0;
    tls_context_free(identity);
    return err;
}

void identity_load(struct daemon *daemon)
{
    const struct config *config = policy_config_get(daemon->config);
    struct tls_context *identity = NULL;
    struct diag diag = {0};
    if (!is_wanted(daemon)) {
        return;
    }
    daemon->identity_mark = mark_of_files(config);
    daemon->identity_error[0] = '\0';
    int err = tls_context_server(config->dns.tls_cert, config->dns.tls_key, &identity, &diag);
    if (err < 0) {
        if (!diag.text[0]) {
            diag_set(&diag, err, "%s", strerror(-err));
        }
        diag_print(&diag, daemon->identity_error, sizeof(daemon->identity_error));
        return;
    }
    tls_context_free(daemon->identity);
    daemon->identity = identity;
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
    /* Not all that mends a file shows in its mark: permissions of a folder do not. */
    if (mark_of_files(config) == daemon->identity_mark && !daemon->identity_error[0]) {
        return;
    }
    identity_load(daemon);
    if (!daemon->identity_error[0]) {
        identity_hand_out(daemon);
    }
}
