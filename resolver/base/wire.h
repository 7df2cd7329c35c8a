// SPDX-License-Identifier: Apache-2.0
/* wire: bounds-checked reading and writing of network byte order.
 *
 * A write that does not fit sets the sticky `full` flag and changes nothing; a
 * read past the end sets `bad` and yields zeros. Both are tested once, at the end. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wire {
    uint8_t *data;
    size_t cap;
    size_t len;
    bool full;
};

static inline void wire_init(struct wire *wire, void *data, size_t cap)
{
    *wire = (struct wire){.data = data, .cap = cap};
}

static inline void wire_put(struct wire *wire, const void *data, size_t len)
{
    if (wire->full || len > wire->cap - wire->len) {
        wire->full = true;
        return;
    }
    memcpy(wire->data + wire->len, data, len);
    wire->len += len;
}

static inline void wire_put_u8(struct wire *wire, uint8_t value)
{
    wire_put(wire, &value, 1);
}

static inline void wire_put_u16(struct wire *wire, uint16_t value)
{
    const uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    wire_put(wire, bytes, sizeof(bytes));
}

static inline void wire_put_u32(struct wire *wire, uint32_t value)
{
    const uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                              (uint8_t)value};
    wire_put(wire, bytes, sizeof(bytes));
}

/* Overwrite two octets that were written before; at + 2 <= len. */
static inline void wire_patch_u16(struct wire *wire, size_t at, uint16_t value)
{
    if (at + 2 <= wire->len) {
        wire->data[at] = (uint8_t)(value >> 8);
        wire->data[at + 1] = (uint8_t)value;
    }
}

struct reader {
    const uint8_t *data;
    size_t len;
    size_t pos;
    bool bad;
};

static inline uint16_t load_u16(const uint8_t *at)
{
    return (uint16_t)((uint16_t)at[0] << 8 | at[1]);
}

static inline uint32_t load_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void store_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void store_u32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

/* The next len octets, or NULL and `bad` when fewer are left. */
static inline const uint8_t *reader_take(struct reader *reader, size_t len)
{
    if (reader->bad || len > reader->len - reader->pos) {
        reader->bad = true;
        return NULL;
    }
    const uint8_t *at = reader->data + reader->pos;
    reader->pos += len;
    return at;
}

static inline uint16_t reader_u16(struct reader *reader)
{
    const uint8_t *at = reader_take(reader, 2);
    return at ? load_u16(at) : 0;
}

static inline uint32_t reader_u32(struct reader *reader)
{
    const uint8_t *at = reader_take(reader, 4);
    return at ? load_u32(at) : 0;
}
