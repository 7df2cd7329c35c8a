// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blocklists/build.h"
#include "mmdbfile.h"
#include "policy/geo.h"
#include "policy/residents.h"
#include "zonelist.h"

static void need(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "world: %s failed\n", what);
        abort();
    }
}

static int64_t fake_wall(const struct clock *clock)
{
    return ((const struct world *)clock)->wall_s;
}

static uint64_t fake_mono(const struct clock *clock)
{
    return ((const struct world *)clock)->mono_us;
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    need(file && fputs(text, file) >= 0 && fclose(file) == 0, name);
}

static void write_config(const struct world *world, const char *config)
{
    char text[8192];
    static const char categories[] = "categories:\n"
                                     "  - {id: adult, names: {en: adult}}\n"
                                     "  - {id: gambling, names: {en: gambling}}\n"
                                     "  - {id: games, names: {en: games}, mixed: true}\n"
                                     "  - {id: education, names: {en: learning}}\n"
                                     "  - {id: ads, names: {en: ads}, mode: zero}\n"
                                     "  - {id: bypass, names: {en: ways around}, mode: nxdomain}\n";
    static const char protected[] = "protected:\n"
                                    "  - {name: captive.example, match: exact, why: a probe}\n";
    static const char canaries[] = "canaries:\n"
                                   "  - {name: canary.example, match: exact, why: asks}\n"
                                   "  - {name: relay.example, match: subtree, why: asks}\n";
    static const char services[] =
        "services:\n"
        "  - {id: clips, names: {en: Clips}, domains: [clips.example, clips-cdn.example], "
        "source: here, date: now}\n"
        "  - {id: blocks, names: {en: Blocks}, domains: [blocks.example], source: here, "
        "date: now}\n";
    static const char engines[] =
        "engines:\n"
        "  - {id: seek, target: safe.seek.example, hosts: [seek.example, seek.test], www: true, "
        "source: here, date: now}\n"
        "  - {id: films, target: strict.films.example, moderate: moderate.films.example, "
        "hosts: [www.films.example], source: here, date: now}\n"
        "  - {id: wild, domains: [wild.example], source: here, date: now}\n";
    static const char ways[] = "ways:\n"
                               "  - {id: doh, domains: [doh.example], source: here, date: now}\n"
                               "  - {id: vpn, hosts: [vpn.example], source: here, date: now}\n";
    snprintf(text, sizeof(text),
             "server: {state_dir: %s, data_dir: %s, control_socket: %s/c.sock}\n%s", world->folder,
             world->folder, world->folder, config);
    write_file(world->folder, "greengate.yaml", text);
    write_file(world->folder, "categories.yaml", categories);
    write_file(world->folder, "helplines.yaml", "lines: []\n");
    write_file(world->folder, "protected.yaml", protected);
    write_file(world->folder, "canaries.yaml", canaries);
    write_file(world->folder, "services.yaml", services);
    write_file(world->folder, "safesearch.yaml", engines);
    write_file(world->folder, "bypass.yaml", ways);
}

static bool is_zonelist(const struct world_setup *setup)
{
    bool is = false;
    for (size_t i = 0; i < setup->list_count; i++) {
        is |= setup->lists[i].format == FORMAT_ZONELIST;
    }
    return is;
}

static void write_zonelists(const struct world *world, const struct world_setup *setup)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/blocklist.ggdb", world->folder);
    need(unlink(path) == 0 || errno == ENOENT, "unlink"); /* a snapshot still maps it */
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    need(fd >= 0, path);
    zonelist_write(fd, setup->lists, setup->list_count, world->wall_s);
    close(fd);
}

