// SPDX-License-Identifier: Apache-2.0
#include "listen/gather.h"

#include <string.h>

#include "listen/connection.h"
#include "listen/tcp.h"

static void write_parts(struct connection *connection, const uv_buf_t *parts, unsigned count)
{
    int err = connection->secure ? tls_write(&connection->tls, parts, count)
                                 : stream_write(&connection->tls.stream, parts, count);
    if (err < 0) {
        stream_close(&connection->tls.stream);
    }
}

/* Write the replies gathered so far. */
static void flush(struct connection *connection)
{
    struct tcp_room *room = connection->room;
    const uv_buf_t part = uv_buf_init((char *)room->gathered, (unsigned)room->gathered_len);
    if (room->gathered_len && !connection->tls.stream.closing) {
        write_parts(connection, &part, 1);
    }
    room->gathered_len = 0;
}

/* Keep the reply for flush(); false when it is too long for that. */
static bool gather(struct connection *connection, const struct query *query)
{
    struct tcp_room *room = connection->room;
    if (query->out.len + 2 > TCP_GATHER_MAX - room->gathered_len) {
        flush(connection);
    }
    if (query->out.len + 2 > TCP_GATHER_MAX) {
        return false;
    }
    store_u16(room->gathered + room->gathered_len, (uint16_t)query->out.len);
    memcpy(room->gathered + room->gathered_len + 2, query->out.data, query->out.len);
    room->gathered_len += query->out.len + 2;
    return true;
}

struct connection *gather_begin(struct connection *connection)
{
    struct connection *outer = connection->room->serving;
    if (outer) {
        flush(outer);
    }
    connection->room->serving = connection;
    return outer;
}

void gather_end(struct connection *connection, struct connection *outer)
{
    flush(connection);
    connection->room->serving = outer;
}

void gather_send(struct query_channel *channel, const struct query *query)
{
    struct connection *connection = (struct connection *)channel;
    uint8_t length[2];
    if (connection->closed || connection->tls.stream.closing ||
        (connection->room->serving == connection && gather(connection, query)) ||
        connection->tls.stream.closing) {
        return;
    }
    store_u16(length, (uint16_t)query->out.len);
    const uv_buf_t parts[2] = {
        uv_buf_init((char *)length, sizeof(length)),
        uv_buf_init((char *)query->out.data, (unsigned)query->out.len),
    };
    write_parts(connection, parts, 2);
}
