// SPDX-License-Identifier: Apache-2.0
#include "tools/complete.h"

#include <string.h>
#include <unistd.h>

#include "tools/grammar.h"
#include "tools/values.h"

/* Who waits for a daemon that hangs waits no longer than this. */
enum { PATIENCE_S = 2 };

struct typing {
    struct cli *cli;
    const struct command *command; /* NULL: not yet typed */
    struct grammar grammar;
    char sub[GRAMMAR_TEXT_MAX];
    size_t places;                     /* words that stand for something, behind sub */
    const struct grammar_word *option; /* whose value is typed */
    const char *word;                  /* as far as it is typed */
    char before[256];                  /* what stands before it: "--group=", "games," */
};

static const struct {
    const char *option, *about;
} everywhere[] = {
    {"-c", "another configuration"},
    {"--json", "one JSON value as the result"},
    {"--quiet", "no result; the exit status tells"},
    {"--help", "tell about a command"},
    {"--version", "print the version"},
};

/* Up to the first semicolon, or the end of a sentence. */
static int brief(const char *about)
{
    size_t len = 0;
    while (about[len] && about[len] != ';' && about[len] != '\n' &&
           !(about[len] == '.' && (about[len + 1] == ' ' || about[len + 1] == '\0'))) {
        len++;
    }
    return (int)len;
}

static void offer(void *owner, const char *candidate, const char *about)
{
    const struct typing *typing = owner;
    if (strncmp(candidate, typing->word, strlen(typing->word)) == 0 && *candidate) {
        fprintf(typing->cli->out, "%s%s\t%.*s\n", typing->before, candidate, brief(about), about);
    }
}

static void offer_word(struct typing *typing, const struct grammar_word *word)
{
    char about[160] = "";
    size_t len = 0;
    /* Its lines become one. */
    for (size_t i = 0; i < word->help_len && len < sizeof(about) - 1; i++) {
        char c = word->help[i] == '\n' ? ' ' : word->help[i];
        if (c != ' ' || (len > 0 && about[len - 1] != ' ')) {
            about[len++] = c;
        }
    }
    about[len - (len > 0 && about[len - 1] == ' ')] = '\0';
    offer(typing, word->text, about);
}

static const struct grammar_word *find_option(const struct typing *typing, const char *text)
{
    size_t len = strcspn(text, "=");
    for (size_t i = 0; i < typing->grammar.count; i++) {
        const struct grammar_word *word = &typing->grammar.words[i];
        if (word->kind == TOKEN_OPTION && grammar_fits(word, typing->sub) &&
            strlen(word->text) == len && strncmp(word->text, text, len) == 0) {
            return word;
        }
    }
    return NULL;
}

/* A word that was typed as a whole and is no option. */
static void take_plain(struct typing *typing, const char *text)
{
    for (size_t i = 0; i < typing->grammar.count && typing->places == 0; i++) {
        const struct grammar_word *word = &typing->grammar.words[i];
        if (word->kind == TOKEN_WORD && strcmp(word->text, text) == 0 &&
            grammar_fits(word, typing->sub)) {
            size_t len = strlen(typing->sub);
            snprintf(typing->sub + len, sizeof(typing->sub) - len, "%s%s", len ? " " : "", text);
            return;
        }
    }
    typing->places++;
}

/* A word that was typed as a whole: `next` is the one behind it. Returns how many words it took. */
static int take(struct typing *typing, const char *text, const char *next)
{
    if (strcmp(text, "-c") == 0) {
        typing->cli->config_path = next;
        return 2;
    }
    if (strcmp(text, "=") == 0) { /* bash divides --group=G so */
        return 1;
    }
    if (text[0] != '-') {
        if (typing->command) {
            take_plain(typing, text);
        } else if ((typing->command = command_find(text))) {
            grammar_read(typing->command, &typing->grammar);
        } else {
            return -1;
        }
        return 1;
    }
    const struct grammar_word *option = find_option(typing, text);
    if (!option || !option->value[0] || strchr(text, '=')) {
        return 1;
    }
    typing->option = option;
    return strcmp(next, "=") == 0 ? 3 : 2;
}

