// SPDX-License-Identifier: Apache-2.0
/* Any octets are another filter's configuration: the first one says of which kind. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "blocklists/zip.h"
#include "tools/foreign.h"
#include "tools/moving_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void unzip(const uint8_t *data, size_t size)
{
    struct zip zip;
    struct zip_member member;
    if (zip_open(data, size, &zip) < 0) {
        return;
    }
    while (zip_next(&zip, &member) == 1) {
        uint8_t *text = NULL;
        if (zip_unpack(&zip, &member, 1 << 20, &text) == 0 && text[member.size] != '\0') {
            abort();
        }
        free(text);
    }
}

static int read_as(char kind, struct moving *moving, const struct foreign_file *file)
{
    struct diag diag = {0};
    cJSON *values = NULL;
    switch (kind) {
    case 'a': return foreign_read_adguard(moving, file, &diag);
    case 'b': return foreign_read_blocky(moving, file, &diag);
    case 'd': foreign_take_dnsmasq(moving, file->data, "fuzz"); return 0;
    case 'h': foreign_take_hosts(moving, file->data); return 0;
    case 'r': foreign_take_adblock(moving, file->data); return 0;
    case 't':
        if (foreign_read_toml(file->data, &values, &diag) == 0) {
            foreign_take_tables(moving, values);
        }
        cJSON_Delete(values);
        return 0;
    default:
        values = cJSON_ParseWithLength(file->data, file->len);
        if (values) {
            foreign_take_tables(moving, values);
        }
        cJSON_Delete(values);
        return 0;
    }
}

/* What was read makes a configuration that the checker takes, or it is refused as a whole. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct moving moving;
    struct diag diag = {0};
    struct moved moved = {0};
    const struct moving_target target = {.category = "ads", .last_group = "everyone"};
    if (size == 0 || size > 20000) {
        return 0;
    }
    unzip(data, size);
    char *text = calloc(1, size);
    memcpy(text, data + 1, size - 1);
    struct foreign_file file = {.path = "fuzz", .fd = -1, .data = text, .len = strlen(text)};
    if (moving_init(&moving, "fuzz") == 0 && read_as((char)data[0], &moving, &file) == 0 &&
        moving_write(moving.root, &target, &moved, &diag) < 0 && !*diag.text) {
        abort();
    }
    moved_clear(&moved);
    moving_clear(&moving);
    free(text);
    return 0;
}
