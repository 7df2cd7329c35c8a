// SPDX-License-Identifier: Apache-2.0
#include "net/tls_peer.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

/* A struct tls_trust is an SSL_CTX, which counts its references by itself. */
static SSL_CTX *context_of(struct tls_trust *trust)
{
    return (SSL_CTX *)trust;
}

/* Keep a session that the server gave us for the next connection to it. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls_peer *peer = SSL_get_app_data(ssl);
    if (!peer) {
        return 0;
    }
    tls_peer_clear(peer);
    peer->session = session;
    return 1; /* the reference is ours */
}

static SSL_CTX *new_context(void)
{
    static const unsigned char dot[] = "\3dot";
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context) {
        return NULL;
    }
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    SSL_CTX_set_alpn_protos(context, dot, sizeof(dot) - 1);
    return context;
}

/* Read now and whole: a worker must not wait for a disk later. */
static bool load_system(SSL_CTX *context)
{
    const char *const files[] = {
        getenv(X509_get_default_cert_file_env()),
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        X509_get_default_cert_file(),
    };
    bool found = false;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !found; i++) {
        found = files[i] && SSL_CTX_load_verify_file(context, files[i]) == 1;
    }
    ERR_clear_error();
    return found;
}

int tls_trust_new(bool by_name, struct tls_trust **ret_trust, struct diag *diag)
{
    SSL_CTX *context = new_context();
    if (!context) {
        return diag_set(diag, -ENOMEM, "no memory for TLS");
    }
    if (by_name && !load_system(context)) {
        SSL_CTX_free(context);
        return diag_set(diag, -EINVAL,
                        "upstream: no certificates of this system were found, which tls:// needs: "
                        "install ca-certificates, or pin the server's key");
    }
    *ret_trust = (struct tls_trust *)context;
    return 0;
}

struct tls_trust *tls_trust_ref(struct tls_trust *trust)
{
    if (trust) {
        SSL_CTX_up_ref(context_of(trust));
    }
    return trust;
}

void tls_trust_unref(struct tls_trust *trust)
{
    SSL_CTX_free(context_of(trust));
}

void tls_peer_clear(struct tls_peer *peer)
{
    SSL_SESSION_free(peer->session);
    peer->session = NULL;
}

static bool expect(SSL *ssl, const struct tls_peer *peer)
{
    if (peer->name[0] && SSL_set_tlsext_host_name(ssl, peer->name) != 1) {
        return false;
    }
    if (peer->pinned) {
        return true;
    }
    SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (peer->name[0]) {
        return SSL_set1_host(ssl, peer->name) == 1;
    }
    size_t len = peer->addr.family == AF_INET ? 4 : 16;
    return X509_VERIFY_PARAM_set1_ip(SSL_get0_param(ssl), peer->addr.bytes, len) == 1;
}

SSL *tls_peer_connect(struct tls_peer *peer)
{
    SSL *ssl = SSL_new(context_of(peer->trust));
    if (ssl && !expect(ssl, peer)) {
        SSL_free(ssl);
        return NULL;
    }
    if (ssl) {
        SSL_set_app_data(ssl, peer);
        SSL_set_connect_state(ssl);
        if (peer->session) {
            (void)SSL_set_session(ssl, peer->session); /* else a full handshake */
        }
    }
    return ssl;
}

static bool has_pin(SSL *ssl, const uint8_t *pin)
{
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    unsigned char *der = NULL, digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    int der_len = certificate ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der) : -1;
    bool same = der_len > 0 &&
                EVP_Digest(der, (size_t)der_len, digest, &len, EVP_sha256(), NULL) == 1 &&
                len == TLS_PIN_SIZE && memcmp(digest, pin, TLS_PIN_SIZE) == 0;
    OPENSSL_free(der);
    return same;
}

int tls_peer_check(SSL *ssl)
{
    const struct tls_peer *peer = SSL_get_app_data(ssl);
    bool good = peer->pinned
                    ? has_pin(ssl, peer->pin)
                    : SSL_get0_peer_certificate(ssl) && SSL_get_verify_result(ssl) == X509_V_OK;
    return good ? 0 : -EACCES;
}
