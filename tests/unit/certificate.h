// SPDX-License-Identifier: Apache-2.0
/* certificate: self-signed certificates for tests of TLS. */
#pragma once
#include <stdint.h>

/* Write a new key and a certificate for DNS name `name` and address 127.0.0.1 into files;
 * ret_pin gets the SHA-256 of its public key. */
void certificate_make(const char *name, const char *cert_path, const char *key_path,
                      uint8_t ret_pin[32]);
