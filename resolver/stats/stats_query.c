// SPDX-License-Identifier: Apache-2.0
#include "stats/stats_query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stats/state.h"

#define BY(name, word) word,
const char *const stats_by_words[STATS_BYS] = {STATS_BY_ALL(BY)};
#undef BY

static const char *const type_names[] = {
    [1] = "A",     [2] = "NS",      [5] = "CNAME",  [6] = "SOA",   [12] = "PTR",    [15] = "MX",
    [16] = "TXT",  [28] = "AAAA",   [29] = "LOC",   [33] = "SRV",  [35] = "NAPTR",  [39] = "DNAME",
    [43] = "DS",   [44] = "SSHFP",  [46] = "RRSIG", [47] = "NSEC", [48] = "DNSKEY", [50] = "NSEC3",
    [52] = "TLSA", [64] = "SVCB",   [65] = "HTTPS", [99] = "SPF",  [251] = "IXFR",  [252] = "AXFR",
    [255] = "ANY", [256] = "other",
};
static const char *const rcode_names[] = {
    "NOERROR",        "FORMERR",         "SERVFAIL", "NXDOMAIN",
    "NOTIMP",         "REFUSED",         "YXDOMAIN", "YXRRSET",
    "NXRRSET",        "NOTAUTH",         "NOTZONE",  [STATS_RCODE_NONE] = "none",
    [16] = "BADVERS", [23] = "BADCOOKIE"};
static const char *const transport_names[STATS_TRANSPORTS] = {"udp", "tcp", "tls"};
static const char *const origin_names[STATS_ORIGINS] = {"cache", "stale", "upstream", "policy"};

#define NAMES(list) list, sizeof(list) / sizeof((list)[0])
static const struct {
    const char *const *names;
    size_t count;
    const char *other; /* before a number without a name */
    enum stats_part part;
} parts[STATS_BYS] = {
    [STATS_BY_TYPE] = {NAMES(type_names), "TYPE", STATS_PART_TYPE},
    [STATS_BY_RCODE] = {NAMES(rcode_names), "RCODE", STATS_PART_RCODE},
    [STATS_BY_TRANSPORT] = {NAMES(transport_names), "transport ", STATS_PART_TRANSPORT},
    [STATS_BY_ORIGIN] = {NAMES(origin_names), "origin ", STATS_PART_ORIGIN},
    [STATS_BY_LATENCY] = {NULL, 0, "", STATS_PART_LATENCY},
    [STATS_BY_COUNTRY] = {NULL, 0, "", STATS_PART_COUNTRY},
};
#undef NAMES

/* Rows of hours at both ends, and of the whole days between them. */
#define SUMS_OF(id)                                                                                \
    "SELECT name, 0, verdict, total FROM (SELECT " id                                              \
    " AS which, verdict, SUM(count) AS total FROM "                                                \
    "(SELECT " id ", verdict, count FROM sums WHERE hour >= ?1 AND hour < ?3 "                     \
    "UNION ALL SELECT " id ", verdict, count FROM days WHERE day >= ?3 / 24 AND day < ?4 / 24 "    \
    "UNION ALL SELECT " id ", verdict, count FROM sums WHERE hour >= ?4 AND hour < ?2) "           \
    "GROUP BY which, verdict) JOIN names ON id = which ORDER BY which"

/* label, key, verdict, count */
static const char *const sums_sql[] = {
    [STATS_BY_HOUR] = "SELECT NULL, hour, verdict, count FROM hours WHERE hour >= ?1 AND hour < ?2 "
                      "ORDER BY hour",
    [STATS_BY_CATEGORY] = SUMS_OF("category_id"),
    [STATS_BY_GROUP] = SUMS_OF("group_id"),
    [STATS_BY_CATEGORY_HOUR] =
        "SELECT name, hour, verdict, count FROM (SELECT category_id, hour, verdict, SUM(count)"
        " AS count FROM sums WHERE hour >= ?1 AND hour < ?2 GROUP BY hour, category_id, verdict)"
        " JOIN names ON id = category_id ORDER BY hour, category_id",
    [STATS_BY_VERDICT] = "SELECT NULL, verdict, verdict, SUM(count) FROM hours "
                         "WHERE hour >= ?1 AND hour < ?2 GROUP BY verdict",
};
/* The most asked for of names, and then all together without a name. */
static const char *const domains_sql =
    "SELECT name, 0, blocked, count FROM (SELECT name, blocked, SUM(count) AS count FROM domains"
    " WHERE day >= ?1 AND day < ?2 AND name <> '' GROUP BY name, blocked ORDER BY count DESC"
    " LIMIT 1000) "
    "UNION ALL SELECT '', 0, blocked, SUM(count) FROM domains"
    " WHERE day >= ?1 AND day < ?2 AND name = '' GROUP BY blocked";
