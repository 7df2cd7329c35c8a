// SPDX-License-Identifier: Apache-2.0
#include "blocklists/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <errno.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "blocklists/child.h"

enum { WIDE_PARTS = 4 };

/* A pattern that often reaches the limits of a match is not tried on. */
enum { TRY_FAULTS_MAX = 16 };

/* Names of many kinds and places: what matches a quarter of them matches nearly
 * anything, or a top-level domain of half the world. */
static const char *const well_known[] = {
    "www.google.com",
    "google.com",
    "youtube.com",
    "www.naver.com",
    "naver.com",
    "daum.net",
    "kakao.com",
    "wikipedia.org",
    "ko.wikipedia.org",
    "microsoft.com",
    "windowsupdate.com",
    "apple.com",
    "icloud.com",
    "amazon.com",
    "amazon.co.jp",
    "bbc.co.uk",
    "yahoo.co.jp",
    "debian.org",
    "kernel.org",
    "ubuntu.com",
    "github.com",
    "gitlab.com",
    "cloudflare.com",
    "akamai.net",
    "ebs.co.kr",
    "moe.go.kr",
    "korea.kr",
    "snu.ac.kr",
    "kaist.ac.kr",
    "nhis.or.kr",
    "who.int",
    "europa.eu",
    "spiegel.de",
    "lemonde.fr",
    "elpais.com",
    "corriere.it",
    "abc.net.au",
    "cbc.ca",
    "uol.com.br",
    "baidu.com",
    "gov.cn",
    "yandex.ru",
    "timesofindia.com",
    "nic.in",
    "un.org",
    "nasa.gov",
    "mit.edu",
    "stanford.edu",
    "pool.ntp.org",
    "time.bora.net",
    "letsencrypt.org",
    "mozilla.org",
    "zoom.us",
    "dropbox.com",
    "slack.com",
    "1.1.1.1.in-addr.arpa",
    "mail.example.org",
    "a-b-c.example.io",
    "cdn1.example.net",
    "xn--3e0b707e.kr",
    "s3.eu-central-1.amazonaws.com",
    "e1234.dscx.akamaiedge.net",
    "i.ytimg.com",
    "t.co",
    /* what takes exponential time on runs of a letter is found out here */
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-0.example.net",
};

enum { WELL_KNOWN = sizeof(well_known) / sizeof(well_known[0]) };

static bool has_capital(const struct span *text)
{
    for (size_t i = 0; i < text->len; i++) {
        if (text->text[i] >= 'A' && text->text[i] <= 'Z') {
            return true;
        }
    }
    return false;
}

/* As the resolver compiles it. */
static pcre2_code *compile(const struct span *text)
{
    int error;
    PCRE2_SIZE at;
    uint32_t options =
        PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY;
    options |= has_capital(text) ? PCRE2_CASELESS : 0;
    return pcre2_compile((PCRE2_SPTR)text->text, text->len, options, &error, &at, NULL);
}

/* As the resolver matches it: a name that needs more is not matched. */
static void set_limits(pcre2_match_context *context)
{
    pcre2_set_match_limit(context, BLOCKDB_PATTERN_STEPS);
    pcre2_set_depth_limit(context, BLOCKDB_PATTERN_STEPS);
    pcre2_set_heap_limit(context, BLOCKDB_PATTERN_HEAP_KIB);
}

static enum skip_reason try_names(const pcre2_code *code, pcre2_match_data *match,
                                  pcre2_match_context *context)
{
    unsigned hits = 0;
    for (unsigned i = 0; i < WELL_KNOWN; i++) {
        int found = pcre2_match(code, (PCRE2_SPTR)well_known[i], PCRE2_ZERO_TERMINATED, 0, 0, match,
                                context);
        if (found < 0 && found != PCRE2_ERROR_NOMATCH) {
            return SKIP_REGEX;
        }
        hits += found >= 0;
    }
    return hits * WIDE_PARTS >= WELL_KNOWN ? SKIP_WIDE : SKIP_NONE;
}

enum skip_reason pattern_judge(const struct span *text)
{
    enum skip_reason fault = SKIP_REGEX;
    if (text->len == 0 || memchr(text->text, 0, text->len)) {
        return SKIP_REGEX;
    }
    pcre2_code *code = compile(text);
    pcre2_match_data *match = code ? pcre2_match_data_create(1, NULL) : NULL;
    pcre2_match_context *context = match ? pcre2_match_context_create(NULL) : NULL;
    if (context) {
        set_limits(context);
        fault = try_names(code, match, context);
    }
    pcre2_match_context_free(context);
    pcre2_match_data_free(match);
    pcre2_code_free(code);
    return fault;
}

/* Patterns against names, for the child. */
struct trying {
    const struct blockdb *db;
    char (*texts)[DNAME_TEXT_MAX + 4]; /* www. and the name */
    size_t count;
    uint8_t *fits; /* shared */
};

/* 1, 0, or -1 when it took too long. */
static int try_text(const pcre2_code *code, const char *text, pcre2_match_data *match,
                    pcre2_match_context *context)
{
    int found = pcre2_match(code, (PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, 0, 0, match, context);
    return found >= 0 ? 1 : found == PCRE2_ERROR_NOMATCH ? 0 : -1;
}

static void try_pattern(const struct trying *trying, uint32_t index, pcre2_match_data *match,
                        pcre2_match_context *context)
{
    const char *pattern = blockdb_pattern(trying->db, index)->text;
    const struct span text = {pattern, strlen(pattern)};
    pcre2_code *code = compile(&text);
    unsigned faults = 0;
    for (size_t i = 0; code && i < trying->count && faults < TRY_FAULTS_MAX; i++) {
        int own = try_text(code, trying->texts[i] + 4, match, context);
        int www = own > 0 ? 0 : try_text(code, trying->texts[i], match, context);
        faults += own < 0 || www < 0;
        trying->fits[index * trying->count + i] = own > 0 || www > 0;
    }
    pcre2_code_free(code);
}

static int try_patterns(void *arg, struct diag *diag)
{
    const struct trying *trying = arg;
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    (void)diag;
    if (match && context) {
        set_limits(context);
        for (uint32_t i = 0; i < blockdb_info(trying->db)->patterns; i++) {
            try_pattern(trying, i, match, context);
        }
    }
    int err = match && context ? 0 : -ENOMEM;
    pcre2_match_context_free(context);
    pcre2_match_data_free(match);
    return err;
}

int pattern_try(const struct blockdb *db, const struct name_list *names, size_t count,
                uint8_t **ret_fits)
{
    struct trying trying = {.db = db, .count = count};
    size_t bytes = blockdb_info(db)->patterns * count;
    struct diag diag = {0};
    *ret_fits = NULL;
    if (bytes == 0) {
        return 0;
    }
    void *shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint8_t *fits = malloc(bytes);
    trying.texts = calloc(count, sizeof(*trying.texts));
    int err = shared != MAP_FAILED && fits && trying.texts ? 0 : -ENOMEM;
    for (size_t i = 0; err == 0 && i < count; i++) {
        memcpy(trying.texts[i], "www.", 4);
        dname_print(&names->items[i], trying.texts[i] + 4);
    }
    trying.fits = shared;
    err = err < 0 ? err : child_run(try_patterns, &trying, 0, &diag);
    if (err == 0) {
        memcpy(fits, shared, bytes);
        *ret_fits = fits;
        fits = NULL;
    }
    if (shared != MAP_FAILED) {
        munmap(shared, bytes);
    }
    free(trying.texts);
    free(fits);
    return err;
}
