// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "blocklists/entry.h"
#include "tools/cli.h"

static const char scheme_letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.";

struct span {
    const char *at;
    size_t len;
};

/* The host of a web address; a name alone is its own. */
static struct span find_host(const char *text)
{
    text += strspn(text, " \t");
    size_t scheme = strspn(text, scheme_letters);
    if (strncmp(text + scheme, "://", 3) == 0) {
        text += scheme + 3;
    } else if (strncmp(text, "//", 2) == 0) {
        text += 2;
    }
    struct span host = {text, strcspn(text, "/?#")};
    const char *user = memrchr(host.at, '@', host.len);
    if (user) {
        host.len -= (size_t)(user + 1 - host.at);
        host.at = user + 1;
    }
    while (host.len > 0 && strchr(" \t\r\n", host.at[host.len - 1])) {
        host.len--;
    }
    /* More than one colon is an IPv6 address. */
    const char *port = memchr(host.at, ':', host.len);
    size_t digits = port ? strspn(port + 1, "0123456789") : 0;
    if (port && port + 1 + digits == host.at + host.len) {
        host.len = (size_t)(port - host.at);
    }
    if (host.len > 2 && strncmp(host.at, "*.", 2) == 0) {
        host.at += 2;
        host.len -= 2;
    }
    return host;
}

int cli_parse_name(const char *text, struct dname *ret_name)
{
    struct span host = find_host(text);
    /* What no list may name, a person may: "localhost". */
    enum skip_reason fault = entry_parse(host.at, host.len, ret_name);
    return fault == SKIP_NONE || fault == SKIP_LOCAL ? 0 : -EINVAL;
}

int cli_take_name(struct cli *cli, const char *command, const char *text, struct dname *ret_name)
{
    if (cli_parse_name(text, ret_name) == 0) {
        return CLI_DONE;
    }
    struct span host = find_host(text);
    return cli_usage(cli, command,
                     entry_is_address(host.at, host.len)
                         ? "an address is not a domain name; give the name of the site, as "
                           "games.example"
                         : "not a domain name; give one, as games.example, or a web address, as "
                           "https://games.example/x");
}
