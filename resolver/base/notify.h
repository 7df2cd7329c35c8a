// SPDX-License-Identifier: Apache-2.0
/* notify: a word to the service manager (sd_notify(3)'s protocol: one datagram to the
 * socket named by NOTIFY_SOCKET). */
#pragma once
#include <stdbool.h>

bool notify_has_manager(void);

/* "READY=1" and the like; without a manager nothing happens. */
void notify_send(const char *state);

/* The same with a descriptor, for FDSTORE=1. */
void notify_send_fd(const char *state, int fd);

/* Does it expect a "WATCHDOG=1" from this process now and then? */
bool notify_is_watched(void);

/* How often: a third of its patience, at most `usual_ms`. */
unsigned notify_interval_ms(unsigned usual_ms);
