// SPDX-License-Identifier: Apache-2.0
#include "net/tls_context.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

enum { TICKETS_PER_HANDSHAKE = 1 };

static const unsigned char alpn_dot[] = "\3dot"; /* RFC 7858 section 8.1 */

/* Keep a session that the server gave us for the next connection to it. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    const struct tls *tls = SSL_get_app_data(ssl);
    struct tls_session *slot = tls && tls->peer ? tls->peer->session : NULL;
    if (!slot || tls->stream.closing) {
        return 0;
    }
    tls_session_clear(slot);
    slot->session = session;
    return 1; /* the reference is ours */
}

void tls_session_clear(struct tls_session *session)
{
    SSL_SESSION_free(session->session);
    session->session = NULL;
}

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned in_len, void *context)
{
    unsigned char *chosen;
    (void)ssl;
    (void)context;
    if (SSL_select_next_proto(&chosen, out_len, alpn_dot, sizeof(alpn_dot) - 1, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_NOACK; /* go on without: many clients offer others */
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static struct tls_context *context_new(const SSL_METHOD *method)
{
    struct tls_context *context = calloc(1, sizeof(*context));
    if (context) {
        context->ssl = SSL_CTX_new(method);
    }
    if (!context || !context->ssl) {
        free(context);
        return NULL;
    }
    SSL_CTX_set_min_proto_version(context->ssl, TLS1_2_VERSION);
    SSL_CTX_set_options(context->ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                          SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context->ssl, SSL_MODE_RELEASE_BUFFERS);
    return context;
}

/* What OpenSSL thought last, in words; "PEM lib" and its like say nothing to a person. */
static const char *last_reason(const char *what)
{
    unsigned long code = ERR_peek_last_error();
    const char *text = ERR_reason_error_string(code);
    return !text || ERR_GET_LIB(code) != ERR_LIB_SSL || ERR_GET_REASON(code) & ERR_RFLAG_COMMON
               ? what
               : text;
}

/* OpenSSL would say "system lib", and wait for whoever writes into a pipe. */
static int look_at(const char *path, struct diag *diag)
{
    struct stat info = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int err = fd < 0 || fstat(fd, &info) < 0 ? -errno : 0;
    if (fd >= 0) {
        close(fd);
    }
    if (err < 0) {
        return diag_set(diag, err, "%s: %s", path, strerror(-err));
    }
    return S_ISREG(info.st_mode) ? 0 : diag_set(diag, -EINVAL, "%s: not a file", path);
}

static int load_pair(SSL_CTX *ssl, const char *certificate, const char *key, struct diag *diag)
{
    ERR_clear_error();
    int err = look_at(certificate, diag);
    err = err < 0 ? err : look_at(key, diag);
    if (err < 0) {
        return err;
    }
    SSL_CTX_set_default_passwd_cb_userdata(ssl, ""); /* never ask the terminal for one */
    if (SSL_CTX_use_certificate_chain_file(ssl, certificate) != 1) {
        return diag_set(diag, -EINVAL, "%s: %s", certificate, last_reason("not a PEM certificate"));
    }
    if (SSL_CTX_use_PrivateKey_file(ssl, key, SSL_FILETYPE_PEM) != 1) {
        return diag_set(diag, -EINVAL, "%s: %s", key,
                        last_reason("not a PEM key without a password"));
    }
    if (SSL_CTX_check_private_key(ssl) != 1) {
        return diag_set(diag, -EINVAL, "%s is not the key of %s", key, certificate);
    }
    return 0;
}

int tls_context_server(const char *certificate, const char *key, struct tls_context **ret_context,
                       struct diag *diag)
{
    struct tls_context *context = context_new(TLS_server_method());
    if (!context) {
        return -ENOMEM;
    }
    int err = load_pair(context->ssl, certificate, key, diag);
    if (err < 0) {
        ERR_clear_error();
        tls_context_free(context);
        return err;
    }
    /* Tickets alone: a store of sessions would grow with strangers. */
    SSL_CTX_set_session_cache_mode(context->ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context->ssl, TICKETS_PER_HANDSHAKE);
    SSL_CTX_set_alpn_select_cb(context->ssl, choose_alpn, NULL);
    *ret_context = context;
    return 0;
}

int tls_context_client(struct tls_context **ret_context)
{
    struct tls_context *context = context_new(TLS_client_method());
    if (!context) {
        return -ENOMEM;
    }
    SSL_CTX_set_session_cache_mode(context->ssl,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context->ssl, keep_session);
    SSL_CTX_set_alpn_protos(context->ssl, alpn_dot, sizeof(alpn_dot) - 1);
    *ret_context = context;
    return 0;
}

int tls_context_trust_system(struct tls_context *context, struct diag *diag)
{
    const char *const files[] = {
        getenv(X509_get_default_cert_file_env()),
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/cert.pem",
        X509_get_default_cert_file(),
    };
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !context->trusts_system; i++) {
        /* Read now and whole: a worker must not wait for a disk later. */
        context->trusts_system = files[i] && SSL_CTX_load_verify_file(context->ssl, files[i]) == 1;
    }
    ERR_clear_error();
    return context->trusts_system
               ? 0
               : diag_set(diag, -ENOENT,
                          "no certificates of this system were found (Debian: install "
                          "ca-certificates); tls:// upstreams need them, or a pin");
}

struct tls_context *tls_context_share(const struct tls_context *context)
{
    struct tls_context *share = malloc(sizeof(*share));
    if (share) {
        *share = *context;
        SSL_CTX_up_ref(share->ssl);
    }
    return share;
}

void tls_context_free(struct tls_context *context)
{
    if (context) {
        SSL_CTX_free(context->ssl);
        free(context);
    }
}

static int expect_address(SSL *ssl, const struct addr *addr)
{
    return X509_VERIFY_PARAM_set1_ip(SSL_get0_param(ssl), addr->bytes,
                                     addr->family == AF_INET ? 4 : 16);
}

int tls_expect(struct tls *tls, const struct addr *addr)
{
    const struct tls_peer *peer = tls->peer;
    int good = 1;
    if (peer->name) {
        good = SSL_set_tlsext_host_name(tls->ssl, peer->name) == 1;
    }
    if (!peer->pin) {
        SSL_set_verify(tls->ssl, SSL_VERIFY_PEER, NULL);
        SSL_set_hostflags(tls->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        good &= peer->name ? SSL_set1_host(tls->ssl, peer->name) == 1
                           : expect_address(tls->ssl, addr) == 1;
    }
    if (good && peer->session && peer->session->session) {
        good = SSL_set_session(tls->ssl, peer->session->session) == 1;
    }
    return good ? 0 : -EINVAL;
}

/* RFC 7858 section 4.2: the digest of the SubjectPublicKeyInfo of its certificate. */
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

int tls_check_peer(const struct tls *tls)
{
    if (!tls->peer) {
        return 0;
    }
    if (tls->peer->pin) {
        return has_pin(tls->ssl, tls->peer->pin) ? 0 : -EACCES;
    }
    return SSL_get0_peer_certificate(tls->ssl) && SSL_get_verify_result(tls->ssl) == X509_V_OK
               ? 0
               : -EACCES;
}
