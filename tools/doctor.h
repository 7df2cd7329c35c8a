// SPDX-License-Identifier: Apache-2.0
/* doctor: what each examination writes its findings to. */
#pragma once
#include "config/config.h"
#include "config/known.h"
#include "tools/cli.h"

struct addr;

enum finding_level { FINDING_OK, FINDING_WARNING, FINDING_FAULT };

struct doctor {
    struct cli *cli;
    const struct config *config;
    const struct known *known;
    const cJSON *status; /* the daemon's reply to `status`, NULL: it does not answer */
    cJSON *findings;
    unsigned warnings, faults;
};

struct finding {
    enum finding_level level;
    const char *topic;
    const char *remedy; /* what to do, "" for FINDING_OK */
};

void doctor_find(struct doctor *doctor, const struct finding *finding, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Does every address of dns.listen answer, over UDP and TCP? If not, who has the port? */
void doctor_see_listeners(struct doctor *doctor);
/* Does the name of each safe mode still resolve, and does no list block it? */
void doctor_see_engines(struct doctor *doctor);
/* Does the warning page's server answer? */
void doctor_see_page(struct doctor *doctor);

/* "dnsmasq (process 312)" of who holds a port, "another program" when it cannot be seen who;
 * "" for nobody. */
enum { OWNER_TEXT_MAX = 96 };
const char *port_owner(const struct addr *listen, char out[OWNER_TEXT_MAX]);
