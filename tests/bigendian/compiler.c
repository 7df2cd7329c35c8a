// SPDX-License-Identifier: Apache-2.0
/* Compile lists in this process: compiler OUT [ID FORMAT FILE]...
 * Nothing but the list compiler is needed, so that it can be built for another machine. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blocklists/build.h"
#include "blocklists/format.h"

enum { LISTS_MAX = 32 };

int main(int argc, char **argv)
{
    static char *adult[] = {"adult"};
    static const struct text_list folders = {adult, 1};
    struct build_source sources[LISTS_MAX];
    struct source_report reports[LISTS_MAX];
    struct diag diag = {0};
    size_t count = 0;
    if (argc < 5) {
        return 2;
    }
    for (int i = 2; i + 2 < argc && count < LISTS_MAX; i += 3) {
        sources[count++] = (struct build_source){.id = argv[i],
                                                 .category = "ads",
                                                 .url = "",
                                                 .format = format_named(argv[i + 1]),
                                                 .local_data = true,
                                                 .folders = &folders,
                                                 .folders_named = true,
                                                 .fetched_at = 1700000000,
                                                 .fd = open(argv[i + 2], O_RDONLY)};
    }
    struct build_job job = {.sources = sources,
                            .source_count = count,
                            .out_fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0644),
                            .memory = 1 << 18};
    if (job.out_fd < 0 || build_run(&job, reports, &diag) < 0) {
        fprintf(stderr, "%s\n", diag.text);
        return 1;
    }
    int status = 0;
    for (size_t i = 0; i < count; i++) {
        status |= reports[i].error < 0;
        printf("%s: %llu entries%s%s\n", sources[i].id, (unsigned long long)reports[i].entries,
               reports[i].error_text[0] ? ", " : "", reports[i].error_text);
    }
    return status;
}
