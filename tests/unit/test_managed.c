// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/wholefile.h"
#include "config/config.h"
#include "config/managed.h"
#include "config/origins.h"
#include "config/yaml.h"

enum { NOBODY = 65534 };

/* A folder with greengate.yaml, and state/ for managed.yaml. */
struct bench {
    char folder[64], main[96], state[96], managed[128];
};

static void write_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
}

/* The administrator's file: `text`, and where things lie. */
static void write_main(const struct bench *bench, const char *text)
{
    char all[4096];
    char *data_dir = realpath("blocklists/catalog", NULL);
    assert_non_null(data_dir);
    snprintf(all, sizeof(all), "server:\n  state_dir: %s\n  data_dir: %s\n%s", bench->state,
             data_dir, text);
    free(data_dir);
    write_file(bench->main, all);
}

static int set_up(void **state)
{
    static struct bench bench;
    strcpy(bench.folder, "/tmp/gg-managed-XXXXXX");
    assert_non_null(mkdtemp(bench.folder));
    snprintf(bench.main, sizeof(bench.main), "%s/greengate.yaml", bench.folder);
    snprintf(bench.state, sizeof(bench.state), "%s/state", bench.folder);
    snprintf(bench.managed, sizeof(bench.managed), "%s/managed.yaml", bench.state);
    assert_int_equal(mkdir(bench.state, 0755), 0);
    write_main(&bench, "");
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", ((struct bench *)*state)->folder);
    return system(command);
}

static struct config *load(const struct bench *bench)
{
    struct diag diag = {0};
    struct config *config = NULL;
    if (config_load(bench->main, &config, &diag) < 0) {
        fail_msg("%s:%u:%u: %s", diag.file, diag.line, diag.column, diag.text);
    }
    return config;
}

static int apply(const struct bench *bench, const char *put, struct diag *diag)
{
    *diag = (struct diag){0};
    return managed_apply(bench->main, &(struct managed_change){.put = put}, diag);
}

static int take_out(const struct bench *bench, const char *id, struct diag *diag)
{
    *diag = (struct diag){0};
    const struct managed_change change = {.put = "", .remove = &id, .remove_count = 1};
    return managed_apply(bench->main, &change, diag);
}

static char *text_of(const char *path)
{
    static char text[8192];
    FILE *in = fopen(path, "r");
    size_t len = in ? fread(text, 1, sizeof(text) - 1, in) : 0;
    text[len] = '\0';
    if (in) {
        fclose(in);
    }
    return text;
}

static const char one_source[] = "lists:\n  sources:\n    - {id: mine, url: "
                                 "\"https://lists.example/mine\", category: adult}\n";
static const char new_source[] = "{\"lists\":{\"sources\":[{\"id\":\"new\",\"url\":"
                                 "\"https://lists.example/new\",\"category\":\"games\"}]}}";

static void it_comes_after_the_other_files(void **state)
{
    const struct bench *bench = *state;
    write_main(bench, one_source);
    write_file(bench->managed,
               "lists:\n  sources:\n    - {id: mine, enabled: false}\n"
               "    - {id: other, url: \"https://lists.example/other\", category: ads}\n");
    struct config *config = load(bench);
    assert_int_equal(config->source_count, 2);
    assert_string_equal(config->sources[0].url, "https://lists.example/mine");
    assert_false(config->sources[0].enabled);
    assert_string_equal(config->sources[1].id, "other");
    const struct origin *origin =
        origins_find(config, &setting_source, 0, origins_row(&setting_source, "enabled"));
    assert_string_equal(origin->file, bench->managed);
    assert_int_equal(origin->line, 3);
    origin = origins_find(config, &setting_source, 0, setting_source.rows);
    assert_string_equal(origin->file, bench->main);
    config_free(config);
    assert_int_equal(config_load_with(bench->main, NULL, &config, NULL), 0);
    assert_int_equal(config->source_count, 1);
    config_free(config);
}

static void overrides_of_what_is_gone_do_not_count(void **state)
{
    const struct bench *bench = *state;
    write_file(bench->managed, "lists:\n  sources:\n    - {id: gone, enabled: false}\n"
                               "groups:\n  - {name: pupils, block: [games]}\n");
    struct config *config = load(bench);
    assert_int_equal(config->source_count, 0);
    assert_int_equal(config->group_count, 1);
    assert_string_equal(config->groups[0].name, "everyone");
    config_free(config);
}

