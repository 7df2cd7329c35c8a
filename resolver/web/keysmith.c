// SPDX-License-Identifier: Apache-2.0
#include "web/keysmith.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account/password.h"
#include "base/addr.h"

struct key {
    char password[PASSWORD_MOST + 1]; /* "": none is wanted */
    struct recipe recipe;
    struct secret secret;
};

struct job {
    uv_work_t work;
    struct keysmith *smith;
    struct exchange *exchange; /* NULL: the client is gone */
    void (*on_reply)(struct inquiry *inquiry, const cJSON *reply);
    cJSON *request;
    struct key old, fresh;
    bool asking; /* for the recipe: it is in no queue */
    int err;
    struct job *next;
};

struct keysmith {
    uv_loop_t *loop;
    struct inquiry_source *daemon;
    struct job *first, **last; /* the first is being worked on */
    unsigned count;
    bool closing;
};

static void free_job(struct job *job)
{
    if (job->exchange) {
        job->exchange->job = NULL;
        job->exchange->on_gone = NULL;
    }
    cJSON_Delete(job->request);
    password_wipe(&job->old, sizeof(job->old));
    password_wipe(&job->fresh, sizeof(job->fresh));
    free(job);
}

static void forget(struct exchange *exchange)
{
    struct job *job = exchange->job;
    job->exchange = NULL;
    if (job->asking) {
        free_job(job);
    }
}

static void reply_refusal(struct exchange *exchange,
                          void (*on_reply)(struct inquiry *inquiry, const cJSON *reply), int code,
                          const char *error)
{
    cJSON *reply = cJSON_CreateObject();
    cJSON_AddFalseToObject(reply, "ok");
    cJSON_AddStringToObject(reply, "error", error);
    cJSON_AddNumberToObject(reply, "exit", code);
    exchange->inquiry.owner = exchange;
    on_reply(&exchange->inquiry, reply);
    cJSON_Delete(reply);
}

/* Answer what the request cannot become, and free the job. */
static void refuse(struct job *job, int code, const char *error)
{
    struct exchange *exchange = job->exchange;
    void (*on_reply)(struct inquiry *, const cJSON *) = job->on_reply;
    free_job(job);
    if (exchange) {
        reply_refusal(exchange, on_reply, code, error);
    }
}

/* Keys instead of passwords. */
static void add_keys(struct job *job)
{
    char text[SECRET_DIGITS + 1];
    cJSON *request = job->request;
    if (*job->old.password) {
        secret_print(job->old.secret.octets, SECRET_OCTETS, text);
        cJSON_AddStringToObject(request, "key", text);
    }
    if (*job->fresh.password) {
        struct secret verifier;
        secret_hash(job->fresh.secret.octets, SECRET_OCTETS, &verifier);
        secret_print(verifier.octets, SECRET_OCTETS, text);
        cJSON_AddStringToObject(request, "verifier", text);
        secret_print(job->fresh.recipe.salt, RECIPE_SALT, text);
        cJSON_AddStringToObject(request, "salt", text);
        cJSON_AddNumberToObject(request, "passes", job->fresh.recipe.passes);
        cJSON_AddNumberToObject(request, "kib", job->fresh.recipe.kib);
    }
    password_wipe(text, sizeof(text));
}

static int derive(struct key *key)
{
    return *key->password ? password_derive(key->password, &key->recipe, &key->secret) : 0;
}

static void work(uv_work_t *work)
{
    struct job *job = work->data;
    job->err = derive(&job->old);
    if (job->err == 0) {
        job->err = derive(&job->fresh);
    }
}

static void begin_next(struct keysmith *smith);

static void work_done(uv_work_t *work, int status)
{
    struct job *job = work->data;
    struct keysmith *smith = job->smith;
    struct exchange *exchange = job->exchange;
    smith->first = job->next;
    smith->last = smith->first ? smith->last : &smith->first;
    smith->count--;
    if (exchange && !smith->closing && status == 0 && job->err == 0) {
        cJSON *request = job->request;
        add_keys(job);
        job->request = NULL;
        exchange->inquiry.on_reply = job->on_reply;
        exchange->inquiry.owner = exchange;
        free_job(job);
        inquiry_ask(smith->daemon, &exchange->inquiry, request);
    } else {
        job->exchange = smith->closing ? NULL : exchange;
        refuse(job, 1, "no memory for the password");
    }
    begin_next(smith);
}

static void begin_next(struct keysmith *smith)
{
    if (!smith->first) {
        if (smith->closing) {
            free(smith);
        }
        return;
    }
    if (uv_queue_work(smith->loop, &smith->first->work, work, work_done) < 0) {
        work_done(&smith->first->work, UV_ENOMEM);
    }
}

static void enqueue(struct job *job)
{
    struct keysmith *smith = job->smith;
    if (smith->closing || smith->count == KEYSMITH_WAITING_MAX) {
        refuse(job, 1, "too many sign in at once: try again in a moment");
        return;
    }
    *smith->last = job;
    smith->last = &job->next;
    if (smith->count++ == 0) {
        begin_next(smith);
    }
}

