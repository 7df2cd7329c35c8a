// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "config/show.h"

/* A folder with greengate.yaml and conf.d, made anew for each test. */
struct folder {
    char path[64];
    char main[96];
};

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static int make_folder(void **state)
{
    static struct folder folder;
    strcpy(folder.path, "/tmp/test_loader.XXXXXX");
    if (!mkdtemp(folder.path)) {
        return -1;
    }
    snprintf(folder.main, sizeof(folder.main), "%s/greengate.yaml", folder.path);
    *state = &folder;
    return 0;
}

static int remove_folder(void **state)
{
    struct folder *folder = *state;
    return nftw(folder->path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void write_file(const struct folder *folder, const char *name, const char *data)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/conf.d", folder->path);
    (void)mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/%s", folder->path, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(data, out);
    assert_int_equal(fclose(out), 0);
}

static struct config *load(const struct folder *folder)
{
    struct config *config = NULL;
    struct diag diag = {0};
    if (config_load(folder->main, &config, &diag) < 0) {
        fail_msg("%s:%u:%u: %s", diag.file, diag.line, diag.column, diag.text);
    }
    return config;
}

static void fails(const struct folder *folder, const char *file, const char *text)
{
    struct config *config = (struct config *)0x1;
    struct diag diag = {0};
    int err = config_load(folder->main, &config, &diag);
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", folder->path, file);
    if (err != -EINVAL || strcmp(diag.file, path) != 0 || !strstr(diag.text, text)) {
        fail_msg("%d %s:%u:%u: %s", err, diag.file, diag.line, diag.column, diag.text);
    }
    assert_ptr_equal(config, (struct config *)0x1);
}

static void missing_file_is_enoent(void **state)
{
    const struct folder *folder = *state;
    struct config *config = NULL;
    struct diag diag = {0};
    assert_int_equal(config_load(folder->main, &config, &diag), -ENOENT);
    assert_string_equal(diag.file, folder->main);
    assert_non_null(strstr(diag.text, "No such file"));
    write_file(folder, "conf.d/a.yaml", "server: {workers: 1}\n");
    assert_int_equal(config_load(folder->main, &config, &diag), -ENOENT);
}

static void empty_file_works(void **state)
{
    const struct folder *folder = *state;
    write_file(folder, "greengate.yaml", "");
    struct config *config = load(folder);
    assert_int_equal(config->group_count, 1);
    config_free(config);
}

static void later_files_win_by_key(void **state)
{
    const struct folder *folder = *state;
    write_file(
        folder, "greengate.yaml",
        "server: {workers: 1, user: a}\ndns: {listen: [\"127.0.0.1:1\", \"127.0.0.1:2\"]}\n");
    write_file(folder, "conf.d/20.yaml", "server: {workers: 3}\n");
    write_file(folder, "conf.d/10.yaml",
               "server: {workers: 2}\ncache: {size_mb: 8}\ndns: {listen: [\"127.0.0.1:3\"]}\n");
    write_file(folder, "conf.d/30.yml", "server: {workers: 4}\n");
    write_file(folder, "conf.d/.40.yaml", "server: {workers: 5}\n");
    write_file(folder, "conf.d/50.yaml~", "server: {workers: 6}\n");
    struct config *config = load(folder);
    assert_int_equal(config->server.workers, 3);
    assert_string_equal(config->server.user, "a");
    assert_int_equal(config->cache.size_mb, 8);
    assert_int_equal(config->dns.listen.count, 1);
    assert_string_equal(config->dns.listen.items[0], "127.0.0.1:3");
    config_free(config);
}

static void sources_merge_by_id(void **state)
{
    const struct folder *folder = *state;
    write_file(folder, "greengate.yaml",
               "lists: {sources: [{id: a, url: \"https://a/\", category: adult},"
               " {id: b, url: \"https://b/\", category: games}]}\n");
    write_file(folder, "conf.d/1.yaml",
               "lists: {sources: [{id: c, url: \"https://c/\", category: chat},"
               " {id: a, enabled: false}]}\n");
    struct config *config = load(folder);
    assert_int_equal(config->source_count, 3);
    assert_string_equal(config->sources[0].id, "a");
    assert_string_equal(config->sources[0].url, "https://a/");
    assert_false(config->sources[0].enabled);
    assert_string_equal(config->sources[1].id, "b");
    assert_true(config->sources[1].enabled);
    assert_string_equal(config->sources[2].id, "c");
    config_free(config);
}

static void new_groups_go_before_the_catch_all(void **state)
{
    const struct folder *folder = *state;
    write_file(folder, "greengate.yaml",
               "groups:\n  - {name: staff, clients: [10.1.0.0/16]}\n  - {name: pupils}\n");
    write_file(folder, "conf.d/1.yaml",
               "groups:\n  - {name: lab, clients: [10.2.0.0/16]}\n"
               "  - {name: pupils, block: [games]}\n  - {name: hall, clients: [10.3.0.0/16]}\n");
    write_file(folder, "conf.d/2.yaml",
               "groups:\n  - {name: gym, clients: [10.4.0.0/16]}\n  - {name: staff, mode: zero}\n");
    struct config *config = load(folder);
    static const char *const names[] = {"staff", "lab", "hall", "gym", "pupils"};
    assert_int_equal(config->group_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(config->groups[i].name, names[i]);
    }
    assert_int_equal(config->groups[0].mode, MODE_ZERO);
    assert_string_equal(config->groups[0].clients.items[0], "10.1.0.0/16");
    assert_string_equal(config->groups[4].block.items[0], "games");
    config_free(config);
}

static void groups_may_come_from_conf_d_alone(void **state)
{
    const struct folder *folder = *state;
    write_file(folder, "greengate.yaml", "");
    write_file(folder, "conf.d/1.yaml", "groups: [{name: lab, clients: [10.2.0.0/16]}]\n");
    write_file(folder, "conf.d/2.yaml", "groups: [{name: pupils}]\n");
    struct config *config = load(folder);
    assert_int_equal(config->group_count, 2);
    assert_string_equal(config->groups[0].name, "lab");
    config_free(config);
}

static void errors_name_the_file(void **state)
{
    const struct folder *folder = *state;
    write_file(folder, "greengate.yaml", "groups:\n  - {name: pupils}\n");
    write_file(folder, "conf.d/1.yaml", "groups: [{name: second}]\n");
    fails(folder, "conf.d/1.yaml", "group 'second' has no clients");
    write_file(folder, "conf.d/1.yaml", "groups: [{name: pupils, clients: [10.0.0.0/8]}]\n");
    fails(folder, "greengate.yaml", "group 'pupils' is the last");
    write_file(folder, "conf.d/1.yaml", "lists: {sources: [{id: a, enabled: false}]}\n");
    fails(folder, "conf.d/1.yaml", "source 'a' has no url");
    write_file(folder, "conf.d/1.yaml", "dns: {listen: [\"9.9.9.9:53\"]}\n");
    fails(folder, "conf.d/1.yaml", "our own address");
    write_file(folder, "conf.d/1.yaml", "cache: {max_ttl_s: 5}\n");
    write_file(folder, "greengate.yaml", "cache: {min_ttl_s: 6}\n");
    fails(folder, "conf.d/1.yaml", "max_ttl_s is smaller");
    write_file(folder, "conf.d/1.yaml", "a: *b\n");
    fails(folder, "conf.d/1.yaml", "aliases");
    write_file(folder, "greengate.yaml", "a: &b\n");
    fails(folder, "greengate.yaml", "anchors");
}

static void link_to_nowhere_is_an_error(void **state)
{
    const struct folder *folder = *state;
    write_file(folder, "greengate.yaml", "");
    char path[160];
    snprintf(path, sizeof(path), "%s/conf.d/x.yaml", folder->path);
    assert_int_equal(symlink("/nonexistent", path), 0);
    fails(folder, "conf.d/x.yaml", "cannot open");
}

static void too_many_files_are_refused(void **state)
{
    const struct folder *folder = *state;
    write_file(folder, "greengate.yaml", "");
    for (unsigned i = 0; i < 257; i++) {
        char name[32];
        snprintf(name, sizeof(name), "conf.d/%03u.yaml", i);
        write_file(folder, name, "");
    }
    fails(folder, "conf.d", "more than 256 files");
}

static char *show(const struct config *config, bool origin, bool differences)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    struct show_options options = {.origin = origin, .differences = differences};
    assert_int_equal(config_show(config, &options, out), 0);
    assert_int_equal(fclose(out), 0);
    return text;
}

