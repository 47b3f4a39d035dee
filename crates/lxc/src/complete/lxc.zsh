#compdef lxc
# Completion of lxc for zsh: lxc itself says what may come next.
_lxc() {
    local -a candidates open closed
    candidates=("${(@f)$(lxc __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    candidates=(${candidates:#})
    if (( ${#candidates} == 0 )); then
        _files
        return
    fi
    open=(${(M)candidates:#*[:=/]})
    closed=(${candidates:#*[:=/]})
    (( ${#open} )) && compadd -S '' -a open
    (( ${#closed} )) && compadd -a closed
}
compdef _lxc lxc
