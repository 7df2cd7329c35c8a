// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "config/check.h"
#include "tools/doctor.h"
#include "tools/setup.h"

enum { DNS_PORT = 53 };

static const char *const places[] = {"home", "school", NULL};
static const char *const ages[] = {"young", "teen", "adult", NULL};
static const char *const languages[] = {"ko", "en", "zh", "vi", "ja", NULL};

/* Servers by a word. */
static const struct {
    const char *word, *servers;
} known[] = {
    {"quad9", "tls://9.9.9.9:853#dns.quad9.net,tls://149.112.112.112:853#dns.quad9.net"},
    {"cloudflare-family",
     "tls://1.1.1.3:853#family.cloudflare-dns.com,tls://1.0.0.3:853#family.cloudflare-dns.com"},
    {"system", "system"},
};

void setup_say(const struct setup *setup, const char *id, const char *const *fills)
{
    if (!setup->cli->json && !setup->cli->quiet) {
        wordbook_print(setup->book, setup->language, &(struct wordbook_line){id, fills},
                       setup->cli->out);
        fputc('\n', setup->cli->out);
    }
}

/* Addresses that others may reach: neither loopback nor of one link alone. */
void setup_find_addresses(char out[SETUP_TEXT_MAX])
{
    struct ifaddrs *all = NULL;
    size_t used = 0;
    out[0] = '\0';
    if (getifaddrs(&all) < 0) {
        return;
    }
    for (const struct ifaddrs *one = all; one; one = one->ifa_next) {
        struct addr addr;
        char text[ADDR_TEXT_MAX];
        bool up = one->ifa_addr && (one->ifa_flags & IFF_UP);
        if (!up || (one->ifa_addr->sa_family != AF_INET && one->ifa_addr->sa_family != AF_INET6)) {
            continue;
        }
        addr_from_sockaddr(one->ifa_addr, &addr);
        addr.port = 0;
        bool link = addr.scope || (addr.family == AF_INET6 && addr.bytes[0] == 0xfe &&
                                   (addr.bytes[1] & 0xc0) == 0x80);
        if (addr_is_loopback(&addr) || link) {
            continue;
        }
        int len = snprintf(out + used, SETUP_TEXT_MAX - used, "%s%s", used ? "," : "",
                           addr_print(&addr, text));
        if (used + (size_t)len >= SETUP_TEXT_MAX) {
            out[used] = '\0';
            break;
        }
        used += (size_t)len;
    }
    freeifaddrs(all);
}

static int add_text(struct text_list *list, const char *text)
{
    char **items = realloc(list->items, (list->count + 1) * sizeof(*items));
    if (!items) {
        return -ENOMEM;
    }
    list->items = items;
    items[list->count] = strdup(text);
    return items[list->count] ? (list->count++, 0) : -ENOMEM;
}

static void forget(struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i]);
    }
    free(list->items);
    *list = (struct text_list){0};
}

void setup_forget(struct setup *setup)
{
    forget(&setup->listen);
    forget(&setup->upstream);
}

/* NULL, or why an answer cannot be taken; the taken ones stand in the lists. */
static const char *take_listen(struct setup *setup, const char *answer, char why[SETUP_TEXT_MAX])
{
    char copy[SETUP_TEXT_MAX], text[ADDR_TEXT_MAX], *save = NULL;
    snprintf(copy, sizeof(copy), "%s", answer);
    forget(&setup->listen);
    for (char *word = strtok_r(copy, ", ", &save); word; word = strtok_r(NULL, ", ", &save)) {
        struct addr addr;
        if (addr_parse_port(word, DNS_PORT, &addr) < 0 || addr.port == 0) {
            snprintf(why, SETUP_TEXT_MAX, "%.60s: %s", word, check_address(word));
            return why;
        }
        if (setup->listen.count == SETUP_ADDRESSES_MAX ||
            add_text(&setup->listen, addr_print(&addr, text)) < 0) {
            return "too many";
        }
    }
    return setup->listen.count ? NULL : check_address("");
}

static const char *take_upstream(struct setup *setup, const char *answer, char why[SETUP_TEXT_MAX])
{
    char copy[SETUP_TEXT_MAX], *save = NULL;
    snprintf(copy, sizeof(copy), "%s", answer);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i].word, answer) == 0) {
            snprintf(copy, sizeof(copy), "%s", known[i].servers);
        }
    }
    forget(&setup->upstream);
    for (char *word = strtok_r(copy, ", ", &save); word; word = strtok_r(NULL, ", ", &save)) {
        const char *fault = check_upstream(word);
        if (fault) {
            snprintf(why, SETUP_TEXT_MAX, "%s; quad9, cloudflare-family", fault);
            return why;
        }
        if (add_text(&setup->upstream, word) < 0) {
            return "too many";
        }
    }
    return setup->upstream.count ? NULL : check_upstream("");
}

static const char *take_word(const struct setup *setup, const char *const *words,
                             const char *answer, char why[SETUP_TEXT_MAX])
{
    char list[64] = "";
    for (; *words; words++) {
        if (strcmp(*words, answer) == 0) {
            return NULL;
        }
        size_t used = strlen(list);
        snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", *words);
    }
    FILE *out = fmemopen(why, SETUP_TEXT_MAX, "w");
    if (!out) {
        return list[0] ? "?" : "";
    }
    wordbook_print(setup->book, setup->language,
                   &(struct wordbook_line){"one_of", (const char *const[]){"{words}", list, NULL}},
                   out);
    fclose(out);
    return why;
}

