// SPDX-License-Identifier: Apache-2.0
/* setup: from five answers to a configuration that runs. */
#pragma once
#include "config/catalog.h"
#include "config/config.h"
#include "config/listcatalog.h"
#include "tools/cli.h"
#include "tools/wordbook.h"

enum { SETUP_TEXT_MAX = 512, SETUP_ADDRESSES_MAX = 16 };

/* What was answered, as text; "" is no answer yet. */
struct setup_answers {
    char place[SETUP_TEXT_MAX];    /* home | school */
    char ages[SETUP_TEXT_MAX];     /* young | teen | adult */
    char language[SETUP_TEXT_MAX]; /* of the warning page */
    char upstream[SETUP_TEXT_MAX]; /* quad9 | cloudflare-family | system | server URLs */
    char address[SETUP_TEXT_MAX];  /* addresses, with a port or without, divided by commas */
};

struct setup {
    struct cli *cli;
    const char *language;        /* of the dialogue: ko or en */
    const struct wordbook *book; /* data_dir/setup.yaml */
    const struct config *base;   /* what holds without the file that is made */
    const struct listcatalog *lists;
    const struct catalog *catalog;
    struct setup_answers answers;
    const struct listcatalog_preset *preset;
    char found[SETUP_TEXT_MAX]; /* addresses of this machine */
    struct text_list listen;    /* ADDRESS:PORT */
    struct text_list upstream;
    const char *organisation; /* "" = none given */
    cJSON *report;            /* for --json */
    bool printing;            /* to standard output alone: no file is written */
};

/* Print a line of the book to cli->out, unless --json; fills as wordbook_line has them. */
void setup_say(const struct setup *setup, const char *id, const char *const *fills);

/* Take the answers that are missing from standard input; all: from the defaults instead. Then
 * make preset, listen and upstream of them. CLI_DONE, or the exit code after saying why. */
int setup_ask(struct setup *setup, bool all);
/* Free listen and upstream. */
void setup_forget(struct setup *setup);
void setup_find_addresses(char out[SETUP_TEXT_MAX]);

/* The commented configuration. -ENOMEM */
__attribute__((warn_unused_result)) int setup_write(const struct setup *setup, FILE *out);
bool setup_is_safe(const struct setup *setup); /* safe modes of search engines are on */
const char *setup_youtube(const struct setup *setup);

/* Start the service, or say how; then ask it, and tell what the DHCP server must say. */
void setup_start(struct setup *setup, bool start);
