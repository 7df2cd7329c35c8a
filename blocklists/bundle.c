// SPDX-License-Identifier: Apache-2.0
#include "blocklists/bundle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "blocklists/tar.h"
#include "blocklists/unpack.h"
#include "blocklists/zip.h"

enum { MIB = 1 << 20 };

/* A tar archive while its octets come. */
struct reading {
    const struct bundle_limits *limits;
    struct bundle *bundle;
    size_t octets; /* of what is kept */
    int err;
    bool keeping;  /* the member that is being read */
    size_t filled; /* octets of it */
};

static int explain(int err, struct diag *diag)
{
    const char *text = strerror(-err);
    text = err == -EBADMSG ? "the archive is damaged or truncated"
           : err == -ENOTSUP
               ? "the archive is encrypted, split, or packed in a way that is not read"
           : err == -E2BIG  ? "the archive has too many files"
           : err == -EFBIG  ? "the archive holds more than is read of one"
           : err == -EEXIST ? "the archive holds a file twice"
                            : text;
    return diag_set(diag, err == -EEXIST ? -EBADMSG : err == -E2BIG ? -EFBIG : err, "%s", text);
}

static int add_file(struct reading *reading, const char *name, size_t len)
{
    struct bundle *bundle = reading->bundle;
    if (bundle->count == reading->limits->files ||
        len > reading->limits->octets - reading->octets) {
        return -EFBIG;
    }
    if (bundle_find(bundle, name)) {
        return -EEXIST;
    }
    struct bundle_file *files = realloc(bundle->files, (bundle->count + 1) * sizeof(*files));
    if (!files) {
        return -ENOMEM;
    }
    bundle->files = files;
    files[bundle->count] = (struct bundle_file){strdup(name), NULL, len};
    if (!files[bundle->count++].name) {
        return -ENOMEM;
    }
    reading->octets += len;
    return 0;
}

static bool is_wanted(const struct reading *reading, const char *name)
{
    return !reading->limits->is_wanted || reading->limits->is_wanted(name);
}

static const char *without_dot(const char *name)
{
    return strncmp(name, "./", 2) == 0 ? name + 2 : name;
}

static void begin_member(void *arg, const struct tar_member *member)
{
    struct reading *reading = arg;
    const char *name = without_dot(member->name);
    reading->keeping = false;
    if (reading->err < 0 || member->kind != TAR_FILE || !is_wanted(reading, name)) {
        return;
    }
    reading->err = add_file(reading, name, (size_t)member->size);
    if (reading->err < 0) {
        return;
    }
    struct bundle_file *file = &reading->bundle->files[reading->bundle->count - 1];
    file->data = malloc(file->len + 1);
    reading->err = file->data ? 0 : -ENOMEM;
    reading->keeping = reading->err == 0;
    reading->filled = 0;
}

static void take_data(void *arg, const uint8_t *data, size_t len)
{
    struct reading *reading = arg;
    if (reading->keeping) {
        struct bundle_file *file = &reading->bundle->files[reading->bundle->count - 1];
        memcpy(file->data + reading->filled, data, len); /* tar gives member->size at most */
        reading->filled += len;
    }
}

static void end_member(void *arg)
{
    struct reading *reading = arg;
    if (reading->keeping) {
        reading->bundle->files[reading->bundle->count - 1].data[reading->filled] = '\0';
        reading->keeping = false;
    }
}

static int read_tar(int fd, struct reading *reading, struct diag *diag)
{
    const struct tar_handler handler = {begin_member, take_data, end_member, reading};
    struct tar_state *tar = calloc(1, sizeof(*tar));
    struct unpack *unpack = NULL;
    int err = tar ? unpack_new(fd, &unpack) : -ENOMEM;
    if (err < 0) {
        free(tar);
        return explain(err, diag);
    }
    size_t len = 1;
    bool told = false;
    while (err == 0 && len) {
        const uint8_t *data;
        err = unpack_next(unpack, &data, &len, diag);
        told = err < 0;
        if (err == 0 && len) {
            err = tar_feed(tar, data, len, &handler);
            err = reading->err < 0 ? reading->err : err;
        }
    }
    if (err == 0) {
        err = tar_end(tar);
    }
    unpack_free(unpack);
    free(tar);
    return err < 0 && !told ? explain(err, diag) : err;
}

static int read_zip(const uint8_t *data, size_t len, struct reading *reading)
{
    struct zip zip;
    struct zip_member member;
    int err = zip_open(data, len, &zip);
    while (err >= 0 && (err = zip_next(&zip, &member)) > 0) {
        const char *name = without_dot(member.name);
        if (member.folder || !is_wanted(reading, name)) {
            continue;
        }
        err = add_file(reading, name, member.size);
        if (err == 0) {
            struct bundle_file *file = &reading->bundle->files[reading->bundle->count - 1];
            err = zip_unpack(&zip, &member, member.size, &file->data);
        }
    }
    return err;
}

static int read_mapped(int fd, size_t size, struct reading *reading, struct diag *diag)
{
    void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
        return explain(-errno, diag);
    }
    int err;
    if (zip_is_archive(data, size)) {
        err = read_zip(data, size, reading);
        err = err < 0 ? explain(err, diag) : 0;
    } else if (bundle_is_archive(data, size)) {
        err = read_tar(fd, reading, diag);
    } else {
        err = diag_set(diag, -EBADMSG, "no archive: neither ZIP nor tar");
    }
    munmap(data, size);
    return err;
}

bool bundle_is_archive(const uint8_t *head, size_t len)
{
    return zip_is_archive(head, len) || tar_is_archive(head, len) ||
           (len >= UNPACK_HEAD && unpack_is_packed(head, len));
}

int bundle_read(int fd, const struct bundle_limits *limits, struct bundle *ret_bundle,
                struct diag *diag)
{
    struct bundle bundle = {0};
    struct reading reading = {.limits = limits, .bundle = &bundle};
    struct stat info;
    if (fstat(fd, &info) < 0) {
        return explain(-errno, diag);
    }
    if (!S_ISREG(info.st_mode) || info.st_size == 0) {
        return diag_set(diag, -EBADMSG, S_ISREG(info.st_mode) ? "it is empty" : "no file");
    }
    if ((uint64_t)info.st_size > UNPACK_BYTES_MAX) {
        return diag_set(diag, -EFBIG, "larger than %llu MiB", UNPACK_BYTES_MAX / MIB);
    }
    int err = read_mapped(fd, (size_t)info.st_size, &reading, diag);
    if (err < 0) {
        bundle_clear(&bundle);
        return err;
    }
    *ret_bundle = bundle;
    return 0;
}

void bundle_clear(struct bundle *bundle)
{
    for (size_t i = 0; i < bundle->count; i++) {
        free(bundle->files[i].name);
        free(bundle->files[i].data);
    }
    free(bundle->files);
    *bundle = (struct bundle){0};
}

const struct bundle_file *bundle_find(const struct bundle *bundle, const char *name)
{
    for (size_t i = 0; i < bundle->count; i++) {
        if (strcmp(bundle->files[i].name, name) == 0) {
            return &bundle->files[i];
        }
    }
    return NULL;
}

const struct bundle_file *bundle_find_base(const struct bundle *bundle, const char *base)
{
    for (size_t i = 0; i < bundle->count; i++) {
        const char *slash = strrchr(bundle->files[i].name, '/');
        if (strcmp(slash ? slash + 1 : bundle->files[i].name, base) == 0) {
            return &bundle->files[i];
        }
    }
    return NULL;
}