static void the_group_of_nobodys_making_can_be_overridden(void **state)
{
    const struct bench *bench = *state;
    write_file(bench->managed, "groups:\n  - {name: everyone, block: [games]}\n"
                               "  - {name: guests, clients: [10.0.0.0/8], block: []}\n");
    struct config *config = load(bench);
    assert_int_equal(config->group_count, 2);
    assert_string_equal(config->groups[0].name, "guests");
    assert_string_equal(config->groups[1].name, "everyone");
    assert_int_equal(config->groups[1].block.count, 1);
    config_free(config);
    /* Once the administrator has groups, that one is gone, and no second catch-all. */
    write_main(bench, "groups:\n  - {name: rest, block: [ads]}\n");
    config = load(bench);
    assert_int_equal(config->group_count, 2);
    assert_string_equal(config->groups[1].name, "rest");
    config_free(config);
}

static const struct {
    const char *name, *text, *words;
    unsigned line;
} broken[] = {
    {"no YAML", "lists: [\n", "not valid YAML", 2},
    {"a section of the machine's", "lists: {}\nserver: {workers: 1}\n", "only lists.sources", 2},
    {"another key of lists", "lists:\n  keep_generations: 9\n", "only lists.sources", 2},
    {"a mistake in a source", "lists:\n  sources:\n    - id: x\n      url: ftp://x\n",
     "not an https://", 4},
    {"a source without a category",
     "lists:\n  sources:\n    - {id: x, url: \"https://x.example/\"}\n", "no category", 3},
};

static void mistakes_are_told_with_their_place(void **state)
{
    const struct bench *bench = *state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct diag diag = {0};
        struct config *config = NULL;
        write_file(bench->managed, broken[i].text);
        int err = config_load(bench->main, &config, &diag);
        if (err != -EINVAL || strcmp(diag.file, bench->managed) != 0 ||
            diag.line != broken[i].line || !strstr(diag.text, broken[i].words)) {
            fail_msg("%s: %d, %s:%u: %s", broken[i].name, err, diag.file, diag.line, diag.text);
        }
        assert_null(config);
        /* Nor is such a file written over. */
        if (i == 0) {
            assert_int_equal(apply(bench, new_source, &diag), -EINVAL);
            assert_string_equal(diag.file, bench->managed);
            assert_string_equal(text_of(bench->managed), broken[i].text);
        }
    }
}

static void who_may_not_read_it_goes_without(void **state)
{
    const struct bench *bench = *state;
    write_file(bench->managed, "nonsense");
    assert_int_equal(chmod(bench->folder, 0755), 0);
    assert_int_equal(chmod(bench->state, 0), 0);
    bool root = geteuid() == 0;
    if (root) {
        assert_int_equal(seteuid(NOBODY), 0);
    }
    struct config *config = load(bench);
    if (root) {
        assert_int_equal(seteuid(0), 0);
    }
    assert_int_equal(chmod(bench->state, 0755), 0);
    assert_true(config->managed_hidden);
    config_free(config);
}

