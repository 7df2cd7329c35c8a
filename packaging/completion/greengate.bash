# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion of greengate(1) for bash; the program itself knows what may come next.
_greengate()
{
    local line files=
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
        :files) files=yes ;;
        *) COMPREPLY+=("${line%%$'\t'*}") ;;
        esac
    done < <("$1" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    if [ -n "$files" ]; then
        compopt -o default 2>/dev/null
    elif [ "${#COMPREPLY[@]}" = 1 ] && [[ ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -F _greengate greengate
