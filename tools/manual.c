// SPDX-License-Identifier: Apache-2.0
#include "tools/manual.h"

#include <ctype.h>
#include <string.h>

#include "base/mdoc.h"
#include "tools/command.h"

static const char head[] =
    ".Sh NAME\n"
    ".Nm greengate\n"
    ".Nd ask and steer the filtering DNS resolver greengated\n"
    ".Sh SYNOPSIS\n"
    ".Nm\n"
    ".Op Fl c Ar file\n"
    ".Op Fl -json\n"
    ".Op Fl -quiet\n"
    ".Ar command\n"
    ".Op Ar argument ...\n"
    ".Nm\n"
    ".Op Ar command\n"
    ".Fl -help\n"
    ".Nm\n"
    ".Fl -version\n"
    ".Sh DESCRIPTION\n"
    ".Nm\n"
    "tells what\n"
    ".Xr greengated 8\n"
    "does and why, makes local rules, fetches and compiles the blocklists, and looks after\n"
    "accounts, backups and the configuration.\n"
    ".Pp\n"
    "The options, which may stand anywhere before\n"
    ".Fl - :\n"
    ".Bl -tag -width Ds\n"
    ".It Fl c Ar file\n"
    "The configuration instead of\n"
    ".Pa /etc/greengate/greengate.yaml .\n"
    ".It Fl -json\n"
    "One JSON value as the result, errors too.\n"
    ".It Fl -quiet\n"
    "Print no result; the exit status tells.\n"
    ".It Fl h , -help\n"
    "Tell about a command, or list them.\n"
    ".It Fl -version\n"
    "Print the version and end.\n"
    ".El\n"
    ".Pp\n"
    "Most commands speak with the running daemon over its control socket: root, the daemon's user\n"
    "and the members of its group may do that.\n"
    ".Cm check , lists , update , rollback , config , services , firewall , import , setup\n"
    "and\n"
    ".Cm backup\n"
    "work without it.\n"
    ".Pp\n"
    "A name is taken as people type or paste it: in any case, in Unicode, with\n"
    ".Ql *.\n"
    "before it, or as the web address of a page there.\n"
    ".Sh COMMANDS\n"
    ".Bl -tag -width Ds\n";

static const char tail[] =
    ".El\n"
    ".Sh ENVIRONMENT\n"
    ".Bl -tag -width Ds\n"
    ".It Ev GREENGATE_DATA\n"
    "For\n"
    ".Cm lists compile ,\n"
    "which the build uses: the folder of the catalogue.\n"
    ".It Ev NO_COLOR\n"
    "If set, nothing is coloured.\n"
    ".It Ev https_proxy , no_proxy\n"
    "For\n"
    ".Cm update ,\n"
    "while\n"
    ".Cm lists.proxy\n"
    "is empty.\n"
    ".El\n"
    ".Sh FILES\n"
    ".Bl -tag -width Ds\n"
    ".It Pa /etc/greengate/greengate.yaml\n"
    "The configuration, see\n"
    ".Xr greengate.yaml 5 ;\n"
    ".Pa conf.d/*.yaml\n"
    "beside it is read after it.\n"
    ".It Pa /var/lib/greengate\n"
    "Lists, local rules, accounts, statistics.\n"
    ".It Pa /run/greengate/control.sock\n"
    "Where the daemon listens.\n"
    ".El\n"
    ".Sh EXIT STATUS\n"
    ".Bl -tag -width Ds -compact\n"
    ".It 0\n"
    "Done.\n"
    ".It 1\n"
    "Failed.\n"
    ".It 2\n"
    "Wrong usage.\n"
    ".It 3\n"
    "The daemon cannot be reached.\n"
    ".It 4\n"
    "The configuration is invalid.\n"
    ".It 5\n"
    "A list, or the audit log, could not be verified; of a list the old one stays in force.\n"
    ".It 6\n"
    "Partly done.\n"
    ".It 10\n"
    "With\n"
    ".Fl -quiet :\n"
    "the name is blocked, or the state is not protected.\n"
    ".El\n"
    ".Sh EXAMPLES\n"
    "Why is a name blocked for a device, and let it through for an afternoon:\n"
    ".Bd -literal -offset indent\n"
    "greengate check games.example --client 10.1.0.7\n"
    "greengate allow games.example --for 4h --note \"open day\"\n"
    ".Ed\n"
    ".Pp\n"
    "Lists to begin with:\n"
    ".Bd -literal -offset indent\n"
    "greengate lists presets\n"
    "greengate lists add --preset school\n"
    "greengate update\n"
    ".Ed\n"
    ".Sh SEE ALSO\n"
    ".Xr greengate-blockdb 5 ,\n"
    ".Xr greengate.yaml 5 ,\n"
    ".Xr greengate-web 8 ,\n"
    ".Xr greengated 8\n"
    ".Pp\n"
    ".Pa /usr/share/doc/greengate ,\n"
    "where json.md tells what\n"
    ".Fl -json\n"
    "prints.\n";

