// SPDX-License-Identifier: Apache-2.0
/* foreign: the readers of other filters' configurations. All run in a confined child. */
#pragma once
#include "tools/moving.h"

#include <stdint.h>

/* A whole file: its octets with a NUL behind them, and its name for messages. */
struct foreign_file {
    const char *path;
    int fd;
    const char *data; /* NULL when it is larger than is read as a whole */
    size_t len;
};

/* -EINVAL and the like with *diag: it is not of that program, or damaged. */
typedef int (*foreign_reader)(struct moving *moving, const struct foreign_file *file,
                              struct diag *diag);

int foreign_read_pihole(struct moving *moving, const struct foreign_file *file, struct diag *diag);
int foreign_read_adguard(struct moving *moving, const struct foreign_file *file, struct diag *diag);
int foreign_read_blocky(struct moving *moving, const struct foreign_file *file, struct diag *diag);
int foreign_read_dnsmasq(struct moving *moving, const struct foreign_file *file, struct diag *diag);

/* Lines of dnsmasq's configuration, of whatever file; `place` names it in the report. */
void foreign_take_dnsmasq(struct moving *moving, const char *text, const char *place);

/* Lines of a hosts file as records: "192.0.2.1 nas.lan nas". */
void foreign_take_hosts(struct moving *moving, const char *text);

/* Pi-hole's tables, name -> rows: of a database (a path, or octets when data is not NULL).
 * Only those that are there. -EBADMSG with *diag. */
struct foreign_database {
    const char *path;
    const uint8_t *data;
    size_t len;
};
__attribute__((warn_unused_result)) int foreign_read_tables(const struct foreign_database *from,
                                                            cJSON **ret_tables, struct diag *diag);

/* Turn these tables into lists, policies and rules. */
void foreign_take_tables(struct moving *moving, const cJSON *tables);

/* TOML, as much as pihole.toml has of it: "dns.upstreams" -> value. -EINVAL with *diag. */
__attribute__((warn_unused_result)) int foreign_read_toml(const char *text, cJSON **ret_values,
                                                          struct diag *diag);

/* One rule of an adblock list, as users write it; sets or policy are the caller's to add:
 * the rule is returned, or NULL when there is none. */
cJSON *foreign_take_adblock(struct moving *moving, const char *line);
