// SPDX-License-Identifier: Apache-2.0
#include "account/sessions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum {
    MINUTE_S = 60,
    SLOTS = 4096,
    ADDRESS = 16,
    SALTED = 64,
    USUAL_PASSES = 3,
    USUAL_KIB = 32 * 1024
};

struct sessions {
    struct session all[SESSIONS_MAX]; /* account "": free */
    struct hash_key key;              /* of the tries */
    int64_t minute;                   /* of the tries */
    uint8_t tries[SLOTS];
    uint8_t salt[SECRET_OCTETS]; /* of recipes that are none */
    struct secret invitation;    /* all zero: none */
    int64_t invited_s;           /* when it was made */
};

int sessions_new(struct sessions **ret_sessions)
{
    struct sessions *sessions = calloc(1, sizeof(*sessions));
    if (!sessions) {
        return -ENOMEM;
    }
    hash_key_random(&sessions->key);
    random_bytes(sessions->salt, sizeof(sessions->salt));
    *ret_sessions = sessions;
    return 0;
}

void sessions_free(struct sessions *sessions)
{
    free(sessions);
}

static bool count(struct sessions *sessions, uint64_t hash, uint8_t most)
{
    uint8_t *tries = &sessions->tries[hash % SLOTS];
    if (*tries >= most) {
        return false;
    }
    ++*tries;
    return true;
}

bool sessions_may_try(struct sessions *sessions, const struct session_try *attempt, int64_t now_s)
{
    uint8_t data[ADDRESS + ACCOUNT_NAME_MAX] = {0};
    size_t len = attempt->len < ADDRESS ? attempt->len : ADDRESS;
    size_t name = strnlen(attempt->account, ACCOUNT_NAME_MAX);
    size_t network = attempt->network < len ? attempt->network : len;
    if (sessions->minute != now_s / MINUTE_S) {
        sessions->minute = now_s / MINUTE_S;
        memset(sessions->tries, 0, sizeof(sessions->tries));
    }
    memcpy(data, attempt->client, len);
    memcpy(data + ADDRESS, attempt->account, name);
    return count(sessions, hash_keyed(&sessions->key, data, network), SESSION_TRIES_ALL) &&
           count(sessions, hash_keyed(&sessions->key, data, ADDRESS + name), SESSION_TRIES);
}

/* Random octets as text, and what is kept of them. */
static void new_text(char text[SECRET_DIGITS + 1], struct secret *ret_hash)
{
    uint8_t octets[SECRET_OCTETS];
    random_bytes(octets, sizeof(octets));
    secret_print(octets, sizeof(octets), text);
    secret_hash(text, SECRET_DIGITS, ret_hash);
}

static bool is_over(const struct session *session, int64_t now_s)
{
    return now_s - session->used_s > SESSION_IDLE_S || now_s - session->made_s > SESSION_WHOLE_S;
}

/* A free place, or the one that idled longest. */
static struct session *find_place(struct sessions *sessions)
{
    struct session *place = &sessions->all[0];
    for (size_t i = 0; i < SESSIONS_MAX && *place->account; i++) {
        struct session *other = &sessions->all[i];
        if (!*other->account || other->used_s < place->used_s) {
            place = other;
        }
    }
    return place;
}

void sessions_begin(struct sessions *sessions, const struct account *account, int64_t now_s,
                    char text[SECRET_DIGITS + 1])
{
    struct session *session = find_place(sessions);
    new_text(text, &session->hash);
    memcpy(session->account, account->name, sizeof(session->account));
    session->role = account->role;
    session->made_s = session->used_s = now_s;
}

static struct session *find(struct sessions *sessions, const char *text)
{
    struct secret hash;
    secret_hash(text, strlen(text), &hash);
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        struct session *session = &sessions->all[i];
        if (*session->account && secret_equal(&session->hash, &hash)) {
            return session;
        }
    }
    return NULL;
}

const struct session *sessions_find(struct sessions *sessions, const char *text, int64_t now_s,
                                    bool use)
{
    struct session *session = find(sessions, text);
    if (!session) {
        return NULL;
    }
    if (is_over(session, now_s)) {
        memset(session, 0, sizeof(*session));
        return NULL;
    }
    session->used_s = use ? now_s : session->used_s;
    return session;
}

void sessions_end(struct sessions *sessions, const char *text)
{
    struct session *session = find(sessions, text);
    if (session) {
        memset(session, 0, sizeof(*session));
    }
}

void sessions_end_of(struct sessions *sessions, const char *account, const struct session *but)
{
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        struct session *session = &sessions->all[i];
        if (session != but && strcmp(session->account, account) == 0) {
            memset(session, 0, sizeof(*session));
        }
    }
}

void sessions_fake_recipe(const struct sessions *sessions, const char *name,
                          struct recipe *ret_recipe)
{
    uint8_t data[SECRET_OCTETS + SALTED] = {0};
    struct secret hash;
    size_t len = strnlen(name, SALTED);
    memcpy(data, sessions->salt, SECRET_OCTETS);
    memcpy(data + SECRET_OCTETS, name, len);
    secret_hash(data, SECRET_OCTETS + len, &hash);
    memcpy(ret_recipe->salt, hash.octets, RECIPE_SALT);
    ret_recipe->passes = USUAL_PASSES;
    ret_recipe->kib = USUAL_KIB;
}

void sessions_invite(struct sessions *sessions, int64_t now_s, char text[SECRET_DIGITS + 1])
{
    new_text(text, &sessions->invitation);
    sessions->invited_s = now_s;
}

bool sessions_is_invited(const struct sessions *sessions, const char *text, int64_t now_s)
{
    struct secret hash;
    secret_hash(text, strlen(text), &hash);
    return secret_equal(&sessions->invitation, &hash) &&
           now_s - sessions->invited_s <= SESSION_INVITED_S;
}

void sessions_uninvite(struct sessions *sessions)
{
    memset(&sessions->invitation, 0, sizeof(sessions->invitation));
}