static const char *const parts_sql =
    "SELECT NULL, part, value, SUM(count) FROM "
    "(SELECT part, value, count FROM parts WHERE hour >= ?1 AND hour < ?3 "
    "UNION ALL SELECT part, value, count FROM day_parts WHERE day >= ?3 / 24 AND day < ?4 / 24 "
    "UNION ALL SELECT part, value, count FROM parts WHERE hour >= ?4 AND hour < ?2) "
    "GROUP BY part, value";

struct gather {
    struct stats_result *result;
    enum stats_by by;
    int64_t first, end; /* hours */
    size_t cap;
};

static void label_latency(int64_t bucket, char out[STATS_LABEL_MAX])
{
    double ms = 0.25 * (double)(1u << (bucket & 15));
    if (bucket + 1 < STATS_LATENCIES) {
        snprintf(out, STATS_LABEL_MAX, "<= %g ms", ms);
    } else {
        snprintf(out, STATS_LABEL_MAX, "> %g ms", ms / 2);
    }
}

static void label_country(int64_t index, char out[STATS_LABEL_MAX])
{
    if (index > 0 && index < STATS_COUNTRIES) {
        snprintf(out, STATS_LABEL_MAX, "%c%c", (int)('A' + (index - 1) / 26),
                 (int)('A' + (index - 1) % 26));
    } else {
        snprintf(out, STATS_LABEL_MAX, "other");
    }
}

static void label_hour(int64_t hour, char out[STATS_LABEL_MAX])
{
    time_t start = (time_t)(hour * STATS_HOUR_S);
    struct tm tm;
    gmtime_r(&start, &tm);
    strftime(out, STATS_LABEL_MAX, "%Y-%m-%dT%H:00:00Z", &tm);
}

const char *stats_label(enum stats_by by, int64_t key, char out[STATS_LABEL_MAX])
{
    if (by == STATS_BY_HOUR) {
        label_hour(key, out);
    } else if (by == STATS_BY_VERDICT) {
        snprintf(out, STATS_LABEL_MAX, "%s",
                 key < STATS_VERDICTS ? stats_verdict_names[key] : "other");
    } else if (by == STATS_BY_COUNTRY) {
        label_country(key, out);
    } else if (by == STATS_BY_LATENCY) {
        label_latency(key, out);
    } else if ((size_t)key < parts[by].count && parts[by].names[key]) {
        snprintf(out, STATS_LABEL_MAX, "%s", parts[by].names[key]);
    } else {
        snprintf(out, STATS_LABEL_MAX, "%s%lld", parts[by].other, (long long)key);
    }
    return out;
}

/* Rows come in order, so the one that is sought is near the end. */
static struct stats_row *find_row(const struct gather *gather, const char *label, int64_t key)
{
    for (size_t i = gather->result->count; i-- > 0;) {
        struct stats_row *row = &gather->result->rows[i];
        if (row->key == key && (!label || strncmp(row->label, label, STATS_LABEL_MAX - 1) == 0)) {
            return row;
        }
    }
    return NULL;
}

static int add_row(struct gather *gather, const char *label, int64_t key,
                   struct stats_row **ret_row)
{
    struct stats_result *result = gather->result;
    *ret_row = find_row(gather, label, key);
    if (*ret_row) {
        return 0;
    }
    if (result->count == STATS_ROWS_MAX) {
        return -E2BIG;
    }
    if (result->count == gather->cap) {
        size_t cap = gather->cap ? gather->cap * 2 : 64;
        struct stats_row *rows = realloc(result->rows, cap * sizeof(*rows));
        if (!rows) {
            return -ENOMEM;
        }
        result->rows = rows;
        gather->cap = cap;
    }
    struct stats_row *row = &result->rows[result->count++];
    *row = (struct stats_row){.key = key};
    if (label) {
        snprintf(row->label, sizeof(row->label), "%s", label);
    } else {
        stats_label(gather->by, row->key, row->label);
    }
    *ret_row = row;
    return 0;
}

static int add_sum(void *owner, const char *label, const int64_t numbers[3])
{
    struct gather *gather = owner;
    struct stats_row *row = NULL;
    int64_t verdict = numbers[1];
    uint64_t count = (uint64_t)numbers[2];
    bool known = verdict >= 0 && verdict < STATS_VERDICTS;
    int err = gather->result->split ? add_row(gather, label, numbers[0], &row) : 0;
    if (err < 0) {
        return err;
    }
    gather->result->totals.total += count;
    gather->result->totals.verdicts[known ? verdict : 0] += known ? count : 0;
    if (row) {
        row->total += count;
        row->verdicts[known ? verdict : 0] += known ? count : 0;
    }
    return 0;
}

