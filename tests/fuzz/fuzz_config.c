// SPDX-License-Identifier: Apache-2.0
/* Any text is a configuration or an error with its place; one that loads can be
 * shown and is then again a configuration. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/config.h"
#include "config/show.h"
#include "config/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *config = NULL;
    struct config *again = NULL;
    struct diag diag = {0};
    char *text = NULL;
    size_t len = 0;
    if (config_parse(&(struct yaml_text){(const char *)data, size, "fuzz"}, &config, &diag) < 0) {
        return 0;
    }
    FILE *out = open_memstream(&text, &len);
    if (!out || config_show(config, &(struct show_options){0}, out) < 0 || fclose(out) != 0 ||
        config_parse(&(struct yaml_text){text, len, "shown"}, &again, &diag) < 0) {
        abort();
    }
    free(text);
    config_free(again);
    config_free(config);
    return 0;
}
