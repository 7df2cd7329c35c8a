// SPDX-License-Identifier: Apache-2.0
#include "net/tls_identity.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <unistd.h>

/* A struct tls_identity is an SSL_CTX, which counts its references by itself. */
static SSL_CTX *context_of(struct tls_identity *identity)
{
    return (SSL_CTX *)identity;
}

/* RFC 7858 asks for no protocol name; who offers "dot" (RFC 9539) gets it. */
static int choose_protocol(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_len,
                           const unsigned char *offered, unsigned int len, void *context)
{
    static const unsigned char ours[] = "\3dot";
    unsigned char *chosen;
    (void)ssl;
    (void)context;
    int found = SSL_select_next_proto(&chosen, ret_len, ours, sizeof(ours) - 1, offered, len);
    *ret_name = chosen;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static SSL_CTX *new_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context) {
        return NULL;
    }
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    /* Clients resume by tickets, which cost us no memory. */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    return context;
}

static int say(struct diag *diag, const char *key, const char *path)
{
    int err = access(path, R_OK) < 0 ? -errno : -EINVAL;
    char text[160];
    unsigned long code = ERR_get_error();
    ERR_error_string_n(code, text, sizeof(text));
    ERR_clear_error();
    return diag_set(diag, err, "%s: %s: %s", key, path,
                    err != -EINVAL ? strerror(-err)
                    : code         ? text
                                   : "not what is needed");
}

int tls_identity_load(const char *certificate, const char *key, struct tls_identity **ret_identity,
                      struct diag *diag)
{
    SSL_CTX *context = new_context();
    int err = 0;
    if (!context) {
        return diag_set(diag, -ENOMEM, "no memory for TLS");
    }
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1) {
        err = say(diag, "dns.tls_cert", certificate);
    } else if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1 ||
               SSL_CTX_check_private_key(context) != 1) {
        err = say(diag, "dns.tls_key", key);
    }
    if (err < 0) {
        SSL_CTX_free(context);
        return err;
    }
    *ret_identity = (struct tls_identity *)context;
    return 0;
}

struct tls_identity *tls_identity_ref(struct tls_identity *identity)
{
    if (identity) {
        SSL_CTX_up_ref(context_of(identity));
    }
    return identity;
}

void tls_identity_unref(struct tls_identity *identity)
{
    SSL_CTX_free(context_of(identity));
}