enum question { PLACE, AGES, LANGUAGE, UPSTREAM, ADDRESS, QUESTIONS };

static const char *const texts[QUESTIONS] = {"ask_place", "ask_ages", "ask_language",
                                             "ask_upstream", "ask_address"};
static const char *const flags[QUESTIONS] = {"--place", "--ages", "--language", "--upstream",
                                             "--address"};

static char *answer_of(struct setup *setup, enum question question)
{
    char *const all[QUESTIONS] = {setup->answers.place, setup->answers.ages,
                                  setup->answers.language, setup->answers.upstream,
                                  setup->answers.address};
    return all[question];
}

static const char *default_of(const struct setup *setup, enum question question)
{
    const char *const all[QUESTIONS] = {"home", "teen", setup->language, "quad9",
                                        *setup->found ? setup->found : "127.0.0.1"};
    return all[question];
}

static const char *refuse(struct setup *setup, enum question question, const char *answer,
                          char why[SETUP_TEXT_MAX])
{
    switch (question) {
    case PLACE: return take_word(setup, places, answer, why);
    case AGES: return take_word(setup, ages, answer, why);
    case LANGUAGE: return take_word(setup, languages, answer, why);
    case UPSTREAM: return take_upstream(setup, answer, why);
    default: return take_listen(setup, answer, why);
    }
}

/* 1: an answer, 0: the default, -1: there is nobody any more. */
static int read_answer(struct setup *setup, enum question question, char *out)
{
    const char *const fills[] = {"{found}", *setup->found ? setup->found : "-", NULL};
    FILE *to = setup->cli->out;
    wordbook_print(setup->book, setup->language, &(struct wordbook_line){texts[question], fills},
                   to);
    fprintf(to, " [%s]: ", default_of(setup, question));
    fflush(to);
    if (!fgets(out, SETUP_TEXT_MAX, stdin)) {
        return -1;
    }
    out[strcspn(out, "\r\n")] = '\0';
    const char *start = out + strspn(out, " \t");
    memmove(out, start, strlen(start) + 1);
    return *out != '\0';
}

static int ask_one(struct setup *setup, enum question question)
{
    char why[SETUP_TEXT_MAX];
    char *answer = answer_of(setup, question);
    for (;;) {
        int got = read_answer(setup, question, answer);
        if (got < 0) {
            fputc('\n', setup->cli->out);
            return cli_fail(setup->cli, CLI_USAGE,
                            "the answers ended before %s; give it as an option, or --yes",
                            flags[question]);
        }
        if (got == 0) {
            snprintf(answer, SETUP_TEXT_MAX, "%s", default_of(setup, question));
        }
        const char *fault = refuse(setup, question, answer, why);
        if (!fault) {
            return CLI_DONE;
        }
        setup_say(setup, "not_so", (const char *const[]){"{answer}", answer, "{why}", fault, NULL});
    }
}

/* What was given by an option must be right; what was not is asked, or taken as usual. */
static int settle(struct setup *setup, enum question question, bool all)
{
    char why[SETUP_TEXT_MAX];
    char *answer = answer_of(setup, question);
    if (!*answer && !all) {
        return ask_one(setup, question);
    }
    if (!*answer) {
        snprintf(answer, SETUP_TEXT_MAX, "%s", default_of(setup, question));
    }
    const char *fault = refuse(setup, question, answer, why);
    return fault ? cli_fail(setup->cli, CLI_USAGE, "%s %.100s: %s", flags[question], answer, fault)
                 : CLI_DONE;
}

static const char *preset_of(const struct setup *setup)
{
    const struct setup_answers *answers = &setup->answers;
    if (strcmp(answers->ages, "adult") == 0) {
        return "security-only";
    }
    if (strcmp(answers->place, "school") == 0) {
        return strcmp(answers->language, "ko") == 0 ? "school-kr" : "school";
    }
    return strcmp(answers->ages, "young") == 0 ? "home-young" : "home-teen";
}

static void see_owners(const struct setup *setup)
{
    char owner[OWNER_TEXT_MAX];
    for (size_t i = 0; i < setup->listen.count; i++) {
        struct addr addr;
        if (addr_parse_port(setup->listen.items[i], DNS_PORT, &addr) == 0 &&
            *port_owner(&addr, owner) && !strstr(owner, "greengated")) {
            setup_say(
                setup, "held",
                (const char *const[]){"{address}", setup->listen.items[i], "{owner}", owner, NULL});
        }
    }
}

static bool is_answered(struct setup *setup)
{
    for (int question = 0; question < QUESTIONS; question++) {
        if (!*answer_of(setup, (enum question)question)) {
            return false;
        }
    }
    return true;
}

int setup_ask(struct setup *setup, bool all)
{
    int code = CLI_DONE;
    if (!all && !setup->printing && !is_answered(setup)) {
        setup_say(setup, "welcome", (const char *const[]){"{file}", setup->cli->config_path, NULL});
    }
    for (int question = 0; code == CLI_DONE && question < QUESTIONS; question++) {
        code = settle(setup, (enum question)question, all);
    }
    if (code != CLI_DONE) {
        return code;
    }
    setup->preset = listcatalog_find_preset(setup->lists, preset_of(setup));
    if (!setup->preset) {
        return cli_fail(setup->cli, CLI_FAILED, "presets.yaml of %s has no preset %s",
                        setup->base->server.data_dir, preset_of(setup));
    }
    see_owners(setup);
    return CLI_DONE;
}
