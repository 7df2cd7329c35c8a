// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/wholefile.h"
#include "blocklists/child.h"
#include "config/referral.h"
#include "config/yaml.h"
#include "tools/cli.h"
#include "tools/foreign.h"
#include "tools/moving_write.h"

enum { WHOLE_MAX = 16 << 20, PATH_TEXT_MAX = 1024 };

static const struct program {
    const char *word, *name;
    foreign_reader read;
} programs[] = {
    {"pihole", "Pi-hole", foreign_read_pihole},
    {"adguard", "AdGuard Home", foreign_read_adguard},
    {"blocky", "blocky", foreign_read_blocky},
    {"dnsmasq", "dnsmasq", foreign_read_dnsmasq},
};

struct wanted {
    const struct program *program;
    const char *path, *output, *rules, *category;
    bool force;
    char beside[PATH_TEXT_MAX]; /* the file of rules when none was named */
};

/* What a child is given, and where its answer goes. */
struct task {
    const struct program *program;
    struct foreign_file file;
    int answer_fd;
};

static int write_answer(const struct task *task, const struct moving *moving)
{
    char *text = cJSON_PrintUnformatted(moving->root);
    size_t len = text ? strlen(text) : 0, at = 0;
    while (at < len) {
        ssize_t put = write(task->answer_fd, text + at, len - at);
        if (put < 0 && errno != EINTR) {
            free(text);
            return -errno;
        }
        at += put > 0 ? (size_t)put : 0;
    }
    free(text);
    return text ? 0 : -ENOMEM;
}

/* In the child. */
static int read_foreign(void *arg, struct diag *diag)
{
    struct task *task = arg;
    struct stat info;
    struct moving moving;
    if (fstat(task->file.fd, &info) < 0 || !S_ISREG(info.st_mode)) {
        return diag_set(diag, -EINVAL, "it is no file");
    }
    char *text = NULL;
    size_t len = 0;
    if (info.st_size <= WHOLE_MAX && wholefile_read(task->file.path, WHOLE_MAX, &text, &len) == 0) {
        task->file.data = text;
        task->file.len = len;
    }
    int err = moving_init(&moving, task->program->name);
    err = err < 0 ? err : task->program->read(&moving, &task->file, diag);
    if (err == 0) {
        moving_order_clients(&moving);
        moving_rank_rules(&moving);
        err = write_answer(task, &moving);
    }
    moving_clear(&moving);
    free(text);
    return err;
}

static cJSON *read_answer(int fd)
{
    struct stat info;
    if (fstat(fd, &info) < 0 || info.st_size <= 0) {
        return NULL;
    }
    void *text = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (text == MAP_FAILED) {
        return NULL;
    }
    cJSON *root = cJSON_ParseWithLength(text, (size_t)info.st_size);
    munmap(text, (size_t)info.st_size);
    return root;
}

