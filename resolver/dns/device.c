// SPDX-License-Identifier: Apache-2.0
#include "dns/device.h"

#include <errno.h>
#include <string.h>

#include "dns/rr.h"

enum { TEXT_LEN = 17, BASE64_LEN = 8 };

static int find(const char *digits, uint8_t c)
{
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* "02:00:00:00:00:01" */
static int read_text(const uint8_t *data, uint8_t mac[DEVICE_MAC_LEN])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < DEVICE_MAC_LEN; i++) {
        int high = find(digits, data[3 * i] | (data[3 * i] >= 'A' ? 0x20 : 0));
        int low = find(digits, data[3 * i + 1] | (data[3 * i + 1] >= 'A' ? 0x20 : 0));
        if (high < 0 || low < 0 || (i + 1 < DEVICE_MAC_LEN && data[3 * i + 2] != ':')) {
            return -EINVAL;
        }
        mac[i] = (uint8_t)(high << 4 | low);
    }
    return 0;
}

static int read_base64(const uint8_t *data, uint8_t mac[DEVICE_MAC_LEN])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint64_t bits = 0;
    for (size_t i = 0; i < BASE64_LEN; i++) {
        int value = find(digits, data[i]);
        if (value < 0) {
            return -EINVAL;
        }
        bits = bits << 6 | (unsigned)value;
    }
    for (size_t i = DEVICE_MAC_LEN; i-- > 0; bits >>= 8) {
        mac[i] = (uint8_t)bits;
    }
    return 0;
}

int device_read(uint16_t code, const uint8_t *data, size_t len, uint8_t ret_mac[DEVICE_MAC_LEN])
{
    uint8_t mac[DEVICE_MAC_LEN];
    int err = -EINVAL;
    if (code == OPTION_MAC && len == DEVICE_MAC_LEN) {
        memcpy(mac, data, sizeof(mac));
        err = 0;
    } else if (code == OPTION_DEVICE && len == TEXT_LEN) {
        err = read_text(data, mac);
    } else if (code == OPTION_DEVICE && len == BASE64_LEN) {
        err = read_base64(data, mac);
    }
    if (err == 0) {
        memcpy(ret_mac, mac, sizeof(mac));
    }
    return err;
}
