// SPDX-License-Identifier: Apache-2.0
#include "policy/geo.h"

#include <errno.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

enum { DATABASES = 2, COPY_AT_ONCE = 1 << 20, LETTERS = 26 };

static const size_t size_max = 256UL << 20;

struct geo {
    unsigned refs;
    uint64_t serial;
    MMDB_s databases[DATABASES];
    size_t count;
};

static int copy_file(int from, int to, size_t len)
{
    while (len > 0) {
        ssize_t done =
            copy_file_range(from, NULL, to, NULL, len < COPY_AT_ONCE ? len : COPY_AT_ONCE, 0);
        if (done <= 0) {
            return done < 0 ? -errno : -EBADMSG; /* it was cut short meanwhile */
        }
        len -= (size_t)done;
    }
    return 0;
}

/* Where the kernel cannot copy between the two file systems. */
static int copy_by_hand(int from, int to, size_t len)
{
    uint8_t octets[16384];
    while (len > 0) {
        ssize_t got = read(from, octets, len < sizeof(octets) ? len : sizeof(octets));
        if (got <= 0) {
            return got < 0 ? -errno : -EBADMSG;
        }
        if (write(to, octets, (size_t)got) != got) {
            return -ENOSPC;
        }
        len -= (size_t)got;
    }
    return 0;
}

