// SPDX-License-Identifier: Apache-2.0
/* Who else tells devices which resolver to ask: routers by advertisements of IPv6 (RDNSS,
 * RFC 8106), DHCP servers by option 6 (RFC 2132). Asked once, on every network that we are in.
 * DHCPINFORM asks for options alone: nobody is given an address. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "config/check.h"
#include "tools/announcement.h"
#include "tools/doctor.h"

enum { WAIT_MS = 2500, LINKS_MAX = 16, PACKET_MAX = 1500, OWN_MAX = 64, TOLD_MAX = 32 };

struct link {
    char name[IFNAMSIZ];
    unsigned index;
    struct addr ipv4;
    bool listened; /* dns.listen names an address of it */
    bool outward;  /* the default route leads there */
    int ra_fd, dhcp_fd;
    bool told_ra, told_dhcp;
};

struct look {
    struct doctor *doctor;
    struct link links[LINKS_MAX];
    size_t link_count;
    struct addr own[OWN_MAX]; /* addresses of this machine */
    size_t own_count;
    bool forbidden; /* no raw sockets for us */
    unsigned heard_ra, heard_dhcp;
};

static struct link *link_of(struct look *look, const char *name)
{
    for (size_t i = 0; i < look->link_count; i++) {
        if (strcmp(look->links[i].name, name) == 0) {
            return &look->links[i];
        }
    }
    if (look->link_count == LINKS_MAX) {
        return NULL;
    }
    struct link *link = &look->links[look->link_count++];
    snprintf(link->name, sizeof(link->name), "%s", name);
    link->index = if_nametoindex(name);
    link->ra_fd = link->dhcp_fd = -1;
    return link;
}

static bool is_listened(const struct config *config, const struct addr *addr)
{
    for (size_t i = 0; i < config->dns.listen.count; i++) {
        struct addr listen;
        if (addr_parse_port(config->dns.listen.items[i], 53, &listen) == 0 &&
            addr_equal(&listen, addr)) {
            return true;
        }
    }
    return false;
}

/* The first words of a line are interface and destination, in hexadecimal. */
static void find_outward(struct look *look)
{
    char line[256], name[IFNAMSIZ + 1];
    unsigned long destination;
    FILE *file = fopen("/proc/net/route", "re");
    while (file && fgets(line, sizeof(line), file)) {
        if (sscanf(line, "%16s %8lx", name, &destination) != 2 || destination != 0) {
            continue;
        }
        for (size_t i = 0; i < look->link_count; i++) {
            look->links[i].outward |= strcmp(look->links[i].name, name) == 0;
        }
    }
    if (file) {
        fclose(file);
    }
}

/* Where clients are: networks of the addresses that we listen on; else all but the way out, when
 * there is another. What the provider says there concerns nobody but us. */
static void choose_links(struct look *look)
{
    size_t kept = 0, listened = 0, inward = 0;
    find_outward(look);
    for (size_t i = 0; i < look->link_count; i++) {
        listened += look->links[i].listened;
        inward += !look->links[i].outward;
    }
    for (size_t i = 0; i < look->link_count; i++) {
        const struct link *link = &look->links[i];
        if (listened ? link->listened : inward ? !link->outward : true) {
            look->links[kept++] = *link;
        }
    }
    look->link_count = kept;
}

static void find_links(struct look *look)
{
    struct ifaddrs *all = NULL;
    if (getifaddrs(&all) < 0) {
        return;
    }
    for (const struct ifaddrs *one = all; one; one = one->ifa_next) {
        struct addr addr;
        sa_family_t family = one->ifa_addr ? one->ifa_addr->sa_family : 0;
        if (family != AF_INET && family != AF_INET6) {
            continue;
        }
        addr_from_sockaddr(one->ifa_addr, &addr);
        addr.port = 0;
        if (look->own_count < OWN_MAX) {
            look->own[look->own_count++] = addr;
        }
        unsigned flags = one->ifa_flags;
        bool asks = (flags & IFF_UP) && (flags & IFF_RUNNING) && (flags & IFF_MULTICAST) &&
                    !(flags & (IFF_LOOPBACK | IFF_POINTOPOINT));
        struct link *link = asks ? link_of(look, one->ifa_name) : NULL;
        if (link && family == AF_INET) {
            link->ipv4 = addr;
        }
        if (link) {
            link->listened |= is_listened(look->doctor->config, &addr);
        }
    }
    freeifaddrs(all);
}

