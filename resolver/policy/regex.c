// SPDX-License-Identifier: Apache-2.0
#include "policy/regex.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "policy/literal.h"

enum {
    NEEDLE_HEADS = 2048,
    NEEDLE_BITS = 16,    /* of the hash: so wide that letters seldom look like a needle's */
    SCRATCH = 96 * 1024, /* for the frames twice, while they grow */
};

struct pattern {
    pcre2_code *code; /* NULL: left out */
};

/* A text that some pattern needs, found by three letters of it without a dot: so the
 * octets of the name in wire format can be searched. */
struct needle {
    char text[LITERAL_MAX + 1];
    uint8_t len;
    uint8_t anchor; /* where its letters stand by which it is found */
    uint16_t pattern;
    uint16_t next; /* needle + 1 of the same hash, 0 = none */
};

struct regex_set {
    struct pattern *patterns;
    uint32_t count;
    uint64_t always[REGEX_WORDS]; /* patterns without needles */
    bool some_always;
    uint64_t known[(1 << NEEDLE_BITS) / 64]; /* hashes of letters */
    struct needle *needles;
    unsigned needle_count;
    uint16_t heads[NEEDLE_HEADS];
};

/* What one thread matches in. PCRE2 believes that it allocates; all of it lies here,
 * and untouched pages cost nothing. */
struct scratch {
    size_t used, newest; /* where the last piece begins */
    pcre2_match_data *data;
    pcre2_match_context *context;
    _Alignas(16) uint8_t room[SCRATCH];
};

static _Thread_local struct scratch scratch;

static void *take_room(size_t size, void *owner)
{
    struct scratch *room = owner;
    size_t len = (size + 15) & ~(size_t)15;
    if (len < size || len > SCRATCH - room->used) {
        return NULL;
    }
    room->newest = room->used;
    room->used += len;
    return room->room + room->newest;
}

static void give_room(void *piece, void *owner)
{
    struct scratch *room = owner;
    if (piece == room->room + room->newest) {
        room->used = room->newest;
    }
}

/* Once per thread. */
static bool set_up(struct scratch *room)
{
    if (room->data) {
        return true;
    }
    pcre2_general_context *general = pcre2_general_context_create(take_room, give_room, room);
    pcre2_match_context *context = general ? pcre2_match_context_create(general) : NULL;
    if (!context) {
        return false;
    }
    pcre2_set_match_limit(context, BLOCKDB_PATTERN_STEPS);
    pcre2_set_depth_limit(context, BLOCKDB_PATTERN_STEPS);
    pcre2_set_heap_limit(context, BLOCKDB_PATTERN_HEAP_KIB);
    room->context = context;
    room->data = pcre2_match_data_create(1, general);
    return room->data != NULL;
}

/* Of three letters; four octets are read. */
static inline uint32_t hash_letters(const uint8_t *at)
{
    uint32_t letters;
    memcpy(&letters, at, sizeof(letters));
    letters &= htole32(0xffffff);
    return letters * 2654435761U >> (32 - NEEDLE_BITS);
}

static void mark(uint64_t *words, uint32_t index)
{
    words[index / 64] |= 1ULL << index % 64;
}

/* Three letters without a dot; past the end when there are none. */
static size_t find_anchor(const char *text)
{
    size_t at = 0;
    while (text[at] && strcspn(text + at, ".") < LITERAL_MIN) {
        at += strcspn(text + at, ".");
        at += text[at] == '.';
    }
    return at;
}

/* False when the letters of a name cannot rule the pattern out. */
static bool add_needles(struct regex_set *set, uint32_t index, const struct literals *literals)
{
    for (unsigned i = 0; i < literals->count; i++) {
        if (literals->text[i][find_anchor(literals->text[i])] == '\0') {
            return false;
        }
    }
    for (unsigned i = 0; i < literals->count; i++) {
        struct needle *needle = &set->needles[set->needle_count++];
        size_t anchor = find_anchor(literals->text[i]);
        uint32_t hash = hash_letters((const uint8_t *)literals->text[i] + anchor);
        uint16_t *head = &set->heads[hash % NEEDLE_HEADS];
        memcpy(needle->text, literals->text[i], sizeof(needle->text));
        needle->len = (uint8_t)strlen(needle->text);
        needle->anchor = (uint8_t)anchor;
        needle->pattern = (uint16_t)index;
        needle->next = *head;
        *head = (uint16_t)set->needle_count;
        mark(set->known, hash);
    }
    return literals->count > 0;
}

static bool has_capital(const char *text)
{
    while (*text && !(*text >= 'A' && *text <= 'Z')) {
        text++;
    }
    return *text != '\0';
}

static int compile(struct pattern *pattern, const char *text, struct diag *diag)
{
    int code = 0;
    PCRE2_SIZE at = 0;
    PCRE2_UCHAR8 why[128] = "";
    uint32_t options =
        PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY;
    /* Names are lower case: to ignore case would only cost time. */
    options |= has_capital(text) ? PCRE2_CASELESS : 0;
    pattern->code =
        pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, options, &code, &at, NULL);
    if (pattern->code) {
        return 0;
    }
    pcre2_get_error_message(code, why, sizeof(why));
    return diag_set(diag, -EINVAL, "the pattern /%.100s/ cannot be used: %s, at %zu", text,
                    (const char *)why, at);
}

