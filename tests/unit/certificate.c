// SPDX-License-Identifier: Apache-2.0
#include "certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static void add_extension(X509 *cert, int kind, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, kind, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

void certificate_make(const char *name, const char *cert_path, const char *key_path,
                      uint8_t ret_pin[32])
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    char alternatives[200];
    unsigned char *der = NULL;
    assert_non_null(key);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    snprintf(alternatives, sizeof(alternatives), "DNS:%s,IP:127.0.0.1", name);
    add_extension(cert, NID_subject_alt_name, alternatives);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    assert_int_equal(EVP_Digest(der, (size_t)len, ret_pin, NULL, EVP_sha256(), NULL), 1);
    FILE *out = fopen(cert_path, "w");
    assert_int_equal(PEM_write_X509(out, cert), 1);
    fclose(out);
    out = fopen(key_path, "w");
    assert_int_equal(PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(out);
    OPENSSL_free(der);
    X509_free(cert);
    EVP_PKEY_free(key);
}
