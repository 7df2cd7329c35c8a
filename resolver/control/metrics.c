// SPDX-License-Identifier: Apache-2.0
/* The metrics as lines of Prometheus' text format: sums and states, with labels from
 * tables and the configuration; no label names a client or a queried name. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "control/commands.h"
#include "control/status.h"
#include "stats/stats_query.h"

enum { LINE_MAX_OCTETS = 512, VALUE_MAX = 160 };

struct exposition {
    struct control_call *call;
    cJSON *lines;
    const struct daemon_status *status;
    struct stats_worker *sums;
};

struct latencies {
    unsigned long long counts[STATS_LATENCIES], sum_us;
};

#define METRIC(name, type, help) METRIC_##name,
enum metric {
#include "control/metrics.def"
};
#undef METRIC

#define METRIC(name, type, help) {"greengate_" #name, type, help},
static const struct {
    const char *name, *type, *help;
} metrics[] = {
#include "control/metrics.def"
};
#undef METRIC

__attribute__((format(printf, 2, 3))) static void put(const struct exposition *out,
                                                      const char *format, ...)
{
    char line[LINE_MAX_OCTETS];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    cJSON_AddItemToArray(out->lines, cJSON_CreateString(line));
}

static void head(const struct exposition *out, enum metric metric)
{
    put(out, "# HELP %s %s", metrics[metric].name, metrics[metric].help);
    put(out, "# TYPE %s %s", metrics[metric].name, metrics[metric].type);
}

/* A label's value as the format wants it: backslash, quote and line feed escaped. */
static const char *quote(const char *text, char value[VALUE_MAX])
{
    size_t used = 0;
    for (; *text && used < VALUE_MAX - 3; text++) {
        if (*text == '\\' || *text == '"') {
            value[used++] = '\\';
        }
        value[used++] = (char)(*text == '\n' ? ' ' : *text);
    }
    value[used] = '\0';
    return value;
}

static void put_number(const struct exposition *out, enum metric metric, double value)
{
    head(out, metric);
    put(out, "%s %.15g", metrics[metric].name, value);
}

static void put_state(const struct exposition *out)
{
    static const double states[] = {
        [DAEMON_PROTECTED] = 1, [DAEMON_DEGRADED] = 0.5, [DAEMON_UNPROTECTED] = 0};
    char value[VALUE_MAX];
    head(out, METRIC_build_info);
    put(out, "%s{version=\"%s\"} 1", metrics[METRIC_build_info].name,
        quote(out->status->version, value));
    put_number(out, METRIC_up_seconds, (double)out->status->uptime_s);
    put_number(out, METRIC_reviews_waiting, out->status->reviews_waiting);
    put_number(out, METRIC_protected, states[out->status->state]);
}

