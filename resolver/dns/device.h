// SPDX-License-Identifier: Apache-2.0
/* device: the MAC of a client that a forwarder wrote into a query.
 *
 * dnsmasq: --add-mac gives option 65001 with six octets, --add-mac=text and =base64 give
 * option 65073. Only the values of forwarders that the configuration trusts may be used. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { DEVICE_MAC_LEN = 6 };

/* -EINVAL when the option is none of these, or not of their form. */
__attribute__((warn_unused_result)) int device_read(uint16_t code, const uint8_t *data, size_t len,
                                                    uint8_t ret_mac[DEVICE_MAC_LEN]);
