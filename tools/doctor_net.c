// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "config/server_url.h"
#include "tools/doctor.h"
#include "tools/probe.h"

enum { DNS_PORT = 53, TIMEOUT_MS = 2500, SILENCES_MAX = 2 };

/* Where a listener is reached from this machine. */
struct addr doctor_reach(const struct addr *listen)
{
    struct addr addr = *listen;
    if (addr_is_any(&addr)) {
        memset(addr.bytes, 0, sizeof(addr.bytes));
        addr.bytes[addr.family == AF_INET ? 0 : 15] = addr.family == AF_INET ? 127 : 1;
        addr.bytes[3] = addr.family == AF_INET ? 1 : 0;
    }
    return addr;
}

/* Our daemon does not run: is somebody else in its place? */
static void see_intruder(struct doctor *doctor, const char *text, const struct addr *listen,
                         bool answers)
{
    char owner[OWNER_TEXT_MAX];
    const char *held = port_owner(listen, owner);
    if (*held || answers) {
        doctor_find(doctor,
                    &(struct finding){FINDING_FAULT, "listen",
                                      "stop it, or set dns.listen to another address or port"},
                    "%s: port %u is held by %s", text, listen->port,
                    *held ? held : "another program");
    }
}

static void see_listener(struct doctor *doctor, const char *text, const struct addr *listen)
{
    struct dname own;
    uint16_t rcode;
    if (dname_parse(doctor->config->server.name, &own) < 0) {
        return;
    }
    struct probe probe = {.server = doctor_reach(listen), .timeout_ms = TIMEOUT_MS};
    bool udp = probe_ask(&probe, &own, TYPE_A, &rcode) != PROBE_SILENCE;
    probe.tcp = true;
    bool tcp = probe_ask(&probe, &own, TYPE_A, &rcode) != PROBE_SILENCE;
    if (!doctor->status && !doctor->denied) {
        see_intruder(doctor, text, listen, udp || tcp);
    } else if (udp && tcp) {
        doctor_find(doctor, &(struct finding){FINDING_OK, "listen", ""},
                    "%s answers over UDP and TCP", text);
    } else {
        doctor_find(doctor,
                    &(struct finding){FINDING_FAULT, "listen",
                                      "restart greengated; does a firewall stand between?"},
                    "%s does not answer over %s", text,
                    udp   ? "TCP"
                    : tcp ? "UDP"
                          : "UDP or TCP");
    }
}

void doctor_see_listeners(struct doctor *doctor)
{
    const struct text_list *listen = &doctor->config->dns.listen;
    bool reachable = false;
    for (size_t i = 0; i < listen->count; i++) {
        struct addr addr;
        if (addr_parse_port(listen->items[i], DNS_PORT, &addr) == 0) {
            see_listener(doctor, listen->items[i], &addr);
            reachable |= !addr_is_loopback(&addr);
        }
    }
    if (!reachable && doctor->config->dns.tls_listen.count == 0) {
        doctor_find(
            doctor,
            &(struct finding){FINDING_WARNING, "listen",
                              "set dns.listen to the address of this machine that devices shall "
                              "ask, [\"192.168.1.1:53\"] say"},
            "only this machine can ask: dns.listen has loopback addresses alone");
    }
}

/* Whom the engines' names are asked of: the daemon, else an upstream server. */
static bool choose_server(const struct doctor *doctor, struct probe *probe)
{
    const struct config *config = doctor->config;
    *probe = (struct probe){.timeout_ms = TIMEOUT_MS};
    if ((doctor->status || doctor->denied) && config->dns.listen.count &&
        addr_parse_port(config->dns.listen.items[0], DNS_PORT, &probe->server) == 0) {
        probe->server = doctor_reach(&probe->server);
        return true;
    }
    for (size_t i = 0; i < config->upstream.servers.count; i++) {
        struct server_url url;
        if (server_url_parse(config->upstream.servers.items[i], &url) == 0 &&
            (url.transport == SERVER_UDP || url.transport == SERVER_TCP)) {
            probe->server = url.addr;
            probe->tcp = url.transport == SERVER_TCP;
            return true;
        }
    }
    return false;
}

