// SPDX-License-Identifier: Apache-2.0
/* apitable: the rows of api.def as data. */
#pragma once
#include "web/request.h"

enum api_how { API_PLAIN, API_KEYS, API_LOCAL };

enum api_kind { API_TEXT, API_NUMBER, API_FLAG, API_OBJECT, API_LIST };

struct api_row {
    enum request_method method;
    const char *path;
    const char *command; /* of the daemon */
    const char *members; /* that are taken, divided by blanks */
    enum api_how how;
    const char *summary;
};

extern const struct api_row api_rows[];
extern const size_t api_row_count;

/* The next name of a row's members, which is moved behind it; its length, 0 at the end. */
size_t apitable_next(const char **members, const char **ret_name);

/* Whether a row takes a member of this name. */
bool apitable_takes(const struct api_row *row, const char *name);

enum api_kind apitable_kind(const char *name, size_t len);
