// SPDX-License-Identifier: Apache-2.0
/* proxy: which proxy a URL is asked through.
 *
 * Decided here, not by libcurl, since who connects to whom decides which addresses are
 * checked: behind a proxy that is the proxy's task. */
#pragma once

enum { PROXY_MAX = 1024 };

/* `setting` when it is not empty, else what the environment says, in the words of curl:
 * http_proxy, https_proxy, all_proxy, no_proxy. "" = none. -EINVAL: the URL has no host;
 * -ENAMETOOLONG. */
__attribute__((warn_unused_result)) int proxy_choose(const char *setting, const char *url,
                                                     char out[PROXY_MAX]);
