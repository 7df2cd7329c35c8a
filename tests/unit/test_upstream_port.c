// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/yaml.h"
#include "upstream/flight.h"
#include "upstream/plan.h"

enum { OCTET = 0x39, PORT = OCTET << 8 | OCTET };

static void on_done(struct upstream_waiter *waiter, const struct upstream_result *result)
{
    (void)waiter;
    (void)result;
}

static bool port_is_free(void)
{
    struct addr addr;
    struct sockaddr_storage sa;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(addr_parse("127.0.0.1", &addr), 0);
    addr.port = PORT;
    int bound = bind(fd, (struct sockaddr *)&sa, addr_to_sockaddr(&addr, &sa));
    close(fd);
    return bound == 0;
}

static struct upstream_plan *plan_of(const char *server)
{
    char text[128];
    struct config *config;
    struct upstream_plan *plan;
    int len = snprintf(text, sizeof(text), "upstream: {servers: [\"%s\"]}\n", server);
    const struct yaml_text yaml = {text, (size_t)len, "test"};
    assert_int_equal(config_parse(&yaml, &config, NULL), 0);
    assert_int_equal(upstream_plan_new(config, &plan, NULL), 0);
    config_free(config);
    return plan;
}

/* A server of this host that is not there: a socket on its very port would be connected
 * to itself, and the server could not start. Every draw of the pool is that port. */
static void the_servers_own_port_is_left_alone(void **state)
{
    (void)state;
    uv_loop_t loop;
    char server[64];
    assert_int_equal(uv_loop_init(&loop), 0);
    const struct upstream_setup setup = {.loop = &loop, .clock = &clock_system};
    struct upstream *upstream = upstream_new(&setup);
    assert_non_null(upstream);
    snprintf(server, sizeof(server), "udp://127.0.0.1:%d", PORT);
    upstream_configure(upstream, plan_of(server));
    memset(upstream->random, OCTET, sizeof(upstream->random));
    upstream->random_left = sizeof(upstream->random);

    struct ask ask = {.type = TYPE_A};
    struct upstream_waiter waiter = {.done = on_done};
    assert_true(port_is_free());
    assert_int_equal(dname_parse("example.org", &ask.name), 0);
    assert_int_equal(upstream_ask(upstream, &ask, &waiter), 0);
    assert_true(upstream->random_left > 0); /* all was drawn from it */
    assert_true(port_is_free());

    upstream_stop(upstream);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_servers_own_port_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
