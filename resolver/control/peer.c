// SPDX-License-Identifier: Apache-2.0
#include "control/peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"

enum { LENGTH_OCTETS = 4 };

static void on_closed(uv_handle_t *handle)
{
    struct peer *peer = handle->data;
    if (--peer->open_handles == 0) {
        peer->owner->on_gone(peer->owner, peer);
        free(peer->out);
        free(peer);
    }
}

void peer_close(struct peer *peer)
{
    if (!peer->closing) {
        peer->closing = true;
        uv_close((uv_handle_t *)&peer->pipe, on_closed);
        uv_close((uv_handle_t *)&peer->timer, on_closed);
    }
}

static void on_time(uv_timer_t *timer)
{
    peer_close(timer->data);
}

static void wait_from_now(struct peer *peer)
{
    uv_timer_start(&peer->timer, on_time, peer->owner->idle_ms, 0);
}

static void on_sent(uv_write_t *request, int status)
{
    struct peer *peer = request->data;
    free(peer->out);
    peer->out = NULL;
    if (status < 0 || peer->last) {
        peer_close(peer);
    } else if (!peer->closing) {
        wait_from_now(peer);
        peer->resume(peer);
    }
}

/* Takes the reply over; NULL means that memory is short. */
static void send_reply(struct peer *peer, cJSON *reply)
{
    size_t len = 0;
    peer->out = reply ? client_frame(reply, &len) : NULL;
    cJSON_Delete(reply);
    if (!peer->out) {
        cJSON *error = control_error(CONTROL_FAILED, "the reply is too large, or memory is short");
        peer->out = error ? client_frame(error, &len) : NULL;
        cJSON_Delete(error);
    }
    if (!peer->out) {
        peer_close(peer);
        return;
    }
    wait_from_now(peer);
    uv_buf_t buf = uv_buf_init((char *)peer->out, (unsigned)len);
    peer->write.data = peer;
    if (uv_write(&peer->write, (uv_stream_t *)&peer->pipe, &buf, 1, on_sent) < 0) {
        peer_close(peer);
    }
}

/* Octets of the first frame, 0 when more must come, -EBADMSG. */
static int take_frame(struct peer *peer, cJSON **ret_request)
{
    if (peer->in_len >= LENGTH_OCTETS && load_u32(peer->in) > CONTROL_REQUEST_MAX) {
        return -EBADMSG;
    }
    int used = client_unframe(peer->in, peer->in_len, ret_request);
    if (used > 0) {
        peer->in_len -= (size_t)used;
        memmove(peer->in, peer->in + used, peer->in_len);
    }
    return used;
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
    struct peer *peer = handle->data;
    (void)suggested;
    *ret_buf =
        uv_buf_init((char *)peer->in + peer->in_len, (unsigned)(sizeof(peer->in) - peer->in_len));
}

static void take_data(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct peer *peer = stream->data;
    (void)buf;
    if (got < 0) {
        peer_close(peer);
    } else if (got > 0) {
        peer->in_len += (size_t)got;
        uv_read_stop(stream);
        peer->resume(peer);
    }
}

static void resume(struct peer *peer)
{
    cJSON *request = NULL;
    int used = take_frame(peer, &request);
    if (used < 0) {
        peer_refuse(peer, "not a request: 4 octets of length and a JSON object are expected");
    } else if (used > 0) {
        send_reply(peer,
                   control_answer(&peer->owner->backend,
                                  &(struct control_asker){
                                      .role = peer->role, .uid = peer->uid, .request = request}));
    } else if (uv_read_start((uv_stream_t *)&peer->pipe, give_room, take_data) < 0) {
        peer_close(peer);
    }
    cJSON_Delete(request);
}

int peer_accept(struct peer_owner *owner, uv_pipe_t *listener, struct peer **ret_peer)
{
    struct peer *peer = calloc(1, sizeof(*peer));
    if (!peer) {
        return -ENOMEM;
    }
    peer->owner = owner;
    peer->resume = resume;
    peer->pipe.data = peer;
    peer->timer.data = peer;
    int err = uv_pipe_init(listener->loop, &peer->pipe, 0);
    if (err < 0) {
        free(peer);
        return err;
    }
    uv_timer_init(listener->loop, &peer->timer); /* cannot fail */
    peer->open_handles = 2;
    /* From here on the peer exists and on_gone comes, whatever happens. */
    err = uv_accept((uv_stream_t *)listener, (uv_stream_t *)&peer->pipe);
    if (err < 0) {
        peer_close(peer);
    }
    *ret_peer = peer;
    return 0;
}

void peer_start(struct peer *peer, enum control_role role)
{
    peer->role = role;
    if (!peer->closing) {
        wait_from_now(peer);
        resume(peer);
    }
}

void peer_refuse(struct peer *peer, const char *why)
{
    peer->last = true;
    if (!peer->closing) {
        send_reply(peer, control_error(CONTROL_FAILED, why));
    }
}