static int read_file(struct cli *cli, const struct wanted *wanted, cJSON **ret_root)
{
    struct diag diag = {0};
    struct task task = {.program = wanted->program, .file.path = wanted->path};
    task.file.fd = open(wanted->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (task.file.fd < 0) {
        return cli_fail(cli, CLI_FAILED, "%s: %s", wanted->path, strerror(errno));
    }
    task.answer_fd = memfd_create("answer", MFD_CLOEXEC);
    int err = task.answer_fd < 0 ? -errno : child_run(read_foreign, &task, 0, &diag);
    cJSON *root = err == 0 ? read_answer(task.answer_fd) : NULL;
    close(task.file.fd);
    if (task.answer_fd >= 0) {
        close(task.answer_fd);
    }
    if (root) {
        *ret_root = root;
        return CLI_DONE;
    }
    if (err == -ECHILD) {
        diag_set(&diag, err, "reading it took too much memory or time, or it is damaged");
    } else if (!*diag.text) {
        diag_set(&diag, err, "%s", err < 0 ? strerror(-err) : "no memory");
    }
    if (!*diag.file) {
        diag_at(&diag, wanted->path, 0, 0);
    }
    return cli_fail_diag(cli, CLI_FAILED, &diag);
}

/* Each category is one that there is: --category may be anything. */
static int check_words(const struct moved *moved, const struct referral *known, struct diag *diag)
{
    struct config *config = NULL;
    const struct yaml_text text = {moved->text, strlen(moved->text), "made"};
    int err = config_parse(&text, &config, diag);
    err = err < 0 ? err : referral_check(config, known, diag);
    config_free(config);
    return err;
}

/* What is left of a configuration that is there says whom the last group is called. */
static int convert(struct cli *cli, const struct wanted *wanted, const cJSON *root,
                   struct moved *moved)
{
    struct config *config = NULL;
    struct listcatalog *catalog = NULL;
    struct known *known = NULL;
    struct diag diag = {0};
    if (config_load(cli->config_path, &config, &diag) < 0 && !(config = config_new())) {
        return cli_fail(cli, CLI_FAILED, "no memory");
    }
    /* Without the data files less is known, and nothing is lost. */
    (void)!listcatalog_load(config->server.data_dir, &catalog, &diag);
    (void)!known_load(config->server.data_dir, &known);
    const struct moving_target target = {
        .catalog = catalog,
        .known = known && !known->missing[KNOWN_SERVICE] ? known : NULL,
        .category = wanted->category,
        .last_group = config->groups[config->group_count - 1].name,
    };
    struct catalog *categories = NULL;
    (void)!catalog_load(config->server.data_dir, &categories, &diag);
    diag_clear(&diag);
    int err = moving_write(root, &target, moved, &diag);
    if (err == 0 && categories && target.known) {
        err = check_words(moved, &(struct referral){categories, known}, &diag);
    }
    catalog_free(categories);
    listcatalog_free(catalog);
    known_free(known);
    config_free(config);
    return err == 0         ? CLI_DONE
           : err == -ENOMEM ? cli_fail(cli, CLI_FAILED, "no memory")
                            : cli_fail_diag(cli, CLI_FAILED, &diag);
}

static int save(struct cli *cli, const char *path, const char *text)
{
    int err = text ? wholefile_save(path, text, strlen(text)) : -ENOMEM;
    if (err == 0 && chmod(path, 0644) < 0) { /* the daemon's user reads it on each reload */
        err = -errno;
    }
    return err < 0 ? cli_fail(cli, CLI_FAILED, "%s: %s", path, strerror(-err)) : CLI_DONE;
}

static int refuse_existing(struct cli *cli, const struct wanted *wanted, const char *path)
{
    if (!wanted->force && access(path, F_OK) == 0) {
        return cli_fail(cli, CLI_FAILED, "%s is there already: --force writes over it", path);
    }
    return CLI_DONE;
}

static int save_files(struct cli *cli, const struct wanted *wanted, const struct moved *moved)
{
    int code = refuse_existing(cli, wanted, wanted->output);
    if (code == CLI_DONE && moved->rules) {
        code = refuse_existing(cli, wanted, wanted->rules);
    }
    if (code == CLI_DONE && moved->rules) {
        code = save(cli, wanted->rules, moved->rules);
    }
    return code == CLI_DONE ? save(cli, wanted->output, moved->text) : code;
}

static unsigned count_of(const cJSON *items, const char *kind, const char *state)
{
    const cJSON *item;
    unsigned count = 0;
    cJSON_ArrayForEach(item, items)
    {
        count += strcmp(cli_text(item, "kind"), kind) == 0 &&
                 strcmp(cli_text(item, "state"), state) == 0;
    }
    return count;
}

static void print_taken(FILE *out, const struct moved *moved)
{
    static const char *const kinds[] = {"list",   "group",    "client", "rule",
                                        "record", "upstream", "zone",   "setting"};
    const char *comma = "";
    fprintf(out, "taken over:");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        unsigned count = count_of(moved->items, kinds[i], "taken");
        if (count) {
            fprintf(out, "%s %u %s%s", comma, count, kinds[i], cli_plural(count));
            comma = ",";
        }
    }
    fprintf(out, "%s\n", *comma ? "" : " nothing");
}

static void print_state(FILE *out, const struct moved *moved, const char *state, const char *title)
{
    const cJSON *item;
    bool any = false;
    cJSON_ArrayForEach(item, moved->items)
    {
        if (strcmp(cli_text(item, "state"), state) == 0) {
            fprintf(out, "%s  %s %s, because: %s\n", any ? "" : title, cli_text(item, "kind"),
                    cli_text(item, "what"), cli_text(item, "why"));
            any = true;
        }
    }
}

