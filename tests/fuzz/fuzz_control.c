// SPDX-License-Identifier: Apache-2.0
/* What the control sockets read: a frame must be refused or survive being written
 * and read again. */
#include <stdlib.h>

#include "control/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    cJSON *message = NULL;
    cJSON *again = NULL;
    size_t size = 0;
    int used = client_unframe(data, len, &message);
    if (used <= 0) {
        return 0;
    }
    uint8_t *frame = client_frame(message, &size);
    if ((size_t)used > len || (frame && client_unframe(frame, size, &again) != (int)size)) {
        abort();
    }
    cJSON_Delete(again);
    cJSON_Delete(message);
    free(frame);
    return 0;
}
