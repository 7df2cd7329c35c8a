// SPDX-License-Identifier: Apache-2.0
#include "web/asset.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/datafile.h"
#include "base/hash.h"
#include "base/wholefile.h"

enum { FILE_MAX = 1 << 20 };

#define HTML "text/html; charset=utf-8"
#define CSS  "text/css; charset=utf-8"
#define JS   "text/javascript; charset=utf-8"

static const struct kind {
    const char *path, *file, *type;
} kinds[] = {
    {"/", "index.html", HTML},
    {"/dashboard.css", "dashboard.css", CSS},
    {"/icon.svg", "icon.svg", "image/svg+xml"},
    {"/chart.js", "chart.js", JS},
    {"/main.js", "main.js", JS},
    {"/words.js", "words.js", JS},
    {"/parts.js", "parts.js", JS},
    {"/charts.js", "charts.js", JS},
    {"/sign.js", "sign.js", JS},
    {"/home.js", "home.js", JS},
    {"/lists.js", "lists.js", JS},
    {"/rules.js", "rules.js", JS},
    {"/groups.js", "groups.js", JS},
    {"/times.js", "times.js", JS},
    {"/check.js", "check.js", JS},
    {"/requests.js", "requests.js", JS},
    {"/people.js", "people.js", JS},
    {"/audit.js", "audit.js", JS},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* No script, style or request but our own; nothing frames us. */
static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

struct asset {
    char *plain, *packed;
    size_t plain_len, packed_len;
    char etag[24];
};

struct asset_store {
    struct asset assets[KINDS];
};

static int load(const char *data_dir, const struct kind *kind, struct asset *asset,
                struct diag *diag)
{
    char path[4096], name[64];
    snprintf(name, sizeof(name), "dashboard/%s", kind->file);
    datafile_path(data_dir, name, path, sizeof(path));
    int err = wholefile_read(path, FILE_MAX, &asset->plain, &asset->plain_len);
    if (err == 0) {
        snprintf(name, sizeof(name), "dashboard/%s.gz", kind->file);
        datafile_path(data_dir, name, path, sizeof(path));
        err = wholefile_read(path, FILE_MAX, &asset->packed, &asset->packed_len);
    }
    if (err < 0) {
        diag_at(diag, path, 0, 0);
        return diag_set(diag, err, "%s", strerror(-err));
    }
    snprintf(asset->etag, sizeof(asset->etag), "\"%016llx\"",
             (unsigned long long)hash_seeded(0, asset->plain, asset->plain_len));
    return 0;
}

int asset_load(const char *data_dir, struct asset_store **ret_store, struct diag *diag)
{
    struct asset_store *store = calloc(1, sizeof(*store));
    int err = store ? 0 : -ENOMEM;
    for (size_t i = 0; i < KINDS && err == 0; i++) {
        err = load(data_dir, &kinds[i], &store->assets[i], diag);
    }
    if (err < 0) {
        asset_free(store);
        return err;
    }
    *ret_store = store;
    return 0;
}

void asset_free(struct asset_store *store)
{
    for (size_t i = 0; store && i < KINDS; i++) {
        free(store->assets[i].plain);
        free(store->assets[i].packed);
    }
    free(store);
}

bool asset_serve(const struct asset_store *store, struct exchange *exchange)
{
    const struct request *request = &exchange->request;
    size_t i = 0;
    while (i < KINDS && strcmp(kinds[i].path, request->path) != 0) {
        i++;
    }
    if (!store || i == KINDS) {
        return false;
    }
    const struct asset *asset = &store->assets[i];
    bool packed = strstr(request->own->accept_encoding, "gzip");
    bool known = strcmp(request->own->if_none_match, asset->etag) == 0;
    const struct answer answer = {
        .status = known ? 304 : 200,
        .type = kinds[i].type,
        .policy = policy,
        .etag = asset->etag,
        .encoding = packed && !known ? "gzip" : NULL,
        .body = packed ? asset->packed : asset->plain,
        .len = known    ? 0
               : packed ? asset->packed_len
                        : asset->plain_len,
    };
    exchange->on_answer(exchange, &answer);
    return true;
}