static bool blocked_for(struct doctor *doctor, const char *target, const char *group)
{
    cJSON *request = cJSON_CreateObject();
    cJSON *reply = NULL;
    cJSON_AddStringToObject(request, "command", "check");
    cJSON_AddStringToObject(request, "name", target);
    cJSON_AddStringToObject(request, "group", group);
    bool blocked =
        cli_try_ask(doctor->cli, request, &reply, NULL) == 0 && cli_flag(reply, "blocked");
    cJSON_Delete(reply);
    return blocked;
}

static void see_blocks(struct doctor *doctor, const char *target)
{
    const struct config *config = doctor->config;
    for (size_t i = 0; doctor->status && i < config->group_count; i++) {
        const struct config_group *group = &config->groups[i];
        bool asks = group->safe_search || group->youtube != YOUTUBE_OFF;
        if (asks && blocked_for(doctor, target, group->name)) {
            doctor_find(doctor,
                        &(struct finding){
                            FINDING_FAULT, "safe search",
                            "greengate check tells which list; greengate allow lets it through"},
                        "%s is blocked for the group %s: its engine has no answer", target,
                        group->name);
        }
    }
}

static bool uses_engines(const struct config *config)
{
    bool used = false;
    for (size_t i = 0; i < config->group_count; i++) {
        used |= config->groups[i].safe_search || config->groups[i].youtube != YOUTUBE_OFF;
    }
    return used;
}

/* Returns whether there was an answer. */
static bool see_target(struct doctor *doctor, const struct probe *probe, const char *engine,
                       const char *target)
{
    struct dname name;
    uint16_t rcode;
    if (dname_parse(target, &name) < 0) {
        return true;
    }
    enum probe_result result = probe_ask(probe, &name, TYPE_A, &rcode);
    if (result == PROBE_NO_DATA) {
        result = probe_ask(probe, &name, TYPE_AAAA, &rcode);
    }
    const char *remedy = "it needs its new name in safesearch.yaml; where safe_search is on the "
                         "engine has no answer until then";
    bool used = uses_engines(doctor->config);
    if (result == PROBE_ADDRESSES) {
        doctor_find(doctor, &(struct finding){FINDING_OK, "safe search", ""}, "%s: %s resolves",
                    engine, target);
        see_blocks(doctor, target);
    } else if (result == PROBE_FAILURE || result == PROBE_SILENCE) {
        doctor_find(
            doctor,
            &(struct finding){FINDING_WARNING, "safe search", "try again; is there an upstream?"},
            "%s: no answer about %s (RCODE %u)", engine, target, rcode);
    } else {
        doctor_find(
            doctor,
            &(struct finding){used ? FINDING_FAULT : FINDING_WARNING, "safe search", remedy},
            "%s: %s is dead (%s)", engine, target,
            result == PROBE_NXDOMAIN ? "NXDOMAIN" : "no address");
    }
    return result != PROBE_SILENCE && result != PROBE_FAILURE;
}

void doctor_see_engines(struct doctor *doctor)
{
    struct probe probe;
    unsigned silences = 0;
    const struct known *known = doctor->known;
    if (!choose_server(doctor, &probe)) {
        doctor_find(
            doctor,
            &(struct finding){FINDING_WARNING, "safe search", "start greengated, then try again"},
            "not tried: no daemon, and no upstream that is asked without TLS");
        return;
    }
    for (size_t i = known->first[KNOWN_ENGINE]; i < known->first[KNOWN_ENGINE + 1]; i++) {
        const struct known_item *item = &known->items[i];
        const char *targets[] = {item->target, item->moderate};
        for (size_t k = 0; k < 2 && silences < SILENCES_MAX; k++) {
            silences += targets[k] && !see_target(doctor, &probe, item->id, targets[k]);
        }
    }
    if (silences == SILENCES_MAX) {
        doctor_find(
            doctor,
            &(struct finding){FINDING_FAULT, "upstream", "is the network up? see upstream.servers"},
            "names cannot be resolved: the other engines were not tried");
    }
}