static const char *const shown[] = {
    "",
    "server: {workers: 7, user: \"no\", state_dir: \"/a b/#c\"}\n"
    "web: {organisation: \"학교 \\\"x\\\": # \\\\ y\", contact: \"- [a, b]\"}\n",
    "dns: {listen: [\"[::1]:5353\"], allow_clients: [], trusted_forwarders: [192.0.2.1]}\n"
    "block: {mode: refused, page_ipv4: 192.0.2.1}\nlists: {never_block: [a.example, b.example]}\n",
    "lists:\n  max_shrink_percent: 20\n  sources:\n"
    "    - {id: a, url: \"https://a/?x=1&y=#z\", category: adult, match: exact, format: adblock}\n"
    "    - {id: b, url: \"http://b/\", category: games, insecure: true, enabled: false}\n",
    "groups:\n  - {name: staff, clients: [10.1.0.0/16, \"fd00::/8\"], block: [malware], mode: nodata}\n"
    "  - {name: pupils}\n",
    "groups: [{name: everyone, block: []}]\n",
};

static void what_is_shown_loads_again_to_the_same(void **state)
{
    const struct folder *folder = *state;
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        write_file(folder, "greengate.yaml", shown[i]);
        struct config *config = load(folder);
        char *whole = show(config, false, false);
        config_free(config);
        for (unsigned kind = 0; kind < 4; kind++) {
            write_file(folder, "greengate.yaml", shown[i]);
            config = load(folder);
            char *text = show(config, kind & 1, kind & 2);
            config_free(config);
            write_file(folder, "greengate.yaml", text);
            config = load(folder);
            char *again = show(config, false, false);
            assert_string_equal(again, whole);
            config_free(config);
            free(again);
            free(text);
        }
        free(whole);
    }
}