static int add_part(void *owner, const char *label, const int64_t numbers[3])
{
    (void)label;
    struct gather *gather = owner;
    uint64_t count = (uint64_t)numbers[2];
    if (numbers[0] == STATS_PART_LATENCY_SUM) {
        gather->result->latency_sum_us += count;
    }
    if (numbers[0] == STATS_PART_ORIGIN &&
        (numbers[1] == STATS_CACHE || numbers[1] == STATS_STALE)) {
        gather->result->from_cache += count;
    }
    if (gather->result->split || numbers[0] != (int64_t)parts[gather->by].part) {
        return 0;
    }
    struct stats_row *row = NULL;
    int err = add_row(gather, NULL, numbers[1], &row);
    if (err == 0) {
        row->total += count;
    }
    return err;
}

/* One cell of what is still in memory, as the file would have given it. */
static int merge_cell(struct gather *gather, const struct stats_batch *batch, unsigned group,
                      unsigned category)
{
    const stats_counter *cell = batch->counts->sums[group][category];
    bool hourly = gather->by == STATS_BY_HOUR || gather->by == STATS_BY_CATEGORY_HOUR;
    bool by_category = gather->by == STATS_BY_CATEGORY || gather->by == STATS_BY_CATEGORY_HOUR;
    const char *label = by_category                    ? batch->categories->items[category]
                        : gather->by == STATS_BY_GROUP ? batch->groups->items[group]
                                                       : NULL;
    for (unsigned v = 0; v < STATS_VERDICTS; v++) {
        int64_t key = hourly ? batch->hour : gather->by == STATS_BY_VERDICT ? v : 0;
        const int64_t numbers[3] = {key, v, (int64_t)stats_value(&cell[v])};
        int err = numbers[2] ? add_sum(gather, label, numbers) : 0;
        if (err < 0) {
            return err;
        }
    }
    return 0;
}

static int merge_parts(struct gather *gather, const struct stats_batch *batch)
{
    int err = 0;
    for (int part = STATS_PART_TYPE; part < STATS_PARTS; part++) {
        unsigned count = 0;
        const stats_counter *counters =
            stats_part_counters(batch->counts, (enum stats_part)part, &count);
        for (unsigned i = 0; err == 0 && i < count; i++) {
            const int64_t numbers[3] = {part, i, (int64_t)stats_value(&counters[i])};
            err = numbers[2] ? add_part(gather, NULL, numbers) : 0;
        }
    }
    return err;
}

static int merge_batch(struct gather *gather, const struct stats_batch *batch)
{
    int err = 0;
    if (batch->hour < gather->first || batch->hour >= gather->end) {
        return 0;
    }
    for (unsigned g = 0; g < batch->group_count; g++) {
        for (unsigned c = 0; err == 0 && c < batch->category_count; c++) {
            err = merge_cell(gather, batch, g, c);
        }
    }
    return err < 0 ? err : merge_parts(gather, batch);
}

/* A name's count, told by the verdicts that names are kept by. "" is all together: what the names
 * did not have is "other". */
static int add_domain(void *owner, const char *label, const int64_t numbers[3])
{
    struct gather *gather = owner;
    enum stats_verdict verdict = numbers[1] ? STATS_BLOCKED : STATS_ANSWERED;
    uint64_t count = (uint64_t)numbers[2];
    struct stats_row *totals = &gather->result->totals;
    struct stats_row *row = NULL;
    if (*label == '\0') {
        totals->total += count;
        totals->verdicts[verdict] += count;
        return 0;
    }
    int err = add_row(gather, label, 0, &row);
    if (err == 0) {
        row->total += count;
        row->verdicts[verdict] += count;
    }
    return err;
}

static int add_other(struct gather *gather)
{
    struct stats_row rest = gather->result->totals, *row = NULL;
    for (size_t i = 0; i < gather->result->count; i++) {
        const struct stats_row *known = &gather->result->rows[i];
        for (int v = 0; v < STATS_VERDICTS; v++) {
            uint64_t part =
                known->verdicts[v] < rest.verdicts[v] ? known->verdicts[v] : rest.verdicts[v];
            rest.verdicts[v] -= part;
            rest.total -= part;
        }
    }
    int err = rest.total ? add_row(gather, "other", 0, &row) : 0;
    if (err == 0 && row) {
        row->total = rest.total;
        memcpy(row->verdicts, rest.verdicts, sizeof(rest.verdicts));
    }
    return err;
}

