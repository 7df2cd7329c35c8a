// SPDX-License-Identifier: Apache-2.0
#include "query/answering.h"

#include <errno.h>

#include "config/known.h"
#include "dns/svcb.h"
#include "policy/geo.h"
#include "query/action.h"
#include "query/local.h"

enum { ANY_TTL_S = 3600, EDE_TEXT_MAX = 160 };

static void begin(struct query *query, uint8_t rcode)
{
    query->rcode = rcode;
    wire_init(&query->out, query->room, DNS_MESSAGE_MAX);
    reply_begin(&query->out, &query->question, query->packet, rcode);
}

static void error_reply(struct query *query, uint16_t rcode, const struct reply_error *error)
{
    begin(query, (uint8_t)rcode);
    reply_end(&query->out, &query->question, rcode, error);
}

/* Not a query that we understand: as little as the sender can use. */
static void outcome_reply(struct query *query)
{
    static const struct reply_error none = {-1, NULL};
    static const struct reply_error bad_type = {EDE_INVALID_TYPE, "no data has this type"};
    wire_init(&query->out, query->room, DNS_MESSAGE_MAX);
    switch (query->outcome) {
    case QUESTION_NOTIMP:
        query->rcode = RCODE_NOTIMP;
        reply_bare(&query->out, &query->question, RCODE_NOTIMP);
        reply_end(&query->out, &query->question, RCODE_NOTIMP, &none);
        break;
    case QUESTION_REFUSED: error_reply(query, RCODE_REFUSED, &none); break;
    case QUESTION_BADTYPE: error_reply(query, RCODE_FORMERR, &bad_type); break;
    case QUESTION_BADCOOKIE: error_reply(query, RCODE_FORMERR, &none); break;
    case QUESTION_BADVERS: error_reply(query, RCODE_BADVERS, &none); break;
    case QUESTION_COOKIE_ONLY: error_reply(query, RCODE_NOERROR, &none); break;
    default:
        query->rcode = RCODE_FORMERR;
        reply_bare(&query->out, &query->question, RCODE_FORMERR);
        break;
    }
}

/* The sinkhole for this client: as configured, else the address it asked, but never
 * loopback to another host nor what a forwarder asked. */
static bool find_page(struct query *query, uint8_t family, struct addr *ret_page)
{
    const struct snapshot *snapshot = query->worker->snapshot;
    const struct addr *set = family == AF_INET ? &snapshot->page_ipv4 : &snapshot->page_ipv6;
    if (set->family) {
        *ret_page = *set;
        return true;
    }
    bool usable = query->local.family == family && !addr_is_any(&query->local) &&
                  !snapshot_is_forwarder(snapshot, &query->client) &&
                  (!addr_is_loopback(&query->local) || addr_is_loopback(&query->client));
    *ret_page = query->local;
    return usable;
}

static void put_address(struct query *query, const struct addr *addr, uint32_t ttl)
{
    const struct packet data = {addr->bytes, addr->family == AF_INET ? 4 : 16};
    reply_add(&query->out, query->question.type, ttl, &data);
}

/* The address record of a page or zero answer; false when there is none to give. */
static bool put_sinkhole(struct query *query, uint32_t ttl)
{
    uint16_t type = query->question.type;
    uint8_t family = type == TYPE_A ? AF_INET : AF_INET6;
    struct addr addr = {.family = family};
    if (type != TYPE_A && type != TYPE_AAAA) {
        return false;
    }
    if (query->verdict.mode == MODE_PAGE && !find_page(query, family, &addr)) {
        bool due = query->local.family == family;
        if (due && !atomic_load_explicit(&query->worker->page_unset, memory_order_relaxed)) {
            atomic_store_explicit(&query->worker->page_unset, true, memory_order_relaxed);
        }
        return false;
    }
    put_address(query, &addr, ttl);
    return true;
}

/* Words with a blank between them; by hand, since every blocked answer has them. */
static size_t add_word(char out[EDE_TEXT_MAX], size_t len, const char *word)
{
    size_t size = strlen(word);
    bool blank = len > 0;
    if (len + blank + size + 1 > EDE_TEXT_MAX) {
        return len;
    }
    out[len] = ' ';
    memcpy(out + len + blank, word, size + 1);
    return len + blank + size;
}

