// SPDX-License-Identifier: Apache-2.0
/* version: of this release, the same in all programs. */
#pragma once
#define GREENGATE_VERSION "0.1.0"
