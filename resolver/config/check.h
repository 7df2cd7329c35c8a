// SPDX-License-Identifier: Apache-2.0
/* check: what a text of the configuration must look like.
 *
 * Each function stands in settings.def by the part of its name after "check_". It
 * returns NULL when the text is fine, else the end of the sentence "'x' is ...". */
#pragma once

const char *check_any(const char *text);
const char *check_path(const char *text);
const char *check_path_list(const char *text);
const char *check_file(const char *text);
const char *check_socket(const char *text);
const char *check_address(const char *text);
const char *check_client(const char *text);
const char *check_prefix(const char *text);
const char *check_member(const char *text);
const char *check_upstream(const char *text);
const char *check_ipv4(const char *text);
const char *check_ipv6(const char *text);
const char *check_name(const char *text);
const char *check_record(const char *text);
const char *check_zone(const char *text);
const char *check_id(const char *text);
const char *check_url(const char *text);
const char *check_page_url(const char *text); /* https://, or "" */
const char *check_category(const char *text);
const char *check_language(const char *text);
const char *check_window(const char *text);     /* "19:00-07:00", "19:00-07:00 UTC", "" */
const char *check_proxy(const char *text);      /* or "" */
const char *check_folder(const char *text);     /* a path, or "" */
const char *check_public_key(const char *text); /* of minisign, or "" */

/* Maps as keyed.h keeps them, see config/schedule.h. */
const char *check_schedule(const char *text);
const char *check_bell(const char *text);
const char *check_dates(const char *text);
const char *check_category_mode(const char *text); /* "games zero" */
const char *check_country(const char *text);       /* "KR" */
const char *check_network(const char *text);       /* "AS64500" */
const char *check_timezone(const char *text);      /* or "" */