/* "ko|en" as arguments of a macro. */
static void put_choice(const struct command_token *token, FILE *out)
{
    for (size_t at = 0; at < token->len;) {
        size_t len = 0;
        while (at + len < token->len && token->text[at + len] != '|') {
            len++;
        }
        fputs(at > 0 ? " | " : "", out);
        mdoc_word(token->text + at, len, out);
        at += len + 1;
    }
}

static void put_token(const struct command_token *token, FILE *out)
{
    switch (token->kind) {
    case TOKEN_OPEN: fputs(" Oo", out); break;
    case TOKEN_CLOSE: fputs(" Oc", out); break;
    case TOKEN_BAR: fputs(" |", out); break;
    case TOKEN_COMMA: fputs(" ,", out); break;
    case TOKEN_DOTS: fputs(" ...", out); break;
    case TOKEN_OPTION: fprintf(out, " Fl %.*s", (int)token->len - 1, token->text + 1); break;
    case TOKEN_WORD:
        fputs(" Cm ", out);
        put_choice(token, out);
        break;
    default: fputs(" Ar ", out); mdoc_word(token->text, token->len, out);
    }
}

/* A usage text behind a macro. */
static void put_usage(const char *at, const char *end, FILE *out)
{
    struct command_token token;
    while ((token = command_token_next(&at, end)).kind != TOKEN_END) {
        put_token(&token, out);
    }
    fputc('\n', out);
}

/* "is it protecting?": a sentence of a text that begins small and may end without a period. */
static void put_summary(const char *help, FILE *out)
{
    char text[256];
    size_t len = strcspn(help, "\n");
    len = len < sizeof(text) - 2 ? len : sizeof(text) - 2;
    snprintf(text, sizeof(text), "%.*s.", (int)len, help);
    text[0] = (char)toupper((unsigned char)text[0]);
    mdoc_text(text, len + 1, out);
}

static void put_command(const struct command *command, FILE *out)
{
    bool list = false, prose = false;
    struct command_part part;
    const char *at = command_body(command);
    fprintf(out, ".It Cm %s", command->name);
    put_usage(command->arguments, command->arguments + strlen(command->arguments), out);
    put_summary(command->help, out);
    while (command_part_next(&at, &part)) {
        if (part.term) {
            fputs(list ? "" : ".Pp\n.Bl -tag -width Ds -compact\n", out);
            fputs(".It", out);
            put_usage(part.term, part.term + part.term_len, out);
        } else {
            fputs(list ? ".El\n.Pp\n" : prose ? "" : ".Pp\n", out);
        }
        list = part.term;
        prose = !part.term;
        mdoc_text(part.text, part.text_len, out);
    }
    fputs(list ? ".El\n" : "", out);
}

void manual_print(FILE *out)
{
    const struct mdoc_page page = {"GREENGATE 1", "tools/commands.def", "greengate help manual"};
    mdoc_begin(&page, out);
    fputs(head, out);
    for (size_t i = 0; i < command_count; i++) {
        put_command(&commands[i], out);
    }
    fputs(tail, out);
}