/* "category list reference" for the extended error's text. */
static void why_text(const struct query *query, char out[EDE_TEXT_MAX])
{
    const struct snapshot *snapshot = query->worker->snapshot;
    const struct verdict *verdict = &query->verdict;
    char ref[REF_MAX];
    if (query->ref[0]) {
        memcpy(ref, query->ref, sizeof(ref));
    } else {
        verdict_ref(verdict, &query->question.name, ref);
    }
    size_t len = 0;
    if (verdict->mark) {
        len = add_word(out, len, reason_word(verdict->reason));
        len = add_word(out, len, snapshot->known->items[verdict->mark - 1].id);
    } else if (verdict->reason == REASON_PLACE) {
        char place[GEO_PLACE_MAX];
        len = add_word(out, len, reason_word(verdict->reason));
        len = add_word(
            out, len,
            geo_place_text(&(struct geo_place){verdict->country, verdict->network}, place));
    } else if (verdict->class_id || verdict->pattern) {
        len = add_word(out, len, snapshot->categories[verdict->category].id);
        len = add_word(out, len, blockdb_source(snapshot->db, verdict->source)->id);
    } else {
        len = add_word(out, len, reason_word(verdict->reason));
    }
    (void)add_word(out, len, ref);
}

static void block_reply(struct query *query)
{
    const struct snapshot *snapshot = query->worker->snapshot;
    const struct verdict *verdict = &query->verdict;
    uint32_t ttl = query_ttl(query, (uint32_t)snapshot->config->block.ttl_s);
    char text[EDE_TEXT_MAX] = "";
    if (query->question.edns) {
        why_text(query, text);
    }
    if (verdict->action == BLOCKDB_LOCAL) {
        const struct reply_error forged = {EDE_FORGED, text};
        action_write_local(query, &forged);
        return;
    }
    uint8_t rcode = verdict->mode == MODE_NXDOMAIN  ? RCODE_NXDOMAIN
                    : verdict->mode == MODE_REFUSED ? RCODE_REFUSED
                                                    : RCODE_NOERROR;
    begin(query, rcode);
    bool addressed =
        (verdict->mode == MODE_PAGE || verdict->mode == MODE_ZERO) && put_sinkhole(query, ttl);
    if (!addressed && verdict->mode != MODE_REFUSED) {
        reply_add_soa(&query->out, ttl);
    }
    const struct reply_error why = {reason_ede(verdict->reason), text};
    reply_end(&query->out, &query->question, rcode, &why);
}

/* A search engine in its safe mode. */
static void safe_reply(struct query *query)
{
    char text[EDE_TEXT_MAX] = "";
    if (query->question.edns) {
        why_text(query, text);
    }
    const struct reply_error forged = {reason_ede(REASON_SAFE_SEARCH), text};
    action_write_local(query, &forged);
}

/* Of names that are ours to answer: authoritative. */
static void own_reply(struct query *query)
{
    static const struct reply_error none = {-1, NULL};
    begin(query, local_rcode(query));
    store_u16(query->room + 2, load_u16(query->room + 2) | FLAG_AA);
    local_write(query);
    reply_end(&query->out, &query->question, 0, &none);
}

/* ANY gets one small record (RFC 8482 section 4.2). */
static void any_reply(struct query *query)
{
    static const uint8_t hinfo[] = "\x07RFC8482";
    static const struct reply_error none = {-1, NULL};
    const struct packet data = {hinfo, sizeof(hinfo)}; /* the NUL is the empty second string */
    begin(query, RCODE_NOERROR);
    reply_add(&query->out, TYPE_HINFO, query_ttl(query, ANY_TTL_S), &data);
    reply_end(&query->out, &query->question, 0, &none);
}

/* More than dns.rate_limit_qps. */
static void limited_reply(struct query *query)
{
    static const struct reply_error none = {-1, NULL};
    static const struct reply_error limited = {EDE_OTHER, "more queries than dns.rate_limit_qps"};
    switch (query->guarded) {
    case GUARD_COOKIE: error_reply(query, RCODE_BADCOOKIE, &none); break;
    case GUARD_SLIP:
        error_reply(query, RCODE_NOERROR, &none);
        store_u16(query->room + 2, load_u16(query->room + 2) | FLAG_TC);
        break;
    default: error_reply(query, RCODE_REFUSED, &limited); break;
    }
}

