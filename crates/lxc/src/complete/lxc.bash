# Completion of lxc for bash: lxc itself says what may come next.
_lxc_complete() {
    local line=${COMP_LINE:0:COMP_POINT} unfinished shown words candidate
    read -r -a words <<< "$line"
    if [[ $line == *[[:space:]] ]]; then
        words+=("")
    fi
    unfinished=${words[${#words[@]}-1]}
    # Bash takes colons and equal signs for ends of words, and replaces only what follows them.
    shown=${unfinished%"${unfinished##*[:=]}"}
    COMPREPLY=()
    while IFS= read -r candidate; do
        COMPREPLY+=("${candidate#"$shown"}")
    done < <(lxc __complete -- "${words[@]:1}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[:=/] ]]; then
        compopt -o nospace
    fi
}
complete -o default -F _lxc_complete lxc
