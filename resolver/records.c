// SPDX-License-Identifier: Apache-2.0
#include "records.h"

#include <errno.h>
#include <stdio.h>

#include "account/sessions.h"
#include "config/dashboard.h"
#include "daemon.h"
#include "store/audit.h"
#include "store/reviews.h"

enum { DAY_S = 86400, SECOND_US = 1000000 };

int records_open(struct daemon *daemon, struct diag *diag)
{
    char path[DAEMON_PATH_MAX];
    const char *folder = policy_config_get(daemon->config)->server.state_dir;
    snprintf(path, sizeof(path), "%s/audit.log", folder);
    if (audit_open(path, &daemon->audit) < 0) {
        return diag_set(diag, -ENOMEM, "no memory for the audit log");
    }
    snprintf(path, sizeof(path), "%s/requests.db", folder);
    if (reviews_open(path, &daemon->reviews) < 0) {
        return diag_set(diag, -ENOMEM, "no memory for review requests");
    }
    snprintf(path, sizeof(path), "%s/accounts.db", folder);
    if (accounts_open(path, &daemon->accounts) < 0 || sessions_new(&daemon->sessions) < 0) {
        return diag_set(diag, -ENOMEM, "no memory for accounts");
    }
    return 0;
}

void records_invite(struct daemon *daemon)
{
    char text[SECRET_DIGITS + 1];
    struct diag diag = {0};
    const struct config *config = policy_config_get(daemon->config);
    char url[DASHBOARD_URL_MAX];
    int count = accounts_count(daemon->accounts, &diag);
    if (count < 0) {
        fprintf(stderr, "greengated: %s: %s; nobody can sign in\n", diag.file, diag.text);
    } else if (count == 0 && *dashboard_url(config, url)) {
        sessions_invite(daemon->sessions, (int64_t)(clock_mono_us(daemon->clock) / SECOND_US),
                        text);
        fprintf(stderr,
                "greengated: the dashboard has no account yet; make the first one within an "
                "hour at %s/#/set-up/%s\n",
                url, text);
    }
}

void records_note_reload(struct daemon *daemon)
{
    const struct audit_entry entry = {clock_wall_s(daemon->clock), -1, "reload", "{}"};
    if (audit_add(daemon->audit, &entry) < 0) {
        fprintf(stderr, "greengated: audit.log: %s\n", audit_trouble(daemon->audit));
    }
}

void records_expire(struct daemon *daemon)
{
    struct diag aside = {0};
    int64_t now = clock_wall_s(daemon->clock);
    if (now / DAY_S != daemon->reviews_day) {
        daemon->reviews_day = now / DAY_S;
        if (reviews_expire(daemon->reviews, now, &aside) < 0) {
            daemon->reviews_day = 0; /* again in a minute; `status` says what is wrong */
        }
    }
}

int records_waiting(const struct daemon *daemon, char *text, size_t cap)
{
    struct diag diag = {0};
    int waiting = reviews_waiting(daemon->reviews, &diag);
    diag_print(&diag, text, cap);
    return waiting;
}

bool records_lock_out(const struct daemon *daemon, char *text, size_t cap)
{
    struct diag diag = {0};
    int count = accounts_count(daemon->accounts, &diag);
    diag_print(&diag, text, cap);
    return count < 0;
}

void records_close(struct daemon *daemon)
{
    audit_close(daemon->audit);
    reviews_close(daemon->reviews);
    accounts_close(daemon->accounts);
    sessions_free(daemon->sessions);
}