static void print_next(struct cli *cli, const struct wanted *wanted, const struct moved *moved)
{
    fprintf(
        cli->out,
        "Look through %s, put it where you want it (greengate.yaml, or conf.d beside it), then:\n"
        "  greengate config check\n  greengate reload\n  greengate update\n",
        wanted->output);
    if (moved->rules) {
        fprintf(cli->out, "  greengate rules import %s\n", wanted->rules);
    }
}

static int print_report(struct cli *cli, const struct wanted *wanted, struct moved *moved)
{
    int code = moved->left ? CLI_PARTLY : CLI_DONE;
    if (cli->json) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddTrueToObject(json, "ok");
        cJSON_AddStringToObject(json, "from", wanted->program->name);
        cJSON_AddStringToObject(json, "config", moved->text);
        cJSON_AddStringToObject(json, "rules", moved->rules ? moved->rules : "");
        cJSON_AddNumberToObject(json, "taken", moved->taken);
        cJSON_AddNumberToObject(json, "changed", moved->changed);
        cJSON_AddNumberToObject(json, "left", moved->left);
        cJSON_AddItemToObject(json, "items", moved->items);
        moved->items = NULL;
        int printed = cli_print_json(cli, json);
        return printed == CLI_DONE ? code : printed;
    }
    /* On standard output the configuration itself, when no file was named. */
    FILE *out = wanted->output ? cli->out : cli->err;
    if (!wanted->output) {
        fputs(moved->text, cli->out);
        fprintf(cli->out, "%s%s", moved->rules ? "\n---\n# For `greengate rules import`:\n" : "",
                moved->rules ? moved->rules : "");
    }
    print_taken(out, moved);
    print_state(out, moved, "changed", "different here:\n");
    print_state(out, moved, "left", "not taken over:\n");
    if (wanted->output) {
        print_next(cli, wanted, moved);
    }
    return code;
}

static int run(struct cli *cli, const struct wanted *wanted)
{
    cJSON *root = NULL;
    struct moved moved = {0};
    int code = read_file(cli, wanted, &root);
    if (code != CLI_DONE) {
        return code;
    }
    code = convert(cli, wanted, root, &moved);
    if (code == CLI_DONE && wanted->output) {
        code = save_files(cli, wanted, &moved);
    }
    if (code == CLI_DONE) {
        code = print_report(cli, wanted, &moved);
    }
    moved_clear(&moved);
    cJSON_Delete(root);
    return code;
}

static const struct program *find_program(const char *word)
{
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        if (strcmp(programs[i].word, word) == 0) {
            return &programs[i];
        }
    }
    return NULL;
}

/* "/etc/x/pihole.yaml" gives "/etc/x/pihole.rules", which conf.d does not read. */
static void name_rules(struct wanted *wanted)
{
    size_t len = wanted->output ? strlen(wanted->output) : 0;
    bool yaml = len > 5 && strcmp(wanted->output + len - 5, ".yaml") == 0;
    if (!wanted->rules && wanted->output) {
        snprintf(wanted->beside, sizeof(wanted->beside), "%.*s.rules", (int)(yaml ? len - 5 : len),
                 wanted->output);
        wanted->rules = wanted->beside;
    }
}

int cmd_import(struct cli *cli, int argc, char **argv)
{
    struct wanted wanted = {.category = "ads"};
    const struct cli_option options[] = {
        {"--output", NULL, &wanted.output},
        {"--rules", NULL, &wanted.rules},
        {"--category", NULL, &wanted.category},
        {"--force", &wanted.force, NULL},
        {NULL, NULL, NULL},
    };
    int count = cli_options(cli, argc, argv, options);
    if (count < 0) {
        return CLI_USAGE;
    }
    wanted.program = count > 0 ? find_program(argv[1]) : NULL;
    if (!wanted.program || count != 2) {
        return cli_usage(cli, "import", "pihole, adguard, blocky or dnsmasq, and a file");
    }
    if (wanted.rules && !wanted.output) {
        return cli_usage(cli, "import", "--rules goes with --output");
    }
    if (wanted.output && strlen(wanted.output) >= PATH_TEXT_MAX - 8) {
        return cli_usage(cli, "import", "--output: the path is too long");
    }
    wanted.path = argv[2];
    name_rules(&wanted);
    return run(cli, &wanted);
}