static void a_change_is_written_and_read(void **state)
{
    const struct bench *bench = *state;
    struct diag diag;
    struct stat file;
    mode_t mask = umask(077);
    assert_int_equal(apply(bench, new_source, &diag), 0);
    umask(mask);
    assert_int_equal(stat(bench->managed, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0640);
    struct config *config = load(bench);
    assert_int_equal(config->source_count, 1);
    assert_string_equal(config->sources[0].category, "games");
    assert_true(config->sources[0].enabled);
    config_free(config);
    /* Key by key, in the place of the old one; texts that look like numbers stay texts. */
    assert_int_equal(apply(bench,
                           "{\"lists\":{\"sources\":[{\"id\":\"new\",\"enabled\":false,"
                           "\"url\":\"https://lists.example/a%20b?c=\\u0026#d\"}]}}",
                           &diag),
                     0);
    config = load(bench);
    assert_int_equal(config->source_count, 1);
    assert_string_equal(config->sources[0].url, "https://lists.example/a%20b?c=&#d");
    assert_string_equal(config->sources[0].category, "games");
    assert_false(config->sources[0].enabled);
    config_free(config);
    assert_non_null(strstr(text_of(bench->managed), "    - id: \"new\"\n"));
}

static void null_takes_a_key_away(void **state)
{
    const struct bench *bench = *state;
    struct diag diag;
    write_main(bench, one_source);
    assert_int_equal(apply(bench, "lists: {sources: [{id: mine, enabled: false}]}", &diag), 0);
    struct config *config = load(bench);
    assert_false(config->sources[0].enabled);
    config_free(config);
    assert_int_equal(apply(bench, "lists: {sources: [{id: mine, enabled: null}]}", &diag), 0);
    config = load(bench);
    assert_true(config->sources[0].enabled);
    config_free(config);
    assert_null(strstr(text_of(bench->managed), "mine"));
    /* Of a new one there is nothing to take away. */
    assert_int_equal(apply(bench,
                           "lists: {sources: [{id: other, url: \"https://o.example/\", format: "
                           "null, category: ads, match: null}]}",
                           &diag),
                     0);
    assert_null(strstr(text_of(bench->managed), "null"));
}

static void lists_are_taken_out(void **state)
{
    const struct bench *bench = *state;
    struct diag diag;
    assert_int_equal(take_out(bench, "new", &diag), -ENOENT);
    assert_int_equal(apply(bench, new_source, &diag), 0);
    assert_int_equal(take_out(bench, "old", &diag), -ENOENT);
    assert_non_null(strstr(diag.text, "no list old"));
    assert_int_equal(take_out(bench, "new", &diag), 0);
    struct config *config = load(bench);
    assert_int_equal(config->source_count, 0);
    config_free(config);
}

static const struct {
    const char *name, *put, *words;
    int err;
} refused[] = {
    {"an unknown category",
     "lists: {sources: [{id: x, url: \"https://x.example/\", category: gmaes}]}", "games", -EINVAL},
    {"no URL", "lists: {sources: [{id: x, url: x, category: ads}]}", "not an https://", -EINVAL},
    {"an unknown key", "lists: {sources: [{id: kept, colour: red}]}", "unknown key", -EINVAL},
    {"an id of the wrong shape", "lists: {sources: [{id: \"../x\", url: \"https://x.example/\"}]}",
     "not a short name", -EINVAL},
    {"no id", "lists: {sources: [{url: \"https://x.example/\"}]}", "needs id", -EINVAL},
    {"an override of nothing", "lists: {sources: [{id: nothing, enabled: false}]}",
     "there is no list nothing", -ENOENT},
    {"a group that is not", "groups: [{name: pupil, block: []}]", "there is no group", -ENOENT},
    {"another section", "server: {workers: 2}", "only lists.sources", -EINVAL},
    {"another key", "lists: {sources: [], keep_generations: 2}", "only lists.sources", -EINVAL},
    {"a list of groups that is none", "groups: {name: x}", "only lists.sources", -EINVAL},
    {"no map", "[1]", "no map", -EINVAL},
};

static void what_is_wrong_changes_nothing(void **state)
{
    const struct bench *bench = *state;
    struct diag diag;
    assert_int_equal(
        apply(bench, "lists: {sources: [{id: kept, url: \"https://k.example/\", category: ads}]}",
              &diag),
        0);
    char *before = strdup(text_of(bench->managed));
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        int err = apply(bench, refused[i].put, &diag);
        if (err != refused[i].err || !strstr(diag.text, refused[i].words) || *diag.file) {
            fail_msg("%s: %d, %s: %s", refused[i].name, err, diag.file, diag.text);
        }
        assert_string_equal(text_of(bench->managed), before);
    }
    free(before);
}

static void mistakes_of_the_administrator_are_told_as_such(void **state)
{
    const struct bench *bench = *state;
    struct diag diag;
    write_file(bench->main, "dns:\n  lisen: []\n");
    assert_int_equal(apply(bench, new_source, &diag), -EINVAL);
    assert_string_equal(diag.file, bench->main);
    assert_int_equal(diag.line, 2);
    assert_int_equal(access(bench->managed, F_OK), -1);
}

static int refuse(void *arg, struct diag *diag)
{
    (*(int *)arg)++;
    return diag_set(diag, -EIO, "the lists are damaged");
}

static void the_old_file_comes_back_when_it_cannot_be_used(void **state)
{
    const struct bench *bench = *state;
    int calls = 0;
    struct diag diag = {0};
    struct managed_change change = {.put = new_source, .use = refuse, .arg = &calls};
    assert_int_equal(managed_apply(bench->main, &change, &diag), -EIO);
    assert_string_equal(diag.text, "the lists are damaged");
    assert_int_equal(access(bench->managed, F_OK), -1);
    assert_int_equal(apply(bench, new_source, &diag), 0);
    char *before = strdup(text_of(bench->managed));
    change.put = "lists: {sources: [{id: new, enabled: false}]}";
    assert_int_equal(managed_apply(bench->main, &change, &diag), -EIO);
    assert_string_equal(text_of(bench->managed), before);
    assert_int_equal(calls, 2);
    free(before);
}

