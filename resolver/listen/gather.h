// SPDX-License-Identifier: Apache-2.0
/* gather: replies to the messages that came together are written together: a system call
 * and a segment, or a TLS record, for many (RFC 7766 section 8). */
#pragma once

struct connection;
struct query;
struct query_channel;

/* From now on replies of the connection are kept, until gather_end(). Returns whose were
 * kept until now, for gather_end(): an answer for one may let another go on. */
struct connection *gather_begin(struct connection *connection);

/* Write what was kept; the connection may be closing then. */
void gather_end(struct connection *connection, struct connection *outer);

/* `send` of the connection's channel: keep the reply, or write it at once. */
void gather_send(struct query_channel *channel, const struct query *query);