static void differences_are_only_what_differs(void **state)
{
    const struct folder *folder = *state;
    write_file(folder, "greengate.yaml",
               "server: {workers: 0}\ncache: {size_mb: 8, min_ttl_s: 0}\n"
               "lists: {sources: [{id: a, url: \"https://a/\", category: adult}]}\n");
    struct config *config = load(folder);
    char *text = show(config, false, true);
    assert_string_equal(text, "cache:\n  size_mb: 8\nlists:\n  sources:\n    - id: a\n"
                              "      url: \"https://a/\"\n      category: adult\n");
    free(text);
    config_free(config);
    config = config_new();
    text = show(config, false, true);
    assert_string_equal(text, "");
    free(text);
    config_free(config);
}

static void has_line(const char *text, const char *value, const char *origin)
{
    const char *at = strstr(text, value);
    assert_non_null(at);
    const char *comment = strstr(at, "# ");
    const char *end = strchr(at, '\n');
    if (!comment || comment > end || (size_t)(end - comment) != strlen(origin) ||
        strncmp(comment, origin, strlen(origin)) != 0) {
        fail_msg("%s: expected %s: %.*s", value, origin, (int)(end - at), at);
    }
}

static void origins_are_shown(void **state)
{
    const struct folder *folder = *state;
    write_file(folder, "greengate.yaml",
               "server:\n  workers: 3\nlists:\n  sources:\n    - id: a\n      url: https://a/\n"
               "      category: adult\ngroups:\n  - name: pupils\n");
    write_file(folder, "conf.d/x.yaml",
               "# more\nlists: {sources: [{id: a, enabled: false}]}\n"
               "groups:\n  - {name: lab,\n     clients: [10.0.0.1]}\n");
    struct config *config = load(folder);
    char *text = show(config, true, false);
    char main[128], more[128];
    snprintf(main, sizeof(main), "# %s", folder->main);
    snprintf(more, sizeof(more), "# %s/conf.d/x.yaml", folder->path);
    char origin[160];
    snprintf(origin, sizeof(origin), "%s:2", main);
    has_line(text, "  workers: 3", origin);
    has_line(text, "  user: ", "# default");
    snprintf(origin, sizeof(origin), "%s:5", main);
    has_line(text, "- id: a", origin);
    snprintf(origin, sizeof(origin), "%s:2", more);
    has_line(text, "enabled: false", origin);
    has_line(text, "match: auto", "# default");
    snprintf(origin, sizeof(origin), "%s:5", more);
    has_line(text, "clients: [\"10.0.0.1\"]", origin);
    snprintf(origin, sizeof(origin), "%s:9", main);
    has_line(text, "- name: pupils", origin);
    free(text);
    config_free(config);
}

static void the_page_of_settings_has_every_section(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_int_equal(config_document(out), 0);
    assert_int_equal(fclose(out), 0);
    static const char *const parts[] = {
        "\n## server\n",
        "\n## stats\n",
        "\n## lists.sources\n",
        "\n## groups\n",
        "| `workers` | number, 0 to 64 | 0 | event loops; 0 = one per core |\n",
        "| `mode` | page, nxdomain, nodata, zero, refused | `page` | ",
        "| `enabled` | true or false | true | ",
        "`everyone`, that blocks\nadult, deepfake,",
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        assert_non_null(strstr(text, parts[i]));
    }
    free(text);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(missing_file_is_enoent),
        TEST(empty_file_works),
        TEST(later_files_win_by_key),
        TEST(sources_merge_by_id),
        TEST(new_groups_go_before_the_catch_all),
        TEST(groups_may_come_from_conf_d_alone),
        TEST(errors_name_the_file),
        TEST(link_to_nowhere_is_an_error),
        TEST(too_many_files_are_refused),
        TEST(what_is_shown_loads_again_to_the_same),
        TEST(differences_are_only_what_differs),
        TEST(origins_are_shown),
        TEST(the_page_of_settings_has_every_section),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