/* The file's names, then those that wait to be written. */
static int gather_domains(struct stats *stats, struct gather *gather, struct diag *diag)
{
    struct stats_db_rows rows = {.sql = domains_sql, .each = add_domain, .owner = gather};
    unsigned count = 0;
    rows.first = domains_day(gather->first * STATS_HOUR_S);
    rows.end =
        gather->end == INT64_MAX ? INT64_MAX : domains_day((gather->end - 1) * STATS_HOUR_S) + 1;
    int err = stats_open(stats, diag);
    err = err == 0 ? stats_db_each(stats->db, &rows, diag) : err;
    if (err < 0 && err != -E2BIG && err != -ENOMEM) {
        gather->result->partial = true;
        err = 0;
    }
    const struct domains_row *waiting =
        stats->domains ? domains_rows(stats->domains, &count) : NULL;
    for (unsigned i = 0; err == 0 && i < count; i++) {
        const int64_t numbers[3] = {0, waiting[i].blocked, (int64_t)waiting[i].count};
        bool within = waiting[i].day >= rows.first && waiting[i].day < rows.end;
        err = within ? add_domain(gather, waiting[i].name, numbers) : 0;
    }
    return err == 0 ? add_other(gather) : err;
}

static int read_file(struct stats *stats, struct gather *gather, struct diag *diag)
{
    int err = stats_open(stats, diag);
    if (err < 0) {
        return err;
    }
    struct stats_db_rows rows = {.first = gather->first, .end = gather->end, .owner = gather};
    rows.sql = sums_sql[gather->result->split ? gather->by : STATS_BY_VERDICT];
    rows.each = add_sum;
    err = stats_db_each(stats->db, &rows, diag);
    if (err == 0) {
        rows.sql = parts_sql;
        rows.each = add_part;
        err = stats_db_each(stats->db, &rows, diag);
    }
    return err;
}

static int gather_all(struct stats *stats, struct gather *gather, struct diag *diag)
{
    bool split = gather->result->split;
    int err = read_file(stats, gather, diag);
    if (err < 0 && err != -E2BIG && err != -ENOMEM) {
        stats_result_clear(gather->result);
        *gather->result = (struct stats_result){.split = split, .partial = true};
        gather->cap = 0;
        err = 0;
    }
    for (unsigned i = 0; err == 0 && i < stats->pending_count; i++) {
        err = merge_batch(gather, &stats->pending[i]);
    }
    return err;
}

static int compare_keys(const void *a, const void *b)
{
    const struct stats_row *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

static int compare_totals(const void *a, const void *b)
{
    const struct stats_row *x = a, *y = b;
    int order = (x->total < y->total) - (x->total > y->total);
    return order ? order : strcmp(x->label, y->label);
}

int stats_query_run(struct stats *stats, const struct stats_query *query,
                    struct stats_result *ret_result, struct diag *diag)
{
    struct stats_result result = {.split = query->by <= STATS_BY_DOMAIN};
    struct gather gather = {.result = &result, .by = query->by};
    gather.first = query->since / STATS_HOUR_S;
    gather.end = query->until ? query->until / STATS_HOUR_S + 1 : INT64_MAX;
    pthread_mutex_lock(&stats->db_lock);
    stats_collect(stats);
    int err = query->by == STATS_BY_DOMAIN ? gather_domains(stats, &gather, diag)
                                           : gather_all(stats, &gather, diag);
    pthread_mutex_unlock(&stats->db_lock);
    if (err < 0) {
        stats_result_clear(&result);
        return err == -E2BIG
                   ? diag_set(diag, err, "more than %d rows; ask for less time", STATS_ROWS_MAX)
                   : diag_set(diag, err, "no memory");
    }
    bool ordered = query->by == STATS_BY_HOUR || query->by == STATS_BY_CATEGORY_HOUR ||
                   query->by == STATS_BY_LATENCY;
    if (result.count) {
        qsort(result.rows, result.count, sizeof(*result.rows),
              ordered ? compare_keys : compare_totals);
    }
    *ret_result = result;
    return 0;
}

void stats_result_clear(struct stats_result *result)
{
    free(result->rows);
    result->rows = NULL;
    result->count = 0;
}

int stats_by_find(const char *word)
{
    for (int by = 0; by < STATS_BYS; by++) {
        if (strcmp(stats_by_words[by], word) == 0) {
            return by;
        }
    }
    return -ENOENT;
}
