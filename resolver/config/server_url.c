// SPDX-License-Identifier: Apache-2.0
#include "config/server_url.h"

#include <errno.h>
#include <string.h>

enum { DNS_PORT = 53, TLS_PORT = 853, PIN_TEXT = 44 /* base64 of 32 octets */ };

static const char pin_prefix[] = "sha256/";

static int letter_value(char letter)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = letter ? strchr(letters, letter) : NULL;
    return at ? (int)(at - letters) : -1;
}

/* 43 letters are 258 bits, of which the last two are unused and 0 (RFC 4648). */
static int parse_pin(const char *text, uint8_t pin[SERVER_PIN])
{
    uint32_t bits = 0;
    size_t held = 0, filled = 0;
    if (strlen(text) != PIN_TEXT || text[PIN_TEXT - 1] != '=') {
        return -EINVAL;
    }
    for (size_t i = 0; i + 1 < PIN_TEXT; i++) {
        int value = letter_value(text[i]);
        if (value < 0) {
            return -EINVAL;
        }
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            pin[filled++] = (uint8_t)(bits >> held);
        }
    }
    return bits & 3 ? -EINVAL : 0;
}

static bool is_host_name(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");
    return len > 0 && len < SERVER_NAME_MAX && !text[len] && text[0] != '.' &&
           text[len - 1] != '.' && !strstr(text, "..");
}

static int parse_identity(const char *text, struct server_url *url)
{
    size_t skip = sizeof(pin_prefix) - 1;
    if (strncmp(text, pin_prefix, skip) == 0) {
        url->pinned = true;
        return parse_pin(text + skip, url->pin);
    }
    if (!is_host_name(text)) {
        return -EINVAL;
    }
    memcpy(url->name, text, strlen(text) + 1);
    return 0;
}

int server_url_parse(const char *text, struct server_url *ret_url)
{
    static const char *const schemes[] = {"udp://", "tcp://", "tls://"};
    struct server_url url = {.transport = SERVER_SYSTEM};
    char host[ADDR_TEXT_MAX];
    if (strcmp(text, "system") == 0) {
        *ret_url = url;
        return 0;
    }
    for (int i = 0; i < SERVER_SYSTEM; i++) {
        if (strncmp(text, schemes[i], strlen(schemes[i])) == 0) {
            url.transport = (uint8_t)i;
        }
    }
    if (url.transport == SERVER_SYSTEM) {
        return -EINVAL;
    }
    const char *at = text + strlen(schemes[0]);
    bool tls = url.transport == SERVER_TLS;
    size_t len = tls ? strcspn(at, "#") : strlen(at);
    if (len >= sizeof(host)) {
        return -EINVAL;
    }
    memcpy(host, at, len);
    host[len] = '\0';
    int err = addr_parse_port(host, tls ? TLS_PORT : DNS_PORT, &url.addr);
    if (err == 0 && at[len] == '#') {
        err = parse_identity(at + len + 1, &url);
    }
    if (err < 0 || url.addr.port == 0 || addr_is_any(&url.addr)) {
        return -EINVAL;
    }
    *ret_url = url;
    return 0;
}

bool server_url_equal(const struct server_url *a, const struct server_url *b)
{
    return a->transport == b->transport && addr_equal(&a->addr, &b->addr) &&
           a->addr.port == b->addr.port && a->addr.scope == b->addr.scope &&
           strcmp(a->name, b->name) == 0 && a->pinned == b->pinned &&
           memcmp(a->pin, b->pin, SERVER_PIN) == 0;
}
