// SPDX-License-Identifier: Apache-2.0
#include "control/client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/wire.h"

enum { LENGTH_OCTETS = 4 };

uint8_t *client_frame(const cJSON *message, size_t *ret_len)
{
    uint8_t *frame = NULL;
    char *text = cJSON_PrintUnformatted(message);
    if (!text) {
        return NULL;
    }
    size_t len = strlen(text);
    if (len <= CLIENT_FRAME_MAX) {
        frame = malloc(LENGTH_OCTETS + len);
    }
    if (frame) {
        struct wire wire;
        wire_init(&wire, frame, LENGTH_OCTETS + len);
        wire_put_u32(&wire, (uint32_t)len);
        wire_put(&wire, text, len);
        *ret_len = wire.len;
    }
    cJSON_free(text);
    return frame;
}

int client_unframe(const uint8_t *data, size_t len, cJSON **ret_message)
{
    if (len < LENGTH_OCTETS) {
        return 0;
    }
    size_t size = load_u32(data);
    if (size < 2 || size > CLIENT_FRAME_MAX) {
        return -EBADMSG;
    }
    if (len - LENGTH_OCTETS < size) {
        return 0;
    }
    const char *text = (const char *)data + LENGTH_OCTETS;
    const char *end = NULL;
    if (memchr(text, '\0', size)) {
        return -EBADMSG; /* cJSON takes it for a blank */
    }
    cJSON *message = cJSON_ParseWithLengthOpts(text, size, &end, false);
    /* One object and nothing else: what follows it would be lost. */
    if (!cJSON_IsObject(message) || end != text + size) {
        cJSON_Delete(message);
        return -EBADMSG;
    }
    *ret_message = message;
    return (int)(LENGTH_OCTETS + size);
}

int client_web_socket(const char *control_socket, char *out, size_t cap)
{
    const char *slash = strrchr(control_socket, '/');
    int folder = slash ? (int)(slash + 1 - control_socket) : 0;
    if (strcmp(control_socket + folder, "web.sock") == 0) {
        return -EINVAL;
    }
    struct sockaddr_un place;
    int len = snprintf(out, cap, "%.*sweb.sock", folder, control_socket);
    bool fits = len > 0 && (size_t)len < cap && (size_t)len < sizeof(place.sun_path);
    return fits ? 0 : -ENAMETOOLONG;
}
