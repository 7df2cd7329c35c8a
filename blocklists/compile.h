// SPDX-License-Identifier: Apache-2.0
/* compile: build.h in a child process.
 *
 * The bytes of strangers are parsed there, with bounds on memory, time and file size,
 * so that a fault of a parser is a failed update and nothing more. */
#pragma once
#include "blocklists/build.h"

/* As build_run(); on_step is called in the parent. -ECHILD with *diag: the child
 * died; the reports are then of no use. */
__attribute__((warn_unused_result)) int
compile_run(const struct build_job *job, struct source_report *reports, struct diag *diag);

/* Compile data_dir/starter/NAME.txt, one file a category, into out_path by way of a
 * temporary file beside it. */
__attribute__((warn_unused_result)) int compile_starter(const char *data_dir, const char *out_path,
                                                        struct diag *diag);

/* The same for any sources whose fds are open: compiled and renamed to out_path, the
 * file synced. */
__attribute__((warn_unused_result)) int compile_file(struct build_job *job, const char *out_path,
                                                     struct source_report *reports,
                                                     struct diag *diag);
