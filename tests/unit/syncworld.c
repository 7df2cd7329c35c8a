// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "syncworld.h"

static char base[64];
char state_dir[128];
char urls[3][256];
struct config_source sources[3];
struct config config;
int64_t now;

void write_list(unsigned i, const char *text)
{
    FILE *file = fopen(urls[i] + 7, "w");
    fputs(text, file);
    fclose(file);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

int syncworld_set_up(void **state)
{
    (void)state;
    static char *ids[] = {"alpha", "beta", "gamma"};
    strcpy(base, "/tmp/greengate-test-sync-XXXXXX");
    assert_non_null(mkdtemp(base));
    snprintf(state_dir, sizeof(state_dir), "%s/state", base);
    memset(&config, 0, sizeof(config));
    for (unsigned i = 0; i < 3; i++) {
        snprintf(urls[i], sizeof(urls[i]), "file://%s/%s.txt", base, ids[i]);
        sources[i] = (struct config_source){.id = ids[i],
                                            .url = urls[i],
                                            .category = "adult",
                                            .format = FORMAT_AUTO,
                                            .public_key = "",
                                            .update_window = "",
                                            .enabled = true};
    }
    config.server.state_dir = state_dir;
    config.server.data_dir = "blocklists/catalog";
    config.lists.update_every_h = 6;
    config.lists.update_window = "";
    config.lists.proxy = "";
    config.lists.file_folder = "";
    config.lists.timeout_s = 60;
    config.lists.essential_file = config.lists.popular_file = "";
    config.lists.max_popular = 20;
    config.lists.names = true;
    config.lists.memory_mb = 32;
    config.lists.keep_generations = 2;
    config.lists.max_shrink_percent = 50;
    config.sources = sources;
    config.source_count = 2;
    now = 1000000;
    write_list(0, "a.example\nb.example\nc.example\nd.example\n");
    write_list(1, "||x.example^\n");
    return 0;
}

int syncworld_tear_down(void **state)
{
    (void)state;
    return nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int sync_with(struct sync_options options, struct sync_result *result)
{
    struct diag diag = {0};
    options.config = &config;
    options.now = now;
    now += 10;
    int err = sync_run(&options, result, &diag);
    if (err < 0) {
        print_message("%s\n", diag.text);
        assert_true(diag.text[0]);
    }
    return err;
}

int sync_plain(struct sync_result *result)
{
    return sync_with((struct sync_options){0}, result);
}

bool blocks(const char *text)
{
    char path[256];
    struct blockdb *db = NULL;
    struct dname name;
    struct blockdb_probe probe;
    struct blockdb_hit hits[DNAME_LABELS_MAX];
    snprintf(path, sizeof(path), "%s/blocklist.ggdb", state_dir);
    assert_int_equal(blockdb_open(path, &db, NULL), 0);
    assert_int_equal(dname_parse(text, &name), 0);
    blockdb_probe(db, &name, &probe);
    size_t count = blockdb_find(db, &probe, hits);
    blockdb_close(db);
    return count > 0;
}

void expect(struct sync_result *result, enum sync_status first, enum sync_status second,
            unsigned generation)
{
    assert_int_equal(result->sources[0].status, first);
    assert_int_equal(result->sources[1].status, second);
    assert_int_equal(result->generation, generation);
    assert_int_equal(result->bad, (first >= SYNC_FAILED) + (second >= SYNC_FAILED));
    sync_clear(result);
}