/* Ours, or a forwarder that asks us. */
static bool leads_here(const struct look *look, const struct addr *addr)
{
    const struct text_list *forwarders = &look->doctor->config->dns.trusted_forwarders;
    for (size_t i = 0; i < look->own_count; i++) {
        if (addr_equal(&look->own[i], addr)) {
            return true;
        }
    }
    for (size_t i = 0; i < forwarders->count; i++) {
        struct prefix prefix;
        if (prefix_parse(forwarders->items[i], &prefix) == 0 && prefix_covers(&prefix, addr)) {
            return true;
        }
    }
    return false;
}

static void tell(struct look *look, const struct link *link, const struct announcement *said,
                 bool dhcp)
{
    char others[256] = "", who[ADDR_TEXT_MAX], text[ADDR_TEXT_MAX];
    unsigned ours = 0;
    for (size_t i = 0; i < said->count; i++) {
        size_t used = strlen(others);
        if (leads_here(look, &said->resolvers[i])) {
            ours++;
        } else {
            snprintf(others + used, sizeof(others) - used, "%s%s", used ? ", " : "",
                     addr_print(&said->resolvers[i], text));
        }
    }
    const char *topic = dhcp ? "dhcp" : "ipv6 router";
    const char *remedy =
        dhcp ? "let the DHCP server hand out this machine's address alone (option 6)"
             : "let the router announce this machine's address as RDNSS, or none; or shut port 53 "
               "at the firewall: greengate firewall print";
    addr_print(&said->from, who);
    if (*others) {
        doctor_find(look->doctor, &(struct finding){FINDING_FAULT, topic, remedy},
                    "%s on %s tells devices to ask %s%s: they go around the filter", who,
                    link->name, others, ours ? " besides us" : "");
    } else if (ours) {
        doctor_find(look->doctor, &(struct finding){FINDING_OK, topic, ""},
                    "%s on %s tells devices to ask us", who, link->name);
    } else {
        doctor_find(look->doctor, &(struct finding){FINDING_OK, topic, ""},
                    "%s on %s names no resolver", who, link->name);
    }
}

static void open_ra(struct look *look, struct link *link)
{
    struct icmp6_filter filter;
    int hops = 255;
    struct sockaddr_in6 routers = {.sin6_family = AF_INET6, .sin6_scope_id = link->index};
    const struct nd_router_solicit question = {.nd_rs_type = ND_ROUTER_SOLICIT};
    inet_pton(AF_INET6, "ff02::2", &routers.sin6_addr);
    int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
    if (fd < 0) {
        look->forbidden |= errno == EPERM || errno == EACCES;
        return;
    }
    ICMP6_FILTER_SETBLOCKALL(&filter);
    ICMP6_FILTER_SETPASS(ND_ROUTER_ADVERT, &filter);
    setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter));
    setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops));
    setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &link->index, sizeof(link->index));
    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, link->name, (socklen_t)strlen(link->name));
    (void)!sendto(fd, &question, sizeof(question), 0, (struct sockaddr *)&routers, sizeof(routers));
    link->ra_fd = fd;
}

static void open_dhcp(struct look *look, struct link *link)
{
    uint8_t question[ANNOUNCEMENT_INFORM];
    int on = 1;
    struct sockaddr_in all = {.sin_family = AF_INET, .sin_port = htons(67)};
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(68)};
    all.sin_addr.s_addr = INADDR_BROADCAST;
    int fd = link->ipv4.family ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;
    if (fd < 0) {
        return;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
    if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, link->name, (socklen_t)strlen(link->name)) <
            0 ||
        bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0) {
        look->forbidden |= errno == EPERM || errno == EACCES;
        close(fd);
        return;
    }
    announcement_make_inform(&link->ipv4, link->index, question);
    (void)!sendto(fd, question, sizeof(question), 0, (struct sockaddr *)&all, sizeof(all));
    link->dhcp_fd = fd;
}

