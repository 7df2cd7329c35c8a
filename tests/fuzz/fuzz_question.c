// SPDX-License-Identifier: Apache-2.0
/* A client's packet: parsed, and whatever is answered is a whole message. */
#include <stddef.h>
#include <stdlib.h>

#include "dns/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct question question;
    uint8_t octets[2048];
    struct wire out;
    enum question_outcome outcome = question_parse(data, size, &question);
    wire_init(&out, octets, sizeof(octets));
    if (outcome == QUESTION_OK || outcome == QUESTION_BADVERS) {
        const struct reply_error why = {EDE_FILTERED, "adult list 00000000"};
        reply_begin(&out, &question, data, RCODE_NXDOMAIN);
        reply_add_soa(&out, 10);
        reply_end(&out, &question, RCODE_NXDOMAIN, &why);
        size_t pos = DNS_HEADER + question.wire_len;
        struct rr rr;
        unsigned records = load_u16(octets + 8) + (unsigned)load_u16(octets + 10);
        while (records-- > 0) {
            if (rr_read(octets, out.len, &pos, &rr) < 0) {
                abort();
            }
        }
        if (out.full || pos != out.len) {
            abort();
        }
        reply_fit_udp(&out, &question);
    } else if (outcome != QUESTION_DROP) {
        reply_bare(&out, &question, RCODE_FORMERR);
    }
    return 0;
}
