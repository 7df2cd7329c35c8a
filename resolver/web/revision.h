// SPDX-License-Identifier: Apache-2.0
/* revision: whether the configuration's files are still those that were read.
 *
 * Made of time, size and inode of the file and of each *.yaml in conf.d beside it; no
 * content is read, so that looking every few seconds costs nothing. */
#pragma once
#include <stdint.h>

/* The same of one file. */
uint64_t revision_of_file(const char *path);

/* A number that another state of the files does not share. */
uint64_t revision_of(const char *config_path);
