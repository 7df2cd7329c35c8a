// SPDX-License-Identifier: Apache-2.0
/* datafile: where a data file lies: in the first of some folders that has it.
 *
 * So a region or a school puts its own texts.yaml or helplines.yaml into a folder before ours, and
 * upgrades of ours do not touch it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* The path of `name`, perhaps with folders of its own, below the first of the absolute folders in
 * `folders` ("/etc/greengate/data:/usr/share/greengate") where it exists; else below the last.
 * Cut when it does not fit; returns out. */
const char *datafile_path(const char *folders, const char *name, char *out, size_t cap);

/* Does the error say nothing of the file itself: no memory, no descriptor, a disk that fails?
 * Then what was read of it before stays right. */
bool datafile_is_shortage(int err);
