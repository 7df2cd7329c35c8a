// SPDX-License-Identifier: Apache-2.0
/* doctor: what each examination writes its findings to. */
#pragma once
#include "base/addr.h"
#include "config/config.h"
#include "config/known.h"
#include "tools/cli.h"

enum finding_level { FINDING_OK, FINDING_WARNING, FINDING_FAULT };

struct doctor {
    struct cli *cli;
    const struct config *config;
    const struct known *known;
    const cJSON *status; /* the daemon's reply to `status`, NULL: it does not answer */
    bool denied;         /* we may not ask it: whether it runs is not known */
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
/* Does a browser that asks for a blocked name see the warning page? */
void doctor_see_page(struct doctor *doctor);
/* Do files belong to whom they should, and are secrets secret? */
void doctor_see_files(struct doctor *doctor);
/* Which resolvers do routers and DHCP servers tell devices to ask? Waits for some seconds. */
void doctor_see_neighbours(struct doctor *doctor);

/* Where a listener is reached from this machine. */
struct addr doctor_reach(const struct addr *listen);

/* "dnsmasq (process 312)" of who holds a port, "another program" when it cannot be seen who;
 * "" for nobody. */
enum { OWNER_TEXT_MAX = 96 };
const char *port_owner(const struct addr *listen, char out[OWNER_TEXT_MAX]);
