// SPDX-License-Identifier: Apache-2.0
/* Any octets are a signature file: refused, or read within bounds, and never valid for a
 * list that nobody signed. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "blocklists/minisign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char key[] = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
    static struct minisign_file file = {-1, 1 << 20};
    struct minisign sign;
    file.fd = file.fd < 0 ? memfd_create("empty", MFD_CLOEXEC) : file.fd;
    if (size > MINISIGN_FILE_MAX || minisign_read((const char *)data, size, &sign, NULL) < 0) {
        return 0;
    }
    if (sign.serial < 0 || strlen(sign.mark) >= sizeof(sign.mark) ||
        strlen(sign.file) >= sizeof(sign.file) || minisign_verify(&sign, key, &file, NULL) == 0) {
        abort();
    }
    return 0;
}
