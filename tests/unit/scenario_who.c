// SPDX-License-Identifier: Apache-2.0
/* Words of scenarios about devices, who asks, and where addresses are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

/* place PREFIX [COUNTRY] [ASnumber] */
void say_place(struct scenario *scenario, char **words, size_t count)
{
    if (scenario->place_count == MMDB_PLACES_MAX || count < 3) {
        fail_here(scenario, "a place needs a prefix, and a country or network", words[0]);
    }
    struct mmdb_place *place = &scenario->places[scenario->place_count++];
    *place = (struct mmdb_place){.network = 0};
    snprintf(place->prefix, sizeof(place->prefix), "%s", words[1]);
    for (size_t i = 2; i < count; i++) {
        if (strlen(words[i]) == 2) {
            memcpy(place->country, words[i], 3);
        } else {
            place->network = (uint32_t)atoi(words[i] + 2);
        }
    }
}

/* device MAC|host:NAME ADDRESS ... */
void say_device(struct scenario *scenario, char **words, size_t count)
{
    struct member member;
    if (count < 3 || member_parse(words[1], &member) < 0 ||
        (member.kind != MEMBER_MAC && member.kind != MEMBER_HOST)) {
        fail_here(scenario, "a device needs a MAC or host:NAME, and addresses", words[0]);
    }
    for (size_t i = 2; i < count; i++) {
        struct world_device device = {.member = member};
        if (scenario->device_count == WORLD_DEVICES_MAX || addr_parse(words[i], &device.addr) < 0) {
            fail_here(scenario, "no address of a device", words[i]);
        }
        scenario->devices[scenario->device_count++] = device;
    }
}

/* says mac MAC | id NAME | nothing: what the questions from now on carry */
void say_who(struct scenario *scenario, char **words, size_t count)
{
    scenario->has_mac = false;
    scenario->id[0] = '\0';
    if (count == 3 && strcmp(words[1], "mac") == 0) {
        scenario->has_mac = member_parse_mac(words[2], strlen(words[2]), scenario->mac) == 0;
    } else if (count == 3 && strcmp(words[1], "id") == 0) {
        snprintf(scenario->id, sizeof(scenario->id), "%.63s", words[2]);
    } else if (strcmp(words[1], "nothing") != 0) {
        fail_here(scenario, "says mac MAC, id NAME, or nothing; not", words[1]);
    }
}
