# SPDX-License-Identifier: GPL-2.0-only
# Completion of ukl for bash. The words come from `ukl … --help`, so they are those of the ukl that is installed.

_ukl() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} word
  local -a path=("${COMP_WORDS[0]}")
  COMPREPLY=()
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    # Behind -- stand the program's own arguments.
    if [[ $word == -- ]]; then
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
    fi
    # Subcommands come first: `ukl kernel build`.
    if [[ $word != -* && ${#path[@]} -lt 3 ]] && _ukl_words subcommands "${path[@]}" | grep -qxF -- "$word"; then
      path+=("$word")
    fi
  done

  case $previous in
  --profile)
    mapfile -t COMPREPLY < <(compgen -W "$("${path[0]}" kernel build --profile '?' 2>&1 |
      sed -n 's/^hint:.*there are: //p' | tr -d ,)" -- "$current")
    ;;
  --network)
    mapfile -t COMPREPLY < <(compgen -W "user passt tap: bridge: none $("${path[0]}" network ls 2> /dev/null |
      awk 'NR > 1 { print $1 }')" -- "$current")
    ;;
  --cloud) mapfile -t COMPREPLY < <(compgen -W "nocloud ec2 gce azure" -- "$current") ;;
  --machine) mapfile -t COMPREPLY < <(compgen -W "q35 pc microvm" -- "$current") ;;
  *)
    local choices=
    if [[ $previous == -* ]]; then choices=$(_ukl_choices "$previous" "${path[@]}"); fi
    if [[ -n $choices ]]; then
      mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$current")
    elif [[ ${path[1]:-} == @(attach|dump|gdb|kill|logs|restart|rm|stats|stop|wait) && $current != -* ]]; then
      mapfile -t COMPREPLY < <(compgen -W "$("${path[0]}" ps -aq 2> /dev/null)" -- "$current")
    elif [[ $current == -* ]]; then
      mapfile -t COMPREPLY < <(compgen -W "$(_ukl_words options "${path[@]}")" -- "$current")
    else
      mapfile -t COMPREPLY < <(compgen -W "$(_ukl_words subcommands "${path[@]}")" -- "$current")
      # No subcommand fits here: a file, or a source.
      if [[ ${#COMPREPLY[@]} == 0 ]]; then mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi
      if [[ ${path[1]-} == pack && $current != *:* && ${#COMPREPLY[@]} == 0 ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_ukl_sources "${path[@]}")" -- "$current")
        compopt -o nospace 2> /dev/null || true
      fi
    fi
    ;;
  esac
}

# _ukl_words options|subcommands COMMAND…: the words that its --help lists in that section.
_ukl_words() {
  local section=$1
  shift
  "$@" --help 2> /dev/null | awk -v section="$section" '
    /^[A-Z][a-z]*:/ { here = tolower($1); sub(":", "", here); next }
    /^$/ { here = "" }
    here == section && /^  [a-z-]/ {
      if (section == "subcommands") { print $1; next }
      for (n = split($1, names, ","); n > 0; n--) {
        sub(/\{.*/, "", names[n])
        if (names[n] ~ /^-/) print names[n]
      }
    }'
}

# _ukl_sources COMMAND…: the schemes that its --help lists, "  oci:FOLDER[:TAG]  …".
_ukl_sources() {
  "$@" --help 2> /dev/null | sed -nE 's/^  ([a-z-]+:)[A-Z].*/\1/p' | sort -u
}

# _ukl_choices OPTION COMMAND…: the values of an option that has a list of them, "--accel TEXT:{auto,kvm,tcg}=auto".
_ukl_choices() {
  local option=$1
  shift
  "$@" --help 2> /dev/null | awk -v option="$option" '
    /^  -/ && index("," $1 ",", "," option ",") && match($2, /:\{[^}]*\}/) {
      choices = substr($2, RSTART + 2, RLENGTH - 3)
      gsub(",", " ", choices)
      print choices
    }'
}

complete -o filenames -F _ukl ukl