static void compile_lists(const struct world *world, const struct world_setup *setup)
{
    struct build_source sources[WORLD_LISTS_MAX];
    struct source_report reports[WORLD_LISTS_MAX];
    struct build_job job = {.sources = sources, .source_count = setup->list_count, .out_fd = -1};
    char path[256];
    struct diag diag = {0};
    for (size_t i = 0; i < setup->list_count; i++) {
        const struct world_list *list = &setup->lists[i];
        snprintf(path, sizeof(path), "%s/list%zu", world->folder, i);
        FILE *file = fopen(path, "w+");
        need(file && fputs(list->text, file) >= 0 && fflush(file) == 0, "list");
        sources[i] = (struct build_source){.id = list->id,
                                           .category = list->category,
                                           .url = "file:///list",
                                           .format = list->format,
                                           .match = list->match,
                                           .fetched_at = world->wall_s,
                                           .fd = fileno(file)};
    }
    /* Here, not in a child: a fork beside the statistics thread can hang under ASan. */
    char temp[256];
    snprintf(path, sizeof(path), "%s/blocklist.ggdb", world->folder);
    snprintf(temp, sizeof(temp), "%s/blocklist.new", world->folder);
    job.out_fd = open(temp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int err = build_run(&job, reports, &diag);
    close(job.out_fd);
    for (size_t i = 0; i < setup->list_count; i++) {
        report_close(&reports[i]);
    }
    if (err == 0 && rename(temp, path) < 0) {
        err = -errno;
    }
    if (err < 0) {
        fprintf(stderr, "world: %s\n", diag.text);
    }
    need(err == 0, "compile");
}

/* The fake upstream's words, through the real rewriting of answers. */
static size_t write_answer(const struct world *world, const struct ask *ask, uint8_t *octets,
                           size_t cap)
{
    struct wire out;
    bool no = world->upstream == WORLD_NXDOMAIN;
    bool alias = world->upstream == WORLD_ALIAS;
    wire_init(&out, octets, cap);
    wire_put_u16(&out, 0);
    wire_put_u16(&out, (uint16_t)(FLAG_QR | FLAG_RD | FLAG_RA | (no ? RCODE_NXDOMAIN : 0)));
    wire_put_u16(&out, 1);
    wire_put_u16(&out, no ? 0 : alias ? 2 : 1);
    wire_put_u16(&out, no ? 1 : 0);
    wire_put_u16(&out, 0);
    wire_put(&out, ask->name.wire, ask->name.len);
    wire_put_u16(&out, ask->type);
    wire_put_u16(&out, CLASS_IN);
    const struct dname *owner = &ask->name;
    if (alias) {
        wire_put(&out, ask->name.wire, ask->name.len);
        wire_put_u16(&out, TYPE_CNAME);
        wire_put_u16(&out, CLASS_IN);
        wire_put_u32(&out, world->upstream_ttl);
        wire_put_u16(&out, world->upstream_alias.len);
        wire_put(&out, world->upstream_alias.wire, world->upstream_alias.len);
        owner = &world->upstream_alias;
    }
    wire_put(&out, owner->wire, owner->len);
    wire_put_u16(&out, no ? TYPE_SOA : ask->type);
    wire_put_u16(&out, CLASS_IN);
    wire_put_u32(&out, world->upstream_ttl);
    if (no) {
        static const uint8_t soa[22] = {0, 0, [21] = 60};
        wire_put_u16(&out, sizeof(soa));
        wire_put(&out, soa, sizeof(soa));
    } else if (world->upstream == WORLD_DATA) {
        wire_put_u16(&out, (uint16_t)world->upstream_data_len);
        wire_put(&out, world->upstream_data, world->upstream_data_len);
    } else if (ask->type == TYPE_A || ask->type == TYPE_AAAA) {
        size_t len = ask->type == TYPE_AAAA ? 16 : 4;
        wire_put_u16(&out, (uint16_t)len);
        wire_put(&out, world->upstream_address.bytes, len);
    } else { /* fits TXT, MX and what is opaque */
        wire_put_u16(&out, 3);
        wire_put(&out, ask->type == TYPE_TXT ? "\2no" : "\0\12\0", 3);
    }
    need(!out.full, "answer");
    return out.len;
}

static void speak(struct world *world, const struct ask *ask, struct upstream_waiter *waiter)
{
    static struct answer_room room;
    uint8_t octets[2048];
    struct answer answer;
    struct upstream_result result = {.err = -ETIMEDOUT};
    if (world->upstream != WORLD_FAILS) {
        struct answer_source source = {ask, {octets, 0}, {0, 86400, 3600, false}};
        source.packet.len = write_answer(world, ask, octets, sizeof(octets));
        need(answer_rebuild(&source, &room, &answer) == 0, "rebuild");
        query_remember(&world->worker, ask, &answer);
        result = (struct upstream_result){.answer = &answer};
    }
    waiter->done(waiter, &result);
}

static int fake_ask(void *context, const struct ask *ask, struct upstream_waiter *waiter)
{
    struct world *world = context;
    world->asked++;
    world->asked_name = ask->name;
    if (world->upstream == WORLD_SILENT) {
        world->silent = waiter;
        world->silent_ask = *ask;
    } else {
        speak(world, ask, waiter);
    }
    return 0;
}

void world_upstream_speaks(struct world *world)
{
    struct upstream_waiter *waiter = world->silent;
    need(waiter != NULL, "a waiting question");
    world->silent = NULL;
    speak(world, &world->silent_ask, waiter);
}

static void capture(struct query_channel *channel, const struct query *query)
{
    struct world *world = (struct world *)((uint8_t *)channel - offsetof(struct world, channel));
    memcpy(world->reply, query->out.data, query->out.len);
    world->reply_len = query->out.len;
}

static void hold(struct query_channel *channel)
{
    ((struct world *)((uint8_t *)channel - offsetof(struct world, channel)))->held++;
}

static void release(struct query_channel *channel)
{
    ((struct world *)((uint8_t *)channel - offsetof(struct world, channel)))->held--;
}

static struct moment world_moment(const struct world *world)
{
    return (struct moment){world->wall_s, world->mono_us / 1000000, !world->clock_in_doubt};
}

static void put_in_force(struct world *world, struct snapshot *next)
{
    need(next != NULL, "snapshot");
    for (size_t i = 0; i < next->group_count; i++) {
        next->group_stats[i] = stats_name_group(world->stats, next->config->groups[i].name);
    }
    for (unsigned i = 1; i < next->category_count; i++) {
        next->categories[i].stats_id = stats_name_category(world->stats, next->categories[i].id);
    }
    snapshot_free(world->snapshot);
    world->snapshot = next;
    world->worker.snapshot = next;
}

void world_tick(struct world *world)
{
    const struct snapshot *now = world->snapshot;
    const struct moment moment = world_moment(world);
    put_in_force(world, snapshot_new(&now->parts, &moment));
}

static struct residents *make_residents(const struct world_setup *setup,
                                        const struct policy_config *config)
{
    struct residents *residents = residents_new();
    const struct keyring *keys = policy_config_keys(config);
    need(residents != NULL, "residents");
    for (size_t i = 0; i < setup->device_count; i++) {
        const struct world_device *device = &setup->devices[i];
        bool mac = device->member.kind == MEMBER_MAC;
        uint16_t group = mac ? keyring_find_mac(keys, device->member.mac)
                             : keyring_find_name(keys, MEMBER_HOST, device->member.name);
        const struct resident row = {device->addr, group, mac ? RESIDENT_MAC : RESIDENT_HOST};
        need(group == KEYRING_NONE || residents_add(residents, &row) == 0, "resident");
    }
    return residents;
}

static void write_places(const struct world *world, const struct world_setup *setup)
{
    char path[256], line[400];
    if (setup->place_count) {
        snprintf(path, sizeof(path), "%s/places.mmdb", world->folder);
        snprintf(line, sizeof(line), "geo: {database: %s}\n", path);
        mmdb_write(path, setup->places, setup->place_count);
        snprintf(path, sizeof(path), "%s/greengate.yaml", world->folder);
        FILE *file = fopen(path, "a");
        need(file && fputs(line, file) >= 0 && fclose(file) == 0, path);
    }
}

void world_change(struct world *world, const struct world_setup *setup)
{
    struct policy_config *config = NULL;
    struct policy_lists *lists = NULL;
    struct policy_rules *rules = NULL;
    struct geo *geo = NULL;
    struct residents *residents = NULL;
    struct diag diag = {0};
    char path[256];
    write_config(world, setup->config);
    if (is_zonelist(setup)) {
        write_zonelists(world, setup);
    } else if (setup->list_count) {
        compile_lists(world, setup);
    }
    write_places(world, setup);
    snprintf(path, sizeof(path), "%s/greengate.yaml", world->folder);
    int err = policy_config_load(path, &config, &diag);
    if (err < 0) {
        fprintf(stderr, "world: %s:%u: %s\n", diag.file, diag.line, diag.text);
    }
    need(err == 0, "configuration");
    snapshot_lists_path(policy_config_get(config), path, sizeof(path));
    need(policy_lists_open(path, config, &lists, &diag) == 0, diag.text[0] ? diag.text : "lists");
    need(policy_rules_new(setup->rules, setup->rule_count, config, &rules) == 0, "rules");
    need(policy_rules_set_windows(rules, setup->windows, setup->window_count) == 0, "windows");
    const struct moment now = world_moment(world);
    need(geo_open(policy_config_get(config), &geo, &diag) == 0, diag.text);
    residents = make_residents(setup, config);
    const struct snapshot_parts parts = {config, lists, rules, geo, residents};
    struct snapshot *next = snapshot_new(&parts, &now);
    put_in_force(world, next);
    policy_config_unref(config);
    policy_lists_unref(lists);
    policy_rules_unref(rules);
    geo_unref(geo);
    residents_unref(residents);
}

struct world *world_new(const struct world_setup *setup)
{
    struct world *world = calloc(1, sizeof(*world));
    need(world != NULL, "memory");
    strcpy(world->folder, "/tmp/greengate-world-XXXXXX");
    need(mkdtemp(world->folder) != NULL, "folder");
    world->clock = (struct clock){fake_wall, fake_mono};
    world->wall_s = 1800000000;
    world->mono_us = 1000000000;
    world->upstream = WORLD_ADDRESS;
    world->upstream_ttl = 300;
    need(addr_parse("192.0.2.1", &world->upstream_address) == 0, "address");
    const struct stats_setup stats = {NULL, 400, &world->clock};
    need(stats_start(&stats, &world->stats, NULL) == 0, "statistics");
    world->worker = (struct query_worker){
        .cache = cache_new(1 << 20),
        .stats = stats_worker_add(world->stats),
        .clock = &world->clock,
        .ask = fake_ask,
        .ask_context = world,
        .guard = &world->guard,
    };
    need(guard_init(&world->guard) == 0, "guard");
    world->channel = (struct query_channel){capture, hold, release, STATS_UDP};
    world->slot.room = aligned_alloc(64, QUERY_ROOM + 64 - QUERY_ROOM % 64);
    need(world->worker.cache && world->worker.stats && world->slot.room, "memory");
    world_change(world, setup);
    need(query_worker_init(&world->worker) == 0, "worker");
    return world;
}

void world_free(struct world *world)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", world->folder);
    need(system(command) == 0, "removal");
    query_worker_clear(&world->worker);
    cache_free(world->worker.cache);
    guard_clear(&world->guard);
    snapshot_free(world->snapshot);
    stats_stop(world->stats);
    free(world->slot.room);
    free(world);
}

