// SPDX-License-Identifier: Apache-2.0
/* notify: a word to the service manager (sd_notify(3)'s protocol: one datagram to the
 * socket named by NOTIFY_SOCKET). */
#pragma once

/* "READY=1" and the like; without a manager nothing happens. */
void notify_send(const char *state);
