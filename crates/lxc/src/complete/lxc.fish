# Completion of lxc for fish: lxc itself says what may come next.
function __lxc_complete
    set -l words (commandline --tokenize --current-process --cut-at-cursor)
    set -e words[1]
    lxc __complete -- $words (commandline --current-token --cut-at-cursor) 2>/dev/null
end
complete --command lxc --arguments '(__lxc_complete)'