void world_ask(struct world *world, const struct world_question *question)
{
    struct query *query = &world->slot;
    struct dname name;
    struct wire out;
    need(dname_parse(question->name, &name) == 0, "name");
    wire_init(&out, world->query, sizeof(world->query));
    wire_put_u16(&out, 0x1234);
    wire_put_u16(&out, FLAG_RD);
    wire_put_u16(&out, 1);
    wire_put_u32(&out, 0);
    wire_put_u16(&out, question->edns ? 1 : 0);
    wire_put(&out, name.wire, name.len);
    wire_put_u16(&out, question->type);
    wire_put_u16(&out, CLASS_IN);
    if (question->edns) {
        wire_put(&out, "\0\0\x29\x10\0\0\0\0\0", 9);
        wire_put_u16(&out, question->mac ? 10 : 0);
        if (question->mac) {
            wire_put_u16(&out, OPTION_MAC);
            wire_put_u16(&out, 6);
            wire_put(&out, question->mac, 6);
        }
    }
    world->reply_len = 0;
    query->worker = &world->worker;
    query->channel = &world->channel;
    world->channel.id = question->id;
    world->channel.transport = question->tcp ? STATS_TCP : STATS_UDP;
    query->packet = world->query;
    query->packet_len = out.len;
    need(addr_parse(question->client, &query->client) == 0, "client");
    need(addr_parse(question->local ? question->local : "10.0.0.1", &query->local) == 0, "local");
    query_tick(&world->worker);
    query_begin(query);
    query_resume(query);
}

