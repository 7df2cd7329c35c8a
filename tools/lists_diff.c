// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "blocklists/difference.h"
#include "blocklists/generation.h"
#include "tools/differing.h"
#include "tools/inforce.h"
#include "tools/lists.h"

enum { SHOWN = 20, ALL_MAX = 1000000 };

static int open_text(void *arg, const struct blockdb_source *source,
                     struct build_source *ret_source)
{
    return textstore_open(arg, source, ret_source);
}

static int compare(struct cli *cli, struct inforce sides[2], bool all)
{
    struct difference *difference = NULL;
    const struct difference_side before = {sides[0].db, open_text, &sides[0].store};
    const struct difference_side after = {sides[1].db, open_text, &sides[1].store};
    if (difference_run(&before, &after, all ? ALL_MAX : SHOWN, &difference) < 0) {
        return cli_fail(cli, CLI_FAILED, "no memory");
    }
    int code = CLI_DONE;
    if (cli->json) {
        cJSON *json = cJSON_CreateObject();
        cJSON_AddTrueToObject(json, "ok");
        cJSON_AddNumberToObject(json, "before", sides[0].store.generation);
        cJSON_AddNumberToObject(json, "after", sides[1].store.generation);
        differing_add(json, difference);
        code = cli_print_json(cli, json);
    } else {
        fprintf(cli->out, "from generation %u to %u\n", sides[0].store.generation,
                sides[1].store.generation);
        code = differing_print(cli, difference);
    }
    difference_free(difference);
    return code;
}

/* "12", or a default. 0 after saying what is wrong. */
static unsigned read_generation(struct cli *cli, const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (*end || number == 0 || number > 999999) {
        (void)cli_usage(cli, "lists", "a generation is a number: `greengate lists generations`");
        return 0;
    }
    return (unsigned)number;
}

/* Without numbers the one before that in force, and that in force. */
static int choose(struct cli *cli, int count, char **argv, unsigned ret_numbers[2])
{
    struct inforce lists = {0};
    int code = inforce_take(cli, 0, &lists);
    if (code != CLI_DONE) {
        inforce_close(&lists);
        return code;
    }
    int before = generation_previous(lists.store.state_dir);
    ret_numbers[0] = before > 0 ? (unsigned)before : 0;
    ret_numbers[1] = lists.store.generation;
    inforce_close(&lists);
    for (int i = 0; i < count; i++) {
        ret_numbers[i] = read_generation(cli, argv[i + 1]);
        if (ret_numbers[i] == 0) {
            return CLI_USAGE;
        }
    }
    return ret_numbers[0] && ret_numbers[1]
               ? CLI_DONE
               : cli_fail(cli, CLI_FAILED, "there is no other generation to compare with");
}

int lists_diff(struct cli *cli, int argc, char **argv)
{
    bool all = false;
    unsigned numbers[2];
    struct inforce sides[2] = {0};
    const struct cli_option options[] = {{"--all", &all, NULL}, {NULL, NULL, NULL}};
    int count = cli_options(cli, argc, argv, options);
    if (count < 0 || count > 2) {
        return count < 0 ? CLI_USAGE : cli_usage(cli, "lists", "at most two generations");
    }
    int code = choose(cli, count, argv, numbers);
    for (unsigned i = 0; i < 2 && code == CLI_DONE; i++) {
        code = inforce_take(cli, numbers[i], &sides[i]);
    }
    if (code == CLI_DONE) {
        code = compare(cli, sides, all);
    }
    inforce_close(&sides[0]);
    inforce_close(&sides[1]);
    return code;
}
