// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "blocklists/entry.h"
#include "tools/cli.h"

int cli_parse_name(const char *text, struct dname *ret_name)
{
    size_t len = strlen(text);
    if (entry_parse(text, len, ret_name) == SKIP_NONE) {
        return 0;
    }
    /* What no list may name, a person may: a single label, "localhost". */
    bool is_name = !entry_is_address(text, len) && dname_parse(text, ret_name) == 0;
    return is_name && ret_name->labels > 0 ? 0 : -EINVAL;
}