static int change_in_between(void *arg, struct diag *diag)
{
    struct diag other;
    (void)diag;
    return apply(arg, new_source, &other) == -EAGAIN && strstr(other.text, "another change") ? 0
                                                                                             : -EIO;
}

static void two_changes_at_once_are_impossible(void **state)
{
    struct bench *bench = *state;
    struct diag diag = {0};
    const struct managed_change change = {
        .put = new_source, .use = change_in_between, .arg = bench};
    assert_int_equal(managed_apply(bench->main, &change, &diag), 0);
    assert_int_equal(apply(bench, "lists: {sources: [{id: new, enabled: false}]}", &diag), 0);
}

static void a_full_or_missing_folder_is_told(void **state)
{
    const struct bench *bench = *state;
    struct diag diag;
    assert_int_equal(rmdir(bench->state), 0);
    assert_int_equal(apply(bench, new_source, &diag), -ENOENT);
    assert_string_equal(diag.file, bench->managed);
    assert_int_equal(mkdir(bench->state, 0755), 0);
    /* What stands in the way of the temporary file is no reason to follow it. */
    char temp[160];
    snprintf(temp, sizeof(temp), "%s.new", bench->managed);
    assert_int_equal(symlink("/dev/full", temp), 0);
    assert_true(apply(bench, new_source, &diag) < 0);
    assert_non_null(strstr(diag.text, "cannot write"));
    assert_int_equal(access(bench->managed, F_OK), -1);
}

static void trees_are_written_as_they_are_read(void **state)
{
    static const char text[] =
        "a: [x, \"true\", \"1\", \"\", [y, {k: \"v: w\"}]]\n"
        "b:\n  - id: one\n    list: []\n    map:\n      deep: true\n  - id: \"- two #\"\n"
        "c: {}\n\"d e\": \"\\x07\\u2028\\\"\"\ne: \"null\"\nf: null\n";
    char *out = NULL, *again = NULL;
    size_t len = 0;
    (void)state;
    for (int round = 0; round < 2; round++) {
        struct yaml_node *root = NULL;
        const char *from = round ? out : text;
        const struct yaml_text document = {from, strlen(from), "t"};
        assert_int_equal(yaml_parse(&document, &root, NULL), 0);
        FILE *file = open_memstream(round ? &again : &out, &len);
        assert_int_equal(yaml_write(root, file), 0);
        assert_int_equal(fclose(file), 0);
        yaml_free(root);
    }
    assert_string_equal(out, again);
    assert_non_null(strstr(out, "a: [x, \"true\", \"1\", \"\", [y, {k: \"v: w\"}]]\n"));
    assert_non_null(strstr(out, "  - id: one\n    list: []\n    map:\n      deep: true\n"));
    assert_non_null(strstr(out, "e: \"null\"\nf: null\n"));
    free(out);
    free(again);
}

static void whole_files_have_a_limit(void **state)
{
    const struct bench *bench = *state;
    char *text = NULL;
    size_t len = 0;
    assert_int_equal(wholefile_save(bench->managed, "12345", 5), 0);
    assert_int_equal(wholefile_read(bench->managed, 4, &text, &len), -EFBIG);
    assert_null(text);
    assert_int_equal(wholefile_read(bench->managed, 5, &text, &len), 0);
    assert_int_equal(len, 5);
    assert_string_equal(text, "12345");
    free(text);
    assert_int_equal(wholefile_read(bench->state, 5, &text, &len), -EISDIR);
    char path[5000];
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(wholefile_save(path, "x", 1), -ENAMETOOLONG);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(it_comes_after_the_other_files),
        ROW(overrides_of_what_is_gone_do_not_count),
        ROW(the_group_of_nobodys_making_can_be_overridden),
        ROW(mistakes_are_told_with_their_place),
        ROW(who_may_not_read_it_goes_without),
        ROW(a_change_is_written_and_read),
        ROW(null_takes_a_key_away),
        ROW(lists_are_taken_out),
        ROW(what_is_wrong_changes_nothing),
        ROW(mistakes_of_the_administrator_are_told_as_such),
        ROW(the_old_file_comes_back_when_it_cannot_be_used),
        ROW(two_changes_at_once_are_impossible),
        ROW(a_full_or_missing_folder_is_told),
        ROW(trees_are_written_as_they_are_read),
        ROW(whole_files_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