uint8_t world_rcode(const struct world *world)
{
    return world->reply[3] & 0xf;
}

bool world_truncated(const struct world *world)
{
    return load_u16(world->reply + 2) & FLAG_TC;
}

/* Walk to record `index` of the sections from the answer on. */
static bool find_record(const struct world *world, unsigned index, struct rr *ret_rr)
{
    size_t pos = DNS_HEADER;
    struct dname name;
    if (world->reply_len < DNS_HEADER ||
        dname_read(world->reply, world->reply_len, &pos, &name) < 0) {
        return false;
    }
    pos += 4;
    for (unsigned i = 0; i <= index; i++) {
        if (rr_read(world->reply, world->reply_len, &pos, ret_rr) < 0) {
            return false;
        }
    }
    return true;
}

int world_ede(const struct world *world)
{
    struct rr rr;
    for (unsigned i = 0; find_record(world, i, &rr); i++) {
        if (rr.type == TYPE_OPT && rr.rdlen >= 6 &&
            load_u16(world->reply + rr.rdata) == OPTION_EDE) {
            return load_u16(world->reply + rr.rdata + 4);
        }
    }
    return -1;
}

const char *world_record(const struct world *world, unsigned index)
{
    static char text[DNAME_TEXT_MAX + 64];
    char type[16], data[DNAME_TEXT_MAX] = "";
    struct rr rr;
    if (index >= load_u16(world->reply + 6) || !find_record(world, index, &rr)) {
        return "";
    }
    if (rr.type == TYPE_A || rr.type == TYPE_AAAA) {
        inet_ntop(rr.type == TYPE_A ? AF_INET : AF_INET6, world->reply + rr.rdata, data,
                  sizeof(data));
    } else if (rr.type == TYPE_CNAME) {
        struct dname target;
        size_t pos = rr.rdata;
        need(dname_read(world->reply, world->reply_len, &pos, &target) == 0, "target");
        dname_print(&target, data);
    }
    snprintf(text, sizeof(text), "%s %s %u", type_print(rr.type, type), data, rr.ttl);
    return text;
}