/* All of a file into another, which is then sealed. */
static int fill(int from, int to)
{
    struct stat info = {0};
    if (fstat(from, &info) < 0) {
        return -errno;
    }
    if (!S_ISREG(info.st_mode) || (size_t)info.st_size > size_max) {
        return S_ISREG(info.st_mode) ? -EFBIG : -EINVAL;
    }
    size_t len = (size_t)info.st_size;
    int err = copy_file(from, to, len);
    if (err == -EXDEV || err == -EINVAL || err == -ENOSYS || err == -EOPNOTSUPP) {
        bool again =
            lseek(from, 0, SEEK_SET) == 0 && ftruncate(to, 0) == 0 && lseek(to, 0, SEEK_SET) == 0;
        err = again ? copy_by_hand(from, to, len) : -errno;
    }
    if (err == 0 && fcntl(to, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0) {
        err = -errno;
    }
    return err;
}

/* A sealed copy in memory; its descriptor. */
static int copy_to_memory(const char *path)
{
    int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (from < 0) {
        return -errno;
    }
    int to = memfd_create("geo", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int err = to < 0 ? -errno : fill(from, to);
    close(from);
    if (err < 0 && to >= 0) {
        close(to);
    }
    return err < 0 ? err : to;
}

static int open_database(const char *path, MMDB_s *database, struct diag *diag)
{
    char link[64];
    int fd = copy_to_memory(path);
    if (fd < 0) {
        diag_at(diag, path, 0, 0);
        return diag_set(diag, fd, "%s", strerror(-fd));
    }
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    int code = MMDB_open(link, MMDB_MODE_MMAP, database);
    close(fd);
    if (code != MMDB_SUCCESS) {
        diag_at(diag, path, 0, 0);
        return diag_set(diag, -EBADMSG, "%s", MMDB_strerror(code));
    }
    return 0;
}

int geo_open(const struct config *config, struct geo **ret_geo, struct diag *diag)
{
    const char *const paths[DATABASES] = {config->geo.database, config->geo.asn_database};
    *ret_geo = NULL;
    if (!*paths[0] && !*paths[1]) {
        return 0;
    }
    struct geo *geo = calloc(1, sizeof(*geo));
    int err = 0;
    if (!geo) {
        return diag_set(diag, -ENOMEM, "no memory");
    }
    for (size_t i = 0; i < DATABASES && err == 0; i++) {
        if (*paths[i]) {
            err = open_database(paths[i], &geo->databases[geo->count], diag);
            geo->count += err == 0;
        }
    }
    if (err < 0) {
        geo_unref(geo);
        return err;
    }
    geo->refs = 1;
    geo->serial = geo_mark(config);
    *ret_geo = geo;
    return 0;
}

void geo_ref(struct geo *geo)
{
    if (geo) {
        geo->refs++;
    }
}

void geo_unref(struct geo *geo)
{
    if (!geo || (geo->refs && --geo->refs)) {
        return;
    }
    for (size_t i = 0; i < geo->count; i++) {
        MMDB_close(&geo->databases[i]);
    }
    free(geo);
}

uint64_t geo_serial(const struct geo *geo)
{
    return geo ? geo->serial : 0;
}

uint64_t geo_mark(const struct config *config)
{
    const char *const paths[DATABASES] = {config->geo.database, config->geo.asn_database};
    uint64_t mark = 0;
    for (size_t i = 0; i < DATABASES; i++) {
        struct stat info = {0};
        if (*paths[i]) {
            int err = stat(paths[i], &info) < 0 ? errno : 0;
            const uint64_t words[] = {mark,
                                      (uint64_t)err,
                                      info.st_ino,
                                      (uint64_t)info.st_size,
                                      (uint64_t)info.st_mtim.tv_sec,
                                      (uint64_t)info.st_mtim.tv_nsec};
            mark = hash_seeded(i + 1, (const uint8_t *)words, sizeof(words)) | 1;
        }
    }
    return mark;
}

/* A text of the entry, as two letters; 0. */
static uint16_t read_country(MMDB_entry_s *entry, const char *const *path)
{
    MMDB_entry_data_s data;
    if (MMDB_aget_value(entry, &data, path) != MMDB_SUCCESS || !data.has_data ||
        data.type != MMDB_DATA_TYPE_UTF8_STRING || data.data_size != 2) {
        return 0;
    }
    uint16_t country = (uint16_t)((uint8_t)data.utf8_string[0] << 8 | (uint8_t)data.utf8_string[1]);
    return geo_country_index(country) ? country : 0;
}

/* MaxMind and DB-IP keep {country: {iso_code}}, others one text. */
static uint16_t find_country(MMDB_entry_s *entry)
{
    static const char *const where[][3] = {{"country", "iso_code", NULL},
                                           {"registered_country", "iso_code", NULL},
                                           {"country_code", NULL},
                                           {"country", NULL}};
    uint16_t country = 0;
    for (size_t i = 0; i < sizeof(where) / sizeof(where[0]) && !country; i++) {
        country = read_country(entry, where[i]);
    }
    return country;
}

static uint32_t number_of(const char *text, size_t len)
{
    uint64_t number = 0;
    size_t at = len > 2 && text[0] == 'A' && text[1] == 'S' ? 2 : 0;
    for (; at < len && text[at] >= '0' && text[at] <= '9' && number <= UINT32_MAX; at++) {
        number = number * 10 + (uint64_t)(text[at] - '0');
    }
    return at == len && number <= UINT32_MAX ? (uint32_t)number : 0;
}

static uint32_t find_network(MMDB_entry_s *entry)
{
    static const char *const number[] = {"autonomous_system_number", NULL};
    static const char *const text[] = {"asn", NULL};
    MMDB_entry_data_s data;
    if (MMDB_aget_value(entry, &data, number) == MMDB_SUCCESS && data.has_data) {
        return data.type == MMDB_DATA_TYPE_UINT32   ? data.uint32
               : data.type == MMDB_DATA_TYPE_UINT16 ? data.uint16
                                                    : 0;
    }
    if (MMDB_aget_value(entry, &data, text) == MMDB_SUCCESS && data.has_data &&
        data.type == MMDB_DATA_TYPE_UTF8_STRING) {
        return number_of(data.utf8_string, data.data_size);
    }
    return 0;
}

struct geo_place geo_find(const struct geo *geo, const struct addr *addr)
{
    struct geo_place place = {0};
    struct sockaddr_storage where;
    (void)addr_to_sockaddr(addr, &where);
    for (size_t i = 0; i < geo->count; i++) {
        int code = MMDB_SUCCESS;
        MMDB_lookup_result_s found =
            MMDB_lookup_sockaddr(&geo->databases[i], (struct sockaddr *)&where, &code);
        if (code != MMDB_SUCCESS || !found.found_entry) {
            continue; /* also of an IPv6 address in a database of IPv4 */
        }
        place.country = place.country ? place.country : find_country(&found.entry);
        place.network = place.network ? place.network : find_network(&found.entry);
    }
    return place;
}

const char *geo_country_text(uint16_t country, char out[GEO_COUNTRY_MAX])
{
    out[0] = (char)(country >> 8);
    out[1] = (char)(country & 0xff);
    out[2] = '\0';
    return out;
}

const char *geo_place_text(const struct geo_place *place, char out[GEO_PLACE_MAX])
{
    char country[GEO_COUNTRY_MAX] = "";
    int len = snprintf(out, GEO_PLACE_MAX, "%s",
                       place->country ? geo_country_text(place->country, country) : "");
    if (place->network) {
        snprintf(out + len, GEO_PLACE_MAX - (size_t)len, "%sAS%u", len ? " " : "", place->network);
    }
    return out;
}

unsigned geo_country_index(uint16_t country)
{
    unsigned first = (unsigned)(country >> 8) - 'A', second = (unsigned)(country & 0xff) - 'A';
    return first < LETTERS && second < LETTERS ? first * LETTERS + second + 1 : 0;
}

static int compare_networks(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

int geo_choice_read(const struct config_group *group, struct geo_choice *ret_choice)
{
    struct geo_choice choice = {.any = group->block_countries.count || group->block_networks.count};
    choice.networks = calloc(group->block_networks.count + 1, sizeof(*choice.networks));
    if (!choice.networks) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < group->block_countries.count; i++) {
        const char *text = group->block_countries.items[i];
        unsigned index = geo_country_index((uint16_t)(text[0] << 8 | text[1]));
        choice.countries[index / 64] |= 1ULL << index % 64;
    }
    for (size_t i = 0; i < group->block_networks.count; i++) {
        const char *text = group->block_networks.items[i];
        choice.networks[choice.network_count++] = number_of(text, strlen(text));
    }
    qsort(choice.networks, choice.network_count, sizeof(*choice.networks), compare_networks);
    *ret_choice = choice;
    return 0;
}

void geo_choice_clear(struct geo_choice *choice)
{
    free(choice->networks);
}

bool geo_choice_holds(const struct geo_choice *choice, const struct geo_place *place)
{
    unsigned index = geo_country_index(place->country);
    bool country = index && choice->countries[index / 64] >> index % 64 & 1;
    return country || (place->network && choice->network_count &&
                       bsearch(&place->network, choice->networks, choice->network_count,
                               sizeof(*choice->networks), compare_networks));
}