static void failure_reply(struct query *query)
{
    static const struct reply_error not_desired = {EDE_NOT_AUTHORITATIVE, "recursion not desired"};
    if (query->failure == -EPERM) { /* RFC 8914 section 4.21 */
        error_reply(query, RCODE_REFUSED, &not_desired);
        return;
    }
    static const struct {
        int failure;
        struct reply_error why;
    } failures[] = {
        {-EHOSTUNREACH, {EDE_NETWORK_ERROR, "no upstream can be reached"}},
        {-EREMOTEIO, {EDE_NO_REACHABLE_AUTHORITY, "every upstream failed or refused"}},
        {-ETIMEDOUT, {EDE_NO_REACHABLE_AUTHORITY, "no upstream answered"}},
        {0, {EDE_OTHER, "the resolver could not ask or use what came"}},
    };
    size_t at = 0;
    while (failures[at].failure && failures[at].failure != query->failure) {
        at++;
    }
    error_reply(query, RCODE_SERVFAIL, &failures[at].why);
}

/* Of a group that filters, the keys that would hide a site's name from it are taken out of
 * the copy. False when a binding is damaged. */
static bool strip_ech(struct query *query)
{
    uint16_t type = query->question.type;
    const struct packet known = {query->worker->aside, query->out.len};
    if ((type != TYPE_HTTPS && type != TYPE_SVCB) ||
        !query->worker->snapshot->effective[query->group].strip_ech) {
        return true;
    }
    memcpy(query->worker->aside, query->out.data, known.len);
    return svcb_strip_ech(&known, &query->out) >= 0;
}

/* A known answer lies in room as a whole message: make it this client's. */
static void known_reply(struct query *query)
{
    const struct question *question = &query->question;
    const struct cache_copy *copy = &query->copy;
    uint8_t *wire = query->room;
    uint16_t flags = load_u16(wire + 2) & (uint16_t)(FLAG_QR | FLAG_RA | FLAG_AD | 0xf);
    bool wants_ad = question->dnssec_ok || (question->flags & FLAG_AD);
    bool no_name = (flags & 0xf) == RCODE_NXDOMAIN;
    const struct reply_error why = {.code = !query->stale ? -1
                                            : no_name     ? EDE_STALE_NXDOMAIN
                                                          : EDE_STALE,
                                    .text = "no upstream answered, this is from before"};
    flags &= wants_ad ? 0xffff : (uint16_t)~FLAG_AD;
    flags |= question->flags & (FLAG_RD | FLAG_CD);
    store_u16(wire, question->id);
    store_u16(wire + 2, flags);
    memcpy(wire + DNS_HEADER, query->packet + DNS_HEADER, question->wire_len);
    if (query->stale) {
        answer_set_ttl(wire, copy->ttl_at, copy->ttl_count, ANSWERING_STALE_TTL_S);
    } else {
        answer_age(wire, copy->ttl_at, copy->ttl_count, copy->age_s);
    }
    uint32_t cap = query_ttl(query, UINT32_MAX);
    if (cap != UINT32_MAX) {
        answer_cap_ttl(wire, copy->ttl_at, copy->ttl_count, cap);
    }
    query->rcode = flags & 0xf;
    wire_init(&query->out, wire, DNS_MESSAGE_MAX);
    query->out.len = copy->len;
    if (!strip_ech(query)) {
        query->failure = -EBADMSG;
        failure_reply(query);
        return;
    }
    reply_end(&query->out, question, 0, &why);
}

void answering_write(struct query *query)
{
    static const struct reply_error prohibited = {EDE_PROHIBITED, "this client may not ask here"};
    if (query->guarded != GUARD_PASS) {
        limited_reply(query);
    } else if (query->outcome != QUESTION_OK) {
        outcome_reply(query);
    } else if (query->verdict.reason == REASON_STRANGER) {
        error_reply(query, RCODE_REFUSED, &prohibited);
    } else if (query->home) {
        own_reply(query);
    } else if (query->verdict.blocked) {
        block_reply(query);
    } else if (query->verdict.reason == REASON_TCP_ONLY && query->channel->transport == STATS_UDP) {
        action_write_truncated(query);
    } else if (query->question.type == TYPE_ANY) {
        any_reply(query);
    } else if (action_rewrites(query)) {
        safe_reply(query);
    } else if (query->known && query->failure == 0) {
        known_reply(query);
    } else {
        failure_reply(query);
    }
    if (query->channel->transport == STATS_UDP) {
        reply_fit_udp(&query->out, &query->question);
    }
}
