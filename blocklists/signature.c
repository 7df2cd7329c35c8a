// SPDX-License-Identifier: Apache-2.0
#include "blocklists/signature.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "blocklists/fetch.h"

enum { URL_MAX = 2048 };

/* "https://x/list.txt?key=1" is signed by "https://x/list.txt.minisig?key=1". */
static void signature_url(const char *url, char out[URL_MAX])
{
    bool is_file = strncasecmp(url, "file://", 7) == 0;
    int len = (int)(is_file ? strlen(url) : strcspn(url, "?#"));
    snprintf(out, URL_MAX, "%.*s.minisig%s", len, url, url + len);
}

static int fetch_text(struct signing *signing, int fd, struct diag *diag)
{
    char url[URL_MAX];
    struct fetch_result result;
    struct fetch_request request = {
        .config = signing->options->config,
        .source = signing->source->config,
        .url = url,
        .etag = "",
        .last_modified = "",
        .fd = fd,
        .max_bytes = MINISIGN_FILE_MAX,
        .limit_reason = "its signature is no file of minisign: too large",
    };
    struct diag why = {0};
    signature_url(request.source->url, url);
    int err = fetch_source(&request, &result, &why);
    signing->source->retry_after_s = result.retry_after_s;
    if (err == -ENOENT) {
        return diag_set(diag, -EBADMSG, "it is not signed: no %.300s (%.60s)",
                        strrchr(url, '/') + 1, why.text);
    }
    return err < 0 ? diag_set(diag, err, "fetching its signature: %.300s", why.text) : 0;
}

int signature_fetch(struct signing *signing, struct diag *diag)
{
    char text[MINISIGN_FILE_MAX];
    int fd = memfd_create("signature", MFD_CLOEXEC);
    if (fd < 0) {
        return diag_set(diag, -errno, "%s", strerror(errno));
    }
    int err = fetch_text(signing, fd, diag);
    ssize_t len = err < 0 ? 0 : pread(fd, text, sizeof(text), 0);
    close(fd);
    if (len < 0) {
        return -EIO;
    }
    return err < 0 ? err : minisign_read(text, (size_t)len, &signing->sign, diag);
}

/* What another key vouched for counts for nothing. */
static bool same_key(const struct signing *signing)
{
    return strcmp(signing->source->meta.signed_by, signing->source->config->public_key) == 0;
}

bool signature_is_known(const struct signing *signing)
{
    return same_key(signing) && strcmp(signing->source->meta.signature, signing->sign.mark) == 0;
}

/* One key may sign many lists: this must be the one asked for. A query says what a path
 * does not, then the name is no help. */
static int check_name(const struct signing *signing, struct diag *diag)
{
    const char *url = signing->source->config->url;
    const char *file = signing->sign.file;
    const char *name = strrchr(url, '/') + 1;
    if (!*file || strpbrk(url, "?#%") || strcmp(file, name) == 0) {
        return 0;
    }
    return diag_set(diag, -EBADMSG,
                    "its signature is for another file, %.100s instead of %.100s: sign it under "
                    "the name that its URL has",
                    file, name);
}

static int check_serial(const struct signing *signing, struct diag *diag)
{
    const struct sync_source *source = signing->source;
    int64_t known = same_key(signing) ? source->meta.serial : 0;
    if (signing->sign.serial >= known) {
        return 0;
    }
    return diag_set(diag, -EBADMSG,
                    "an older list: its serial is %lld, and %lld was accepted before; if its "
                    "publisher began anew, remove sources/%s.json of the state folder",
                    (long long)signing->sign.serial, (long long)known, source->config->id);
}

static int check_once(const struct signing *signing, int fd, struct diag *diag)
{
    const struct config *config = signing->options->config;
    struct minisign_file file = {fd, ((uint64_t)config->lists.memory_mb << 20) / 2};
    int err = minisign_verify(&signing->sign, signing->source->config->public_key, &file, diag);
    err = err < 0 ? err : check_name(signing, diag);
    return err < 0 ? err : check_serial(signing, diag);
}

int signature_check(struct signing *signing, int fd, struct diag *diag)
{
    char mark[MINISIGN_MARK_MAX];
    struct diag why = {0};
    int err = check_once(signing, fd, &why);
    if (err == -EBADMSG) {
        memcpy(mark, signing->sign.mark, sizeof(mark));
        if (signature_fetch(signing, NULL) == 0 && strcmp(mark, signing->sign.mark) != 0) {
            err = check_once(signing, fd, &why);
        }
    }
    return err < 0 ? diag_set(diag, err, "%s", why.text) : 0;
}

void signature_keep(const struct signing *signing, struct source_meta *meta)
{
    const struct minisign *sign = &signing->sign;
    snprintf(meta->signed_by, sizeof(meta->signed_by), "%s", signing->source->config->public_key);
    snprintf(meta->signature, sizeof(meta->signature), "%s", sign->mark);
    meta->serial = sign->serial;
    meta->expires = sign->expires;
}
