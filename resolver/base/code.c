// SPDX-License-Identifier: Apache-2.0
#include "base/code.h"

#include <string.h>

const char code_digits[33] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

int code_digit(char letter)
{
    letter = (char)(letter >= 'a' && letter <= 'z' ? letter - 'a' + 'A' : letter);
    letter = (char)(letter == 'O' ? '0' : letter == 'I' || letter == 'L' ? '1' : letter);
    const char *at = letter ? strchr(code_digits, letter) : NULL;
    return at ? (int)(at - code_digits) : -1;
}
