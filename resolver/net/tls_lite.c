// SPDX-License-Identifier: Apache-2.0
/* The whole of tls.h for builds without OpenSSL (make LITE=1): no context can be made, so
 * none of the rest is ever reached with one. */
#include "net/tls.h"

#include <errno.h>

static int refuse(struct diag *diag)
{
    return diag_set(diag, -ENOTSUP,
                    "this greengate was built without TLS (lite): use udp:// or tcp:// servers and "
                    "no dns.tls_listen, or install the full package");
}

int tls_context_server(const char *certificate, const char *key, struct tls_context **ret_context,
                       struct diag *diag)
{
    (void)certificate, (void)key, (void)ret_context;
    return refuse(diag);
}

int tls_context_client(struct tls_context **ret_context)
{
    (void)ret_context;
    return -ENOTSUP;
}

int tls_context_trust_system(struct tls_context *context, struct diag *diag)
{
    (void)context;
    return refuse(diag);
}

struct tls_context *tls_context_share(const struct tls_context *context)
{
    (void)context;
    return NULL;
}

void tls_context_free(struct tls_context *context)
{
    (void)context;
}

void tls_session_clear(struct tls_session *session)
{
    (void)session;
}

int tls_init(struct tls *tls, uv_loop_t *loop, const struct tls_events *events, void *owner)
{
    (void)tls, (void)loop, (void)events, (void)owner;
    return -ENOTSUP;
}

int tls_accept(struct tls *tls, uv_stream_t *listener, struct tls_context *context)
{
    (void)tls, (void)listener, (void)context;
    return -ENOTSUP;
}

int tls_serve(struct tls *tls, struct tls_context *context)
{
    (void)tls, (void)context;
    return -ENOTSUP;
}

int tls_connect(struct tls *tls, const struct addr *addr, struct tls_context *context,
                const struct tls_peer *peer)
{
    (void)tls, (void)addr, (void)context, (void)peer;
    return -ENOTSUP;
}

int tls_write(struct tls *tls, const uv_buf_t *parts, unsigned count)
{
    (void)tls, (void)parts, (void)count;
    return -ENOTSUP;
}

void tls_read_stop(struct tls *tls)
{
    (void)tls;
}

int tls_read_start(struct tls *tls)
{
    (void)tls;
    return -ENOTSUP;
}

void tls_deadline(struct tls *tls, uint64_t in_ms)
{
    (void)tls, (void)in_ms;
}

void tls_finish(struct tls *tls)
{
    (void)tls;
}

void tls_close(struct tls *tls)
{
    (void)tls;
}

const char *tls_asked_name(const struct tls *tls)
{
    (void)tls;
    return "";
}

bool tls_is_resumed(const struct tls *tls)
{
    (void)tls;
    return false;
}