int regex_set_from(const char *const *texts, uint32_t count, struct regex_set **ret_set,
                   struct regex_report *ret_report)
{
    struct regex_set *set = calloc(1, sizeof(*set));
    *ret_report = (struct regex_report){.first = count};
    if (!set) {
        return -ENOMEM;
    }
    set->count = count;
    set->patterns = calloc(count + 1, sizeof(*set->patterns));
    set->needles = calloc((size_t)count * LITERALS_MAX + 1, sizeof(*set->needles));
    if (!set->patterns || !set->needles) {
        regex_set_free(set);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct literals literals;
        if (!texts[i]) {
            continue;
        }
        if (compile(&set->patterns[i], texts[i], ret_report->left_out ? NULL : &ret_report->diag) <
            0) {
            ret_report->first = ret_report->left_out++ ? ret_report->first : i;
            continue;
        }
        literal_require(texts[i], &literals);
        if (!add_needles(set, i, &literals)) {
            mark(set->always, i);
            set->some_always = true;
        }
    }
    *ret_set = set;
    return 0;
}

/* The patterns of one source, or of all with -1. */
static int make_set(const struct blockdb *db, int source, struct regex_set **ret_set,
                    struct regex_report *report)
{
    uint32_t count = blockdb_info(db)->patterns;
    const char **texts = calloc(count + 1, sizeof(*texts));
    if (!texts) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct blockdb_pattern *pattern = blockdb_pattern(db, i);
        texts[i] = source < 0 || pattern->source == source ? pattern->text : NULL;
    }
    int err = regex_set_from(texts, count, ret_set, report);
    free(texts);
    return err;
}

/* Say whose pattern it was. */
static void name_list(const struct blockdb *db, struct regex_report *report)
{
    char text[DIAG_TEXT_MAX];
    snprintf(text, sizeof(text), "%s", report->diag.text);
    diag_set(&report->diag, -EINVAL, "list %.64s: %.300s",
             blockdb_source(db, blockdb_pattern(db, report->first)->source)->id, text);
}

int regex_set_new(const struct blockdb *db, struct regex_set **ret_set,
                  struct regex_report *ret_report)
{
    *ret_report = (struct regex_report){.left_out = 0};
    *ret_set = NULL;
    int err = blockdb_info(db)->patterns ? make_set(db, -1, ret_set, ret_report) : 0;
    if (err == 0 && ret_report->left_out) {
        name_list(db, ret_report);
    }
    return err;
}

void regex_set_free(struct regex_set *set)
{
    if (!set) {
        return;
    }
    for (uint32_t i = 0; set->patterns && i < set->count; i++) {
        pcre2_code_free(set->patterns[i].code);
    }
    free(set->patterns);
    free(set->needles);
    free(set);
}

static void write_text(const struct dname *name, struct regex_name *ret_name)
{
    size_t len = name->len > 1 ? (size_t)name->len - 2 : 0;
    memcpy(ret_name->text, name->wire + 1, len);
    for (unsigned i = 1; i < name->labels; i++) {
        ret_name->text[name->offset[i] - 1] = '.';
    }
    ret_name->len = len;
}

int regex_next(const struct regex_name *name, uint32_t index)
{
    for (uint32_t word = index / 64; word < REGEX_WORDS; word++) {
        uint64_t bits = name->candidates[word];
        bits &= word == index / 64 ? ~0ULL << index % 64 : ~0ULL;
        if (bits) {
            return (int)(word * 64) + __builtin_ctzll(bits);
        }
    }
    return -1;
}

static void find_needles(const struct regex_set *set, struct regex_name *name)
{
    for (size_t i = 0; i + LITERAL_MIN <= name->len; i++) {
        unsigned next = set->heads[hash_letters((const uint8_t *)name->text + i) % NEEDLE_HEADS];
        while (next) {
            const struct needle *needle = &set->needles[next - 1];
            size_t start = i - needle->anchor;
            if (i >= needle->anchor && needle->len <= name->len - start &&
                memcmp(needle->text, name->text + start, needle->len) == 0) {
                mark(name->candidates, needle->pattern);
            }
            next = needle->next;
        }
    }
}

bool regex_prepare(const struct regex_set *set, const struct dname *name,
                   struct regex_name *ret_name)
{
    uint64_t seen = 0;
    /* Nearly every name ends here: no branch depends on its letters. */
    for (size_t i = 1; i + LITERAL_MIN < name->len; i++) {
        uint32_t hash = hash_letters(name->wire + i);
        seen |= set->known[hash / 64] >> hash % 64;
    }
    if (!(seen & 1) && !set->some_always) {
        return false;
    }
    write_text(name, ret_name);
    memcpy(ret_name->candidates, set->always, sizeof(set->always));
    if (seen & 1) {
        find_needles(set, ret_name);
    }
    return regex_next(ret_name, 0) >= 0;
}