/* The daemon lets him try, and tells how the key of the account is made; or knows the session. */
static void leave_came(struct inquiry *inquiry, const cJSON *reply)
{
    struct exchange *exchange = inquiry->owner;
    struct job *job = exchange->job;
    struct recipe *recipe = &job->old.recipe;
    const char *salt = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(reply, "salt"));
    const cJSON *passes = cJSON_GetObjectItemCaseSensitive(reply, "passes");
    const cJSON *kib = cJSON_GetObjectItemCaseSensitive(reply, "kib");
    bool told = salt && secret_read(salt, recipe->salt, RECIPE_SALT) && cJSON_IsNumber(passes) &&
                cJSON_IsNumber(kib);
    if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(reply, "ok")) ||
        (!told && *job->old.password)) {
        void (*on_reply)(struct inquiry *, const cJSON *) = job->on_reply;
        free_job(job);
        on_reply(inquiry, reply); /* NULL, or why it does not want to */
        return;
    }
    recipe->passes = told ? (uint32_t)passes->valueint : 0;
    recipe->kib = told ? (uint32_t)kib->valueint : 0;
    job->asking = false;
    enqueue(job);
}

/* Nothing is worked for whoever may not even try. */
static void ask_leave(struct job *job)
{
    char print[ADDR_TEXT_MAX];
    struct exchange *exchange = job->exchange;
    struct addr client = exchange->client;
    const char *account =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(job->request, "account"));
    cJSON *request = cJSON_CreateObject();
    const cJSON *session = cJSON_GetObjectItemCaseSensitive(job->request, "session");
    client.port = 0;
    job->asking = true;
    if (session && !*job->old.password) {
        cJSON_AddStringToObject(request, "command", "session");
        cJSON_AddItemToObject(request, "session", cJSON_Duplicate(session, false));
    } else {
        cJSON_AddStringToObject(request, "command", "sign-in-begin");
        cJSON_AddStringToObject(request, "account", account ? account : "");
        cJSON_AddStringToObject(request, "client", addr_print(&client, print));
    }
    exchange->inquiry.on_reply = leave_came;
    exchange->inquiry.owner = exchange;
    inquiry_ask(job->smith->daemon, &exchange->inquiry, request);
}

/* Take a password out of the request; false: it is of no use. */
static bool take(cJSON *request, const char *member, struct key *key)
{
    cJSON *item = cJSON_DetachItemFromObjectCaseSensitive(request, member);
    const char *text = cJSON_GetStringValue(item);
    size_t len = text ? strlen(text) : 0;
    bool fits = !item || (len >= PASSWORD_LEAST && len <= PASSWORD_MOST);
    if (text && fits) {
        memcpy(key->password, text, len + 1);
    }
    if (item && text) {
        password_wipe(item->valuestring, len);
    }
    cJSON_Delete(item);
    return fits;
}

void keysmith_ask(struct keysmith *smith, struct exchange *exchange, cJSON *request,
                  void (*on_reply)(struct inquiry *inquiry, const cJSON *reply))
{
    struct job *job = calloc(1, sizeof(*job));
    if (!job) {
        cJSON_Delete(request);
        reply_refusal(exchange, on_reply, 1, "no memory");
        return;
    }
    *job = (struct job){
        .smith = smith, .exchange = exchange, .on_reply = on_reply, .request = request};
    job->work.data = job;
    exchange->job = job;
    exchange->on_gone = forget;
    const char *command =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(request, "command"));
    bool signs_in = strcmp(command, "sign-in") == 0;
    bool fits = take(request, "old", &job->old);
    fits = take(request, "password", signs_in ? &job->old : &job->fresh) && fits;
    if (!fits) {
        refuse(job, 2,
               signs_in ? "the name or the password is wrong"
                        : "password: 10 to 200 characters, Korean ones count threefold");
        return;
    }
    password_new_recipe(&job->fresh.recipe);
    if (*job->old.password || *job->fresh.password) {
        ask_leave(job);
    } else { /* an account that keeps its password */
        job->request = NULL;
        exchange->inquiry.on_reply = on_reply;
        exchange->inquiry.owner = exchange;
        free_job(job);
        inquiry_ask(smith->daemon, &exchange->inquiry, request);
    }
}

int keysmith_new(uv_loop_t *loop, struct inquiry_source *daemon, struct keysmith **ret_smith)
{
    struct keysmith *smith = calloc(1, sizeof(*smith));
    if (!smith) {
        return -ENOMEM;
    }
    smith->loop = loop;
    smith->daemon = daemon;
    smith->last = &smith->first;
    *ret_smith = smith;
    return 0;
}

void keysmith_free(struct keysmith *smith)
{
    if (!smith || smith->closing) {
        return;
    }
    smith->closing = true;
    if (smith->count == 0) {
        free(smith);
    }
}
