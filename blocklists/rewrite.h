// SPDX-License-Identifier: Apache-2.0
/* rewrite: what Adblock's $dnsrewrite= answers instead. */
#pragma once
#include "blocklists/rdata.h"
#include "blocklists/scan.h"

/* modifier: "dnsrewrite" or "dnsrewrite=VALUE". Sets action and data of the rule; data
 * lies in `record`. An address or name to go to is a mapping unless the source may give
 * local data; what has no action of ours is SKIP_MODIFIER. */
enum skip_reason rewrite_read(const struct line_sink *sink, const struct span *modifier,
                              struct sink_rule *rule, uint8_t record[RDATA_RECORD_MAX]);
