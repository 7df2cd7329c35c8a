# SPDX-License-Identifier: Apache-2.0
# Completion of greengate(1) for fish; the program itself knows what may come next.
function __greengate_candidates
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    for line in ($program complete -- $words "$current" 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end
complete -c greengate -f -a '(__greengate_candidates)'
