// SPDX-License-Identifier: Apache-2.0
/* Any octets are a database or an error. The checksum is made right, so that what lies
 * behind it is reached. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "blocklists/blockdb.h"
#include "blocklists/blockdb_layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void search(const struct blockdb *db)
{
    struct dname name;
    struct blockdb_probe probe;
    struct blockdb_hit hits[DNAME_LABELS_MAX];
    if (dname_parse("a.b.c.bad.example", &name) < 0) {
        abort();
    }
    blockdb_probe(db, &name, &probe);
    size_t count = blockdb_find(db, &probe, hits);
    for (size_t h = 0; h < count; h++) {
        size_t items;
        const struct blockdb_item *item = blockdb_class(db, hits[h].class_id, &items);
        for (size_t i = 0; i < items; i++) {
            if (strlen(blockdb_source(db, item[i].source)->id) > blockdb_info(db)->bytes) {
                abort();
            }
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct blockdb *db = NULL;
    uint8_t *copy = malloc(size + 1);
    int fd = memfd_create("db", 0);
    memcpy(copy, data, size);
    if (size >= BLOCKDB_HEADER) {
        le64_store(copy + BLOCKDB_AT_BYTES, size);
        le64_store(copy + BLOCKDB_AT_CHECKSUM, blockdb_checksum(copy, size));
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (fd >= 0 && write(fd, copy, size) == (ssize_t)size && blockdb_open(path, &db, NULL) == 0) {
        search(db);
    }
    blockdb_close(db);
    close(fd);
    free(copy);
    return 0;
}
