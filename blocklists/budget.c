// SPDX-License-Identifier: Apache-2.0
#include "blocklists/budget.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/statfs.h>

#include "blocklists/record.h"

enum {
    PROGRAMS_MB = 16, /* the update and its child without lists, measured */
    SHARE_MB_MIN = 2,
    SHARE_MB_MAX = 512, /* the child's address space is bounded, too */
    ENTRY_MAX = 10,     /* octets of the database for a name */
    MIB = 1 << 20,
};

static uint64_t share(int64_t mb)
{
    mb = mb > SHARE_MB_MIN ? mb : SHARE_MB_MIN;
    return (uint64_t)(mb < SHARE_MB_MAX ? mb : SHARE_MB_MAX) * MIB;
}

static bool lies_in_memory(const char *path)
{
    struct statfs fs;
    return statfs(path, &fs) == 0 &&
           ((unsigned long)fs.f_type == TMPFS_MAGIC || (unsigned long)fs.f_type == RAMFS_MAGIC);
}

struct budget budget_of(const struct config *config)
{
    int64_t left = config->lists.memory_mb - PROGRAMS_MB;
    return (struct budget){
        .records = share(left / 2),
        .decoder = share(left),
        .file = lies_in_memory(config->server.state_dir) ? share(left / 2) : 0,
    };
}

unsigned budget_needed(uint64_t names)
{
    uint64_t octets = names * (ENTRY_MAX + sizeof(struct record)) + MIB;
    return PROGRAMS_MB + 2 * (unsigned)((octets + MIB - 1) / MIB);
}

int budget_explain(const struct config *config, uint64_t names, struct diag *diag)
{
    diag_at(diag, "", 0, 0);
    return diag_set(diag, -EFBIG,
                    "the database of %llu names does not fit lists.memory_mb: %lld, since "
                    "state_dir lies in memory (tmpfs), where files count: set it to %u, or move "
                    "server.state_dir to a disk; the lists in force stay",
                    (unsigned long long)names, (long long)config->lists.memory_mb,
                    budget_needed(names));
}
