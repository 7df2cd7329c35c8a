// SPDX-License-Identifier: Apache-2.0
/* manual: greengate(1), made from commands.def. */
#pragma once
#include <stdio.h>

void manual_print(FILE *out);
