// SPDX-License-Identifier: Apache-2.0
#include "blocklists/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum { MATCH_LIMIT = 10000, HEAP_LIMIT_KIB = 256, WIDE_PARTS = 4 };

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
        pcre2_set_match_limit(context, MATCH_LIMIT);
        pcre2_set_heap_limit(context, HEAP_LIMIT_KIB);
        fault = try_names(code, match, context);
    }
    pcre2_match_context_free(context);
    pcre2_match_data_free(match);
    pcre2_code_free(code);
    return fault;
}
