// SPDX-License-Identifier: Apache-2.0
/* bench_blockdb [NAMES]: compile that many synthetic names from text, then look up
 * five-label names in batches of 32. Prints one line for each figure. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "blocklists/blockdb.h"
#include "blocklists/compile.h"

enum { BATCH = 32, QUERIES = 1 << 16, ROUNDS = 100 };

static double now_s(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static uint64_t mix(uint64_t x)
{
    x ^= x >> 31;
    x *= 0x9e3779b97f4a7c15ULL;
    x ^= x >> 29;
    x *= 0xbf58476d1ce4e5b9ULL;
    return x ^ x >> 32;
}

/* About 18 octets, as the mean of real lists; one in 64 has five labels, so that the
 * database is asked for every suffix of a five-label name. */
static int name_text(char *out, size_t cap, uint64_t number)
{
    static const char *const tops[] = {"com", "net", "org", "example", "info", "top"};
    uint64_t m = mix(number + 1);
    return snprintf(out, cap, "%s%llx%llx.%s", m >> 32 & 63 ? "" : "ads.eu.cdn.",
                    (unsigned long long)number, (unsigned long long)(m & 0xffffffff), tops[m % 6]);
}

static void write_list(const char *path, uint64_t names)
{
    char line[128];
    FILE *file = fopen(path, "w");
    for (uint64_t i = 0; i < names; i++) {
        name_text(line, sizeof(line), i);
        fprintf(file, "%s\n", line);
    }
    fclose(file);
}

static int compile(const char *list, const char *out)
{
    struct source_report report;
    struct diag diag = {0};
    struct build_source source = {.id = "bench",
                                  .category = "adult",
                                  .url = "",
                                  .format = FORMAT_DOMAINS,
                                  .match = MATCH_SUBTREE,
                                  .fd = open(list, O_RDONLY)};
    struct build_job job = {.sources = &source, .source_count = 1};
    double start = now_s();
    int err = compile_file(&job, out, &report, &diag);
    double took = now_s() - start;
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    printf("compile %.3f s wall, %.3f s CPU, %ld MB peak, %.1fM names/s %s\n", took,
           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
           usage.ru_maxrss / 1024, (double)report.entries / took / 1e6, err < 0 ? diag.text : "");
    close(source.fd);
    return err;
}

/* A name without the room that a struct dname keeps, so that the queries themselves
 * do not push the database out of the processor's caches. */
struct query {
    uint8_t len, labels, wire[62];
};

/* Five labels each. Half of the names lie below a listed one, half below none. */
static struct query *make_queries(uint64_t names)
{
    static const char *const prefixes[] = {"a1.cdn.www.", "mail.eu-west-1.static.", "x.y.img.",
                                           "telemetry.sdk.api."};
    char base[128];
    char text[192];
    struct dname name;
    struct query *queries = calloc(QUERIES, sizeof(*queries));
    for (uint64_t i = 0; i < QUERIES; i++) {
        uint64_t number = mix(i) % names;
        name_text(base, sizeof(base), i % 2 ? number : number + names);
        bool deep = strncmp(base, "ads.", 4) == 0;
        snprintf(text, sizeof(text), "%s%s", deep ? "" : prefixes[mix(i) >> 40 & 3], base);
        if (dname_parse(text, &name) < 0 || name.labels != 5 ||
            name.len > sizeof(queries[i].wire)) {
            abort();
        }
        queries[i] = (struct query){.len = name.len, .labels = name.labels};
        memcpy(queries[i].wire, name.wire, name.len);
    }
    return queries;
}

static void expand(const struct query *query, struct dname *name)
{
    name->len = query->len;
    name->labels = query->labels;
    memcpy(name->wire, query->wire, sizeof(query->wire));
    for (uint8_t at = 0, label = 0; label < query->labels;
         at = (uint8_t)(at + name->wire[at] + 1)) {
        name->offset[label++] = at;
    }
}

/* Names are laid out a batch ahead, as a server's parser has done when it looks up. */
static size_t look_up(const struct blockdb *db, const struct query *queries, bool search)
{
    static struct {
        struct dname name;
        struct blockdb_probe probe;
    } batch[BATCH];
    struct blockdb_hit hits[DNAME_LABELS_MAX];
    size_t found = 0;
    for (size_t at = 0; at < QUERIES; at += BATCH) {
        for (size_t i = 0; i < BATCH; i++) {
            expand(&queries[at + i], &batch[i].name);
        }
        for (size_t i = 0; i < BATCH && search; i++) {
            blockdb_probe(db, &batch[i].name, &batch[i].probe);
        }
        for (size_t i = 0; i < BATCH && search; i++) {
            found += blockdb_find(db, &batch[i].probe, hits);
        }
        found += batch[0].name.offset[0];
    }
    return found;
}

static double best_of(const struct blockdb *db, const struct query *queries, bool search,
                      size_t *ret_hits)
{
    double best = 1e9;
    for (unsigned round = 0; round < ROUNDS; round++) {
        double start = now_s();
        *ret_hits = look_up(db, queries, search);
        double took = now_s() - start;
        best = took < best ? took : best;
    }
    return best * 1e9 / QUERIES;
}

static void measure(const struct blockdb *db, uint64_t names)
{
    struct query *queries = make_queries(names);
    size_t hits;
    double bare = best_of(db, queries, false, &hits);
    double full = best_of(db, queries, true, &hits);
    printf("lookup %.1f ns for five suffixes in batches of 32, best of %d rounds (%zu hits of %d; "
           "%.1f ns for laying out the names taken off)\n",
           full - bare, ROUNDS, hits, QUERIES / 2, bare);
    printf("file %.2f bytes/name, checksum %016llx\n",
           (double)blockdb_info(db)->bytes / (double)names,
           (unsigned long long)blockdb_info(db)->generation);
    free(queries);
}

int main(int argc, char **argv)
{
    uint64_t names = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    char list[] = "/tmp/greengate-bench-list-XXXXXX";
    char out[] = "/tmp/greengate-bench-db-XXXXXX";
    close(mkstemp(list));
    close(mkstemp(out));
    write_list(list, names);
    struct blockdb *db = NULL;
    struct diag diag = {0};
    int err = compile(list, out);
    err = err < 0 ? err : blockdb_open(out, &db, &diag);
    if (err == 0) {
        measure(db, names);
    }
    blockdb_close(db);
    unlink(list);
    unlink(out);
    return err < 0;
}
