// SPDX-License-Identifier: Apache-2.0
#include "stats/registrable.h"

#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <libpsl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char library[] = "libpsl.so.5"; /* whose interface libpsl.h describes */
static const char psl_file[] = "/usr/share/publicsuffix/public_suffix_list.dat";

struct registrable {
    void *library;
    psl_ctx_t *psl;
    __typeof__(psl_latest) *latest;
    __typeof__(psl_free) *free;
    __typeof__(psl_registrable_domain) *domain;
};

/* POSIX lets dlsym()'s pointer be one to a function, ISO C does not say so. */
static int find(const struct registrable *list, const char *name, void *ret_function)
{
    void *found = dlsym(list->library, name);
    memcpy(ret_function, &found, sizeof(found));
    return found ? 0 : -ELIBACC;
}

static int load(struct registrable *list)
{
    list->library = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!list->library || find(list, "psl_latest", &list->latest) < 0 ||
        find(list, "psl_registrable_domain", &list->domain) < 0 ||
        find(list, "psl_free", &list->free) < 0) {
        return -ELIBACC;
    }
    list->psl = list->latest(psl_file);
    return list->psl ? 0 : -ENOENT;
}

int registrable_open(struct registrable **ret)
{
    struct registrable *list = calloc(1, sizeof(*list));
    int err = list ? load(list) : -ENOMEM;
    if (err < 0) {
        registrable_close(list);
        return err;
    }
    *ret = list;
    return 0;
}

void registrable_close(struct registrable *list)
{
    if (!list) {
        return;
    }
    if (list->psl) {
        list->free(list->psl);
    }
    if (list->library) {
        dlclose(list->library);
    }
    free(list);
}

const char *registrable_of(const struct registrable *list, const char *name,
                           char text[REGISTRABLE_TEXT])
{
    size_t len = 0;
    for (; name[len] && len < REGISTRABLE_TEXT - 1; len++) {
        text[len] = (char)tolower((unsigned char)name[len]);
    }
    text[len] = '\0';
    const char *domain = list->domain(list->psl, text);
    bool arpa = len >= 5 && strcmp(text + len - 5, ".arpa") == 0;
    bool plain =
        domain && domain[strspn(domain, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] == '\0';
    return plain && !arpa ? domain : NULL;
}
