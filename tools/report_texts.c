// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/check.h"
#include "base/datafile.h"
#include "config/value.h"
#include "tools/report.h"

enum { TEXT_MAX = 600 };

struct report_texts {
    struct yaml_node *root; /* id: {language: text} */
};

static int check_entry(const struct yaml_node *entry, const struct complaint *to)
{
    if (entry->kind != YAML_MAP || entry->count == 0) {
        return complain(to, entry, "%s: expected texts by language", entry->key);
    }
    for (const struct yaml_node *text = entry->first; text; text = text->next) {
        const char *why = check_language(text->key);
        if (why) {
            return complain(to, text, "'%.40s' is %s", text->key, why);
        }
        if (text->kind != YAML_SCALAR || !*text->text || strlen(text->text) > TEXT_MAX) {
            return complain(to, text, "expected a text of at most %d octets", TEXT_MAX);
        }
    }
    return 0;
}

int report_texts_load(const char *data_dir, struct report_texts **ret_texts, struct diag *diag)
{
    char path[4096];
    struct yaml_node *root = NULL;
    const struct complaint to = {path, diag};
    datafile_path(data_dir, "report.yaml", path, sizeof(path));
    int err = yaml_read(path, &root, diag);
    if (err == 0 && root->kind != YAML_MAP) {
        err = complain(&to, root, "expected a map of texts");
    }
    const struct yaml_node *entry = err == 0 ? root->first : NULL;
    for (; entry && err == 0; entry = entry->next) {
        err = check_entry(entry, &to);
    }
    struct report_texts *texts = err == 0 ? calloc(1, sizeof(*texts)) : NULL;
    if (!texts) {
        yaml_free(root);
        return err < 0 ? err : -ENOMEM;
    }
    texts->root = root;
    *ret_texts = texts;
    return 0;
}

void report_texts_free(struct report_texts *texts)
{
    if (texts) {
        yaml_free(texts->root);
        free(texts);
    }
}

bool report_texts_speak(const struct report_texts *texts, const char *language)
{
    bool speaks = texts->root->first != NULL;
    for (const struct yaml_node *entry = texts->root->first; entry; entry = entry->next) {
        speaks = speaks && yaml_get_text(entry, language);
    }
    return speaks;
}

const char *report_say(const struct report *report, const char *id)
{
    const struct yaml_node *entry = yaml_get(report->texts->root, id);
    const char *text = entry ? yaml_get_text(entry, report->language) : NULL;
    return text ? text : id;
}