bool regex_matches(const struct regex_set *set, uint32_t index, const struct regex_name *name)
{
    const pcre2_code *code = set->patterns[index].code;
    /* A pattern that asks for too much fails here: it matches nothing. */
    return code && set_up(&scratch) &&
           pcre2_match(code, (PCRE2_SPTR)name->text, name->len, 0, 0, scratch.data,
                       scratch.context) >= 0;
}

/* What people ask for on an ordinary day, by shape: short and long, deep and flat. */
static const char *const usual_names[] = {
    "www.example.com",
    "example.org",
    "api.service.example.net",
    "cdn-03.static.images.example.com",
    "e1234.dscb.edge-network.example.net",
    "news.portal.example.co.kr",
    "mail.school.example.ac.kr",
    "ocsp.certificates.example.com",
    "time-a-g.example.gov",
    "r4---sn-ab5l6nzr.video-delivery.example.com",
    "d3k81ch9hvuctc.front.example.net",
    "telemetry.app.example.io",
    "login.accounts.example.com",
    "4.client-channel.example.com",
    "fonts.static.example.com",
    "prod-eu-west-1.queue.messages.example.cloud",
};

enum { USUAL = sizeof(usual_names) / sizeof(usual_names[0]), BATCHES = 20, ROUNDS = 50 };

/* Of this thread alone: others may keep the machine busy. */
static double cpu_ns(void)
{
    struct timespec spent;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    return (double)spent.tv_sec * 1e9 + (double)spent.tv_nsec;
}

static unsigned count_matches(const struct regex_set *set, const struct dname *name)
{
    struct regex_name text;
    unsigned matched = 0;
    int k = regex_prepare(set, name, &text) ? regex_next(&text, 0) : -1;
    for (; k >= 0; k = regex_next(&text, (uint32_t)k + 1)) {
        matched += regex_matches(set, (uint32_t)k, &text);
    }
    return matched;
}

/* The least of several batches: what is more was something else's. */
static double measure_set(const struct regex_set *set, const struct dname names[USUAL])
{
    double least = 0;
    volatile unsigned matched = 0; /* so that nothing is left out as unused */
    for (unsigned batch = 0; batch < BATCHES; batch++) {
        double start = cpu_ns();
        for (unsigned i = 0; i < ROUNDS * USUAL; i++) {
            matched += count_matches(set, &names[i % USUAL]);
        }
        double spent = (cpu_ns() - start) / (ROUNDS * USUAL);
        least = batch == 0 || spent < least ? spent : least;
    }
    return least;
}

/* Names whose letters lead patterns astray. */
static const char *const hard_names[] = {
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-0.example.net",
    "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a-0.example.net",
    "1111111111111111111111111111111111111111111111111111111111-.example.net",
    "a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a_.example.net",
};

/* pcre2_match() over a text: over 0, a match; PCRE2_ERROR_NOMATCH; or a limit was met. */
static int match_text(const struct pattern *pattern, const char *text)
{
    return set_up(&scratch) ? pcre2_match(pattern->code, (PCRE2_SPTR)text, strlen(text), 0, 0,
                                          scratch.data, scratch.context)
                            : PCRE2_ERROR_NOMEMORY;
}

int regex_judge(const char *text, bool allow, struct diag *diag)
{
    struct pattern pattern = {0};
    unsigned matched = 0, faults = 0;
    int err = compile(&pattern, text, diag);
    if (err < 0) {
        return err;
    }
    for (unsigned i = 0; i < USUAL; i++) {
        int code = match_text(&pattern, usual_names[i]);
        matched += code >= 0;
        faults += code < 0 && code != PCRE2_ERROR_NOMATCH;
    }
    for (unsigned i = 0; i < sizeof(hard_names) / sizeof(hard_names[0]); i++) {
        int code = match_text(&pattern, hard_names[i]);
        faults += code < 0 && code != PCRE2_ERROR_NOMATCH;
    }
    pcre2_code_free(pattern.code);
    if (faults) {
        return diag_set(diag, -EINVAL,
                        "the pattern /%.100s/ needs too many steps on some names; avoid "
                        "repetitions of repetitions",
                        text);
    }
    if (!allow && matched > USUAL / 4) {
        return diag_set(diag, -EINVAL, "the pattern /%.100s/ matches nearly every name", text);
    }
    return 0;
}

int regex_measure(const struct blockdb *db, unsigned source, struct regex_cost *ret_cost)
{
    struct regex_set *set = NULL;
    struct regex_report report = {.left_out = 0};
    struct dname names[USUAL];
    *ret_cost = (struct regex_cost){.patterns = 0};
    int err = blockdb_info(db)->patterns ? make_set(db, (int)source, &set, &report) : 0;
    for (unsigned i = 0; err == 0 && i < USUAL; i++) {
        err = dname_parse(usual_names[i], &names[i]);
    }
    for (uint32_t i = 0; set && i < set->count; i++) {
        ret_cost->patterns += set->patterns[i].code != NULL;
        ret_cost->always += set->always[i / 64] >> i % 64 & 1;
    }
    if (err == 0 && ret_cost->patterns) {
        ret_cost->ns_per_name = measure_set(set, names);
    }
    regex_set_free(set);
    return err;
}
