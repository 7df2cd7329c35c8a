// SPDX-License-Identifier: Apache-2.0
/* The bridge to ldns: names of types for people. */
#include "dns/rr.h"

#include <errno.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <string.h>

const char *type_print(uint16_t type, char out[16])
{
    const ldns_rr_descriptor *descriptor = ldns_rr_descript(type);
    if (descriptor && descriptor->_name && type != 0) {
        snprintf(out, 16, "%s", descriptor->_name);
    } else if (type == TYPE_ANY) {
        snprintf(out, 16, "ANY");
    } else if (type == TYPE_SVCB || type == TYPE_HTTPS) {
        snprintf(out, 16, "%s", type == TYPE_SVCB ? "SVCB" : "HTTPS");
    } else {
        snprintf(out, 16, "TYPE%u", type);
    }
    return out;
}

int type_parse(const char *text, uint16_t *ret_type)
{
    static const struct {
        const char *text;
        uint16_t type;
    } ours[] = {{"HTTPS", TYPE_HTTPS}, {"SVCB", TYPE_SVCB}, {"ANY", TYPE_ANY}};
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        if (strcasecmp(text, ours[i].text) == 0) {
            *ret_type = ours[i].type;
            return 0;
        }
    }
    ldns_rr_type type = ldns_get_rr_type_by_name(text);
    if (type == 0 || type > UINT16_MAX) {
        return -EINVAL;
    }
    *ret_type = (uint16_t)type;
    return 0;
}
