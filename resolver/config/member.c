// SPDX-License-Identifier: Apache-2.0
#include "config/member.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

enum { MAC_TEXT = 17 };

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

int member_parse_mac(const char *text, size_t len, uint8_t ret_mac[MEMBER_MAC_LEN])
{
    uint8_t mac[MEMBER_MAC_LEN];
    if (len != MAC_TEXT) {
        return -EINVAL;
    }
    for (size_t i = 0; i < MEMBER_MAC_LEN; i++) {
        const char *at = text + 3 * i;
        int high = hex_value(at[0]), low = hex_value(at[1]);
        bool apart =
            i + 1 == MEMBER_MAC_LEN || (at[2] == text[2] && (at[2] == ':' || at[2] == '-'));
        if (high < 0 || low < 0 || !apart) {
            return -EINVAL;
        }
        mac[i] = (uint8_t)(high << 4 | low);
    }
    memcpy(ret_mac, mac, sizeof(mac));
    return 0;
}

int member_take_name(const char *text, size_t len, char ret_name[MEMBER_NAME_MAX])
{
    bool good = len > 0 && len < MEMBER_NAME_MAX && text[0] != '-' && text[len - 1] != '-';
    for (size_t i = 0; good && i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        good = isascii(c) && (isalnum(c) || c == '-');
        ret_name[i] = (char)tolower(c);
    }
    ret_name[good ? len : 0] = '\0';
    return good ? 0 : -EINVAL;
}

int member_parse(const char *text, struct member *ret_member)
{
    struct member member = {.kind = MEMBER_PREFIX};
    int err;
    if (strncmp(text, "host:", 5) == 0) {
        member.kind = MEMBER_HOST;
        err = member_take_name(text + 5, strlen(text + 5), member.name);
    } else if (strncmp(text, "id:", 3) == 0) {
        member.kind = MEMBER_ID;
        err = member_take_name(text + 3, strlen(text + 3), member.name);
    } else if (member_parse_mac(text, strlen(text), member.mac) == 0) {
        member.kind = MEMBER_MAC;
        err = 0;
    } else {
        err = strchr(text, '%') ? -EINVAL : prefix_parse(text, &member.prefix);
    }
    if (err == 0) {
        *ret_member = member;
    }
    return err;
}