static void hear(struct look *look, struct link *link, bool dhcp)
{
    uint8_t packet[PACKET_MAX];
    struct sockaddr_storage from;
    struct announcement said = {0};
    socklen_t len = sizeof(from);
    bool *told = dhcp ? &link->told_dhcp : &link->told_ra;
    ssize_t got = recvfrom(dhcp ? link->dhcp_fd : link->ra_fd, packet, sizeof(packet), 0,
                           (struct sockaddr *)&from, &len);
    int err = got < 0 ? -errno
              : dhcp  ? announcement_read_dhcp(packet, (size_t)got, link->index, &said)
                      : announcement_read_ra(packet, (size_t)got, &said);
    if (err < 0 || *told) {
        return; /* one answer a network will do: routers repeat themselves */
    }
    addr_from_sockaddr((struct sockaddr *)&from, &said.from);
    said.from.port = 0;
    *told = true;
    look->heard_ra += !dhcp;
    look->heard_dhcp += dhcp;
    tell(look, link, &said, dhcp);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Nobody is left that could still answer. */
static bool has_heard_all(const struct look *look)
{
    for (size_t i = 0; i < look->link_count; i++) {
        const struct link *link = &look->links[i];
        if ((link->ra_fd >= 0 && !link->told_ra) || (link->dhcp_fd >= 0 && !link->told_dhcp)) {
            return false;
        }
    }
    return true;
}

static void listen_for_all(struct look *look)
{
    int64_t end = now_ms() + WAIT_MS;
    struct pollfd fds[2 * LINKS_MAX];
    for (int64_t left = WAIT_MS; left > 0 && !has_heard_all(look); left = end - now_ms()) {
        nfds_t count = 0;
        for (size_t i = 0; i < look->link_count; i++) {
            fds[count++] = (struct pollfd){look->links[i].ra_fd, POLLIN, 0};
            fds[count++] = (struct pollfd){look->links[i].dhcp_fd, POLLIN, 0};
        }
        if (poll(fds, count, (int)left) <= 0) {
            continue;
        }
        for (nfds_t i = 0; i < count; i++) {
            if (fds[i].revents & POLLIN) {
                hear(look, &look->links[i / 2], i % 2);
            }
        }
    }
}

static void close_all(struct look *look)
{
    for (size_t i = 0; i < look->link_count; i++) {
        if (look->links[i].ra_fd >= 0) {
            close(look->links[i].ra_fd);
        }
        if (look->links[i].dhcp_fd >= 0) {
            close(look->links[i].dhcp_fd);
        }
    }
}

void doctor_see_neighbours(struct doctor *doctor)
{
    struct look look = {.doctor = doctor};
    find_links(&look);
    choose_links(&look);
    for (size_t i = 0; i < look.link_count; i++) {
        open_ra(&look, &look.links[i]);
        open_dhcp(&look, &look.links[i]);
    }
    if (look.forbidden) {
        doctor_find(
            doctor,
            &(struct finding){FINDING_WARNING, "neighbours", "run greengate doctor as root"},
            "not tried whom routers and DHCP servers tell devices to ask: needs raw sockets");
    } else if (look.link_count > 0) {
        listen_for_all(&look);
    }
    if (!look.forbidden && !look.heard_ra) {
        doctor_find(doctor, &(struct finding){FINDING_OK, "ipv6 router", ""},
                    "none announces itself");
    }
    if (!look.forbidden && !look.heard_dhcp) {
        doctor_find(doctor, &(struct finding){FINDING_OK, "dhcp", ""},
                    "no other machine's server answers; one on this machine cannot be asked so");
    }
    close_all(&look);
}