static unsigned long long count_of(stats_counter *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void put_requests(const struct exposition *out)
{
    char transport[STATS_LABEL_MAX];
    char type[STATS_LABEL_MAX];
    head(out, METRIC_dns_requests_total);
    for (unsigned i = 0; i < STATS_TRANSPORTS; i++) {
        for (unsigned k = 0; k < STATS_TYPES; k++) {
            unsigned long long count = count_of(&out->sums->requests[i][k]);
            if (count) {
                put(out, "%s{transport=\"%s\",type=\"%s\"} %llu",
                    metrics[METRIC_dns_requests_total].name,
                    stats_label(STATS_BY_TRANSPORT, i, transport),
                    stats_label(STATS_BY_TYPE, k, type), count);
            }
        }
    }
}

static void put_responses(const struct exposition *out)
{
    char rcode[STATS_LABEL_MAX];
    char origin[STATS_LABEL_MAX];
    head(out, METRIC_dns_responses_total);
    for (unsigned i = 0; i < STATS_RCODES; i++) {
        for (unsigned k = 0; k < STATS_ORIGINS; k++) {
            unsigned long long count = count_of(&out->sums->responses[i][k]);
            if (count) {
                put(out, "%s{rcode=\"%s\",source=\"%s\"} %llu",
                    metrics[METRIC_dns_responses_total].name, stats_label(STATS_BY_RCODE, i, rcode),
                    stats_label(STATS_BY_ORIGIN, k, origin), count);
            }
        }
    }
}

/* Buckets as stats_latency_bucket() sorts; `label` is "" or 'name="value",'. */
static void put_histogram(const struct exposition *out, enum metric metric, const char *label,
                          const struct latencies *latencies)
{
    const char *name = metrics[metric].name;
    int len = (int)strlen(label);
    unsigned long long sum = 0;
    for (unsigned i = 0; i < STATS_LATENCIES; i++) {
        sum += latencies->counts[i];
        if (i + 1 < STATS_LATENCIES) {
            put(out, "%s_bucket{%sle=\"%g\"} %llu", name, label, 0.00025 * (double)(1u << i), sum);
        }
    }
    put(out, "%s_bucket{%sle=\"+Inf\"} %llu", name, label, sum);
    const char *left = len ? "{" : "", *right = len ? "}" : "";
    len -= len > 0; /* its comma */
    put(out, "%s_sum%s%.*s%s %.15g", name, left, len, label, right,
        (double)latencies->sum_us / 1e6);
    put(out, "%s_count%s%.*s%s %llu", name, left, len, label, right, sum);
}

static void put_durations(const struct exposition *out)
{
    struct latencies latencies = {.sum_us = count_of(&out->sums->latency_sum_us)};
    for (unsigned i = 0; i < STATS_LATENCIES; i++) {
        latencies.counts[i] = count_of(&out->sums->latencies[i]);
    }
    head(out, METRIC_dns_request_duration_seconds);
    put_histogram(out, METRIC_dns_request_duration_seconds, "", &latencies);
}

static void put_blocked(const struct exposition *out)
{
    struct stats *stats = out->call->backend->stats;
    char category[STATS_NAME_MAX];
    char group[STATS_NAME_MAX];
    char quoted[2][VALUE_MAX];
    head(out, METRIC_blocked_total);
    for (unsigned g = 0; g < STATS_GROUPS_MAX; g++) {
        for (unsigned c = 0; c < STATS_CATEGORIES_MAX; c++) {
            unsigned long long count = count_of(&out->sums->sums[g][c][STATS_BLOCKED]);
            if (count) {
                put(out, "%s{category=\"%s\",group=\"%s\"} %llu",
                    metrics[METRIC_blocked_total].name,
                    quote(stats_category_label(stats, (uint16_t)c, category), quoted[0]),
                    quote(stats_group_label(stats, (uint16_t)g, group), quoted[1]), count);
            }
        }
    }
}

static void put_ways(const struct exposition *out)
{
    char group[STATS_NAME_MAX];
    char quoted[VALUE_MAX];
    head(out, METRIC_bypass_total);
    for (unsigned g = 0; g < STATS_GROUPS_MAX; g++) {
        for (unsigned way = 1; way < STATS_WAYS; way++) {
            unsigned long long count = count_of(&out->sums->ways[g][way]);
            if (count) {
                put(out, "%s{kind=\"%s\",group=\"%s\"} %llu", metrics[METRIC_bypass_total].name,
                    stats_way_names[way],
                    quote(stats_group_label(out->call->backend->stats, (uint16_t)g, group), quoted),
                    count);
            }
        }
    }
}

static void put_drops(const struct exposition *out)
{
    head(out, METRIC_dropped_total);
    for (size_t i = 0; i < out->status->drop_count; i++) {
        const struct daemon_drop *drop = &out->status->drops[i];
        put(out, "%s{reason=\"%s\"} %llu", metrics[METRIC_dropped_total].name, drop->reason,
            (unsigned long long)drop->count);
    }
}

static void put_upstream_durations(const struct exposition *out)
{
    char value[VALUE_MAX];
    char label[VALUE_MAX + 16];
    head(out, METRIC_upstream_request_duration_seconds);
    for (size_t i = 0; i < out->status->upstream_count; i++) {
        const struct daemon_upstream *upstream = &out->status->upstreams[i];
        struct latencies latencies = {.sum_us = upstream->latency_sum_us};
        for (unsigned k = 0; k < STATS_LATENCIES; k++) {
            latencies.counts[k] = upstream->latencies[k];
        }
        snprintf(label, sizeof(label), "upstream=\"%s\",", quote(upstream->address, value));
        put_histogram(out, METRIC_upstream_request_duration_seconds, label, &latencies);
    }
}

static void put_upstreams(const struct exposition *out)
{
    char value[VALUE_MAX];
    put_number(out, METRIC_cache_entries, (double)out->status->cache_entries);
    put_number(out, METRIC_cache_bytes, (double)out->status->cache_bytes);
    put_upstream_durations(out);
    head(out, METRIC_upstream_failures_total);
    for (size_t i = 0; i < out->status->upstream_count; i++) {
        const struct daemon_upstream *upstream = &out->status->upstreams[i];
        put(out, "%s{upstream=\"%s\"} %llu", metrics[METRIC_upstream_failures_total].name,
            quote(upstream->address, value), (unsigned long long)upstream->failures);
    }
}

static double entries_of(const struct daemon_source *source)
{
    return (double)source->entries;
}

static double success_of(const struct daemon_source *source)
{
    return (double)(source->checked_at ? source->checked_at : source->fetched_at);
}

static double failing_of(const struct daemon_source *source)
{
    return source->error[0] != '\0';
}

static void put_lists(const struct exposition *out)
{
    static const struct {
        enum metric metric;
        double (*value)(const struct daemon_source *source);
    } rows[] = {
        {METRIC_list_entries, entries_of},
        {METRIC_list_last_success_timestamp_seconds, success_of},
        {METRIC_list_failing, failing_of},
    };
    char value[VALUE_MAX];
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        head(out, rows[r].metric);
        for (size_t i = 0; i < out->status->source_count; i++) {
            const struct daemon_source *source = &out->status->sources[i];
            put(out, "%s{list=\"%s\"} %.15g", metrics[rows[r].metric].name,
                quote(source->id, value), rows[r].value(source));
        }
    }
}

int control_do_metrics(struct control_call *call)
{
    const struct control_backend *backend = call->backend;
    struct daemon_status *status = calloc(1, sizeof(*status));
    /* Mapped, for most of its pages are never touched. */
    void *sums = mmap(NULL, sizeof(struct stats_worker), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int code = CONTROL_FAILED;
    if (status && sums != MAP_FAILED) {
        const struct exposition out = {call, cJSON_AddArrayToObject(call->reply, "lines"), status,
                                       sums};
        backend->status(backend->owner, status);
        control_add_troubles(status);
        stats_total(backend->stats, sums);
        put_state(&out);
        put_requests(&out);
        put_responses(&out);
        put_durations(&out);
        put_blocked(&out);
        put_ways(&out);
        put_drops(&out);
        put_upstreams(&out);
        put_lists(&out);
        code = CONTROL_DONE;
    }
    if (sums != MAP_FAILED) {
        munmap(sums, sizeof(struct stats_worker));
    }
    free(status);
    return code;
}
