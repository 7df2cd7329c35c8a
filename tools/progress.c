// SPDX-License-Identifier: Apache-2.0
#include "tools/progress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

enum { PAUSE_US = 100000 };

/* Steps of one phase come in thousands. */
static bool is_news(struct progress *progress, const struct sync_event *event)
{
    uint64_t now = clock_mono_us(&clock_system);
    bool same = strcmp(progress->phase, event->phase) == 0;
    if (same && !event->ended && now - progress->told_us < PAUSE_US) {
        return false;
    }
    progress->told_us = now;
    snprintf(progress->phase, sizeof(progress->phase), "%s", event->phase);
    return true;
}

static void print_sizes(FILE *out, const struct sync_event *event)
{
    if (event->bytes) {
        fprintf(out, ", %.1f MB", (double)event->bytes / 1e6);
    }
    if (event->names) {
        fprintf(out, ", %" PRIu64 " name%s", event->names, cli_plural(event->names));
    }
}

static void show_line(void *arg, const struct sync_event *event)
{
    struct progress *progress = arg;
    FILE *out = progress->cli->err;
    if (is_news(progress, event)) {
        progress->shown = true;
        fprintf(out, "\r\033[K%s %s", event->phase, event->source ? event->source : "all lists");
        print_sizes(out, event);
        fflush(out);
    }
}

static void show_end(void *arg, const struct sync_event *event)
{
    const struct progress *progress = arg;
    FILE *out = progress->cli->err;
    if (!event->ended || event->ended->status >= SYNC_FAILED) {
        return; /* the result says what failed, and why */
    }
    fprintf(out, "%s: %s", event->source, sync_status_word(event->ended->status));
    if (event->bytes) { /* names read so far are not those that stay */
        fprintf(out, ", %.1f MB", (double)event->bytes / 1e6);
    }
    fputc('\n', out);
    fflush(out);
}

static void show_object(void *arg, const struct sync_event *event)
{
    struct progress *progress = arg;
    const struct sync_source *ended = event->ended;
    cJSON *json = is_news(progress, event) ? cJSON_CreateObject() : NULL;
    if (!json) {
        return;
    }
    bool bad = ended && ended->status >= SYNC_FAILED;
    cJSON_AddStringToObject(json, "event", ended ? "source" : "phase");
    cJSON_AddStringToObject(json, "source", event->source ? event->source : "");
    cJSON_AddStringToObject(json, ended ? "status" : "phase",
                            ended ? sync_status_word(ended->status) : event->phase);
    cJSON_AddNumberToObject(json, "bytes", (double)event->bytes);
    cJSON_AddNumberToObject(json, "names", (double)event->names);
    cJSON_AddStringToObject(json, "error", bad ? ended->meta.report.error_text : "");
    char *text = cJSON_PrintUnformatted(json);
    if (text) {
        fprintf(progress->cli->err, "%s\n", text);
        fflush(progress->cli->err);
    }
    free(text);
    cJSON_Delete(json);
}

void progress_begin(struct progress *progress, struct cli *cli, struct sync_options *options)
{
    bool terminal = cli_is_terminal(cli) && isatty(fileno(cli->err));
    *progress = (struct progress){.cli = cli};
    if (!cli->quiet) {
        options->on_event = cli->json ? show_object : terminal ? show_line : show_end;
        options->arg = progress;
    }
}

void progress_end(const struct progress *progress)
{
    if (progress->shown) {
        fprintf(progress->cli->err, "\r\033[K");
        fflush(progress->cli->err);
    }
}