static void offer_values(struct typing *typing, const struct grammar_word *of)
{
    bool option = of->kind == TOKEN_OPTION;
    const struct values_place place = {typing->command->name, typing->sub, of->text,
                                       option ? of->value : ""};
    const struct values_taker taker = {typing, offer};
    const char *comma = strrchr(typing->word, ',');
    size_t len = strlen(typing->before);
    if (comma) { /* of the words that have none, none begins so */
        int part = (int)(comma + 1 - typing->word);
        snprintf(typing->before + len, sizeof(typing->before) - len, "%.*s", part, typing->word);
        typing->word = comma + 1;
    }
    if (values_give(typing->cli, &place, &taker) == VALUES_FILES) {
        fprintf(typing->cli->out, ":files\n");
    }
}

static void offer_plain(struct typing *typing)
{
    const struct grammar_word *place = NULL;
    size_t number = 0;
    for (size_t i = 0; i < typing->grammar.count; i++) {
        const struct grammar_word *word = &typing->grammar.words[i];
        if (!grammar_fits(word, typing->sub)) {
            continue;
        }
        if (word->kind == TOKEN_WORD && typing->places == 0) {
            offer_word(typing, word);
        } else if (word->kind == TOKEN_PLACE && (number++ == typing->places || word->many)) {
            place = word;
        }
    }
    if (place) {
        offer_values(typing, place);
    }
}

static void offer_options(struct typing *typing)
{
    for (size_t i = 0; typing->command && i < typing->grammar.count; i++) {
        const struct grammar_word *word = &typing->grammar.words[i];
        if (word->kind == TOKEN_OPTION && find_option(typing, word->text) == word) {
            offer_word(typing, word);
        }
    }
    for (size_t i = 0; i < sizeof(everywhere) / sizeof(everywhere[0]); i++) {
        if (!find_option(typing, everywhere[i].option)) {
            offer(typing, everywhere[i].option, everywhere[i].about);
        }
    }
}

static void offer_all(struct typing *typing)
{
    const char *sign = typing->word[0] == '-' ? strchr(typing->word, '=') : NULL;
    if (typing->option) {
        offer_values(typing, typing->option);
    } else if (sign && typing->command) {
        const struct grammar_word *option = find_option(typing, typing->word);
        snprintf(typing->before, sizeof(typing->before), "%.*s", (int)(sign + 1 - typing->word),
                 typing->word);
        typing->word = sign + 1;
        if (option && option->value[0]) {
            offer_values(typing, option);
        }
    } else if (typing->word[0] == '-') {
        offer_options(typing);
    } else if (typing->command) {
        offer_plain(typing);
    } else {
        for (size_t i = 0; i < command_count; i++) {
            offer(typing, commands[i].name, commands[i].help);
        }
    }
}

int complete(struct cli *cli, int argc, char **argv)
{
    static struct typing typing;
    int at = argc > 0 && strcmp(argv[0], "--") == 0 ? 1 : 0;
    int last = argc - 1;
    typing = (struct typing){.cli = cli, .word = at < argc ? argv[last] : ""};
    cli->json = false;
    alarm(PATIENCE_S);
    while (at < last) {
        typing.option = NULL;
        int taken = take(&typing, argv[at], argv[at + 1]);
        if (taken < 0) {
            return CLI_DONE;
        }
        if (at + taken > last && !typing.option) { /* the value of -c is typed */
            fprintf(cli->out, ":files\n");
            return CLI_DONE;
        }
        at += taken;
        typing.option = at > last ? typing.option : NULL;
    }
    if (typing.option && strcmp(typing.word, "=") == 0) {
        typing.word = "";
    }
    offer_all(&typing);
    return CLI_DONE;
}
