# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the clients: TCP connections in plain bash.

fail() {
  echo "client: $*" >&2
  exit 1
}

# open_connection PORT VARIABLE: waits up to a minute until the server really answers at all (QEMU accepts a forwarded
# connection before the guest does), and stores the descriptor.
open_connection() {
  exec {connection}<>"/dev/tcp/127.0.0.1/$1" || fail "cannot connect to port $1"
  printf -v "$2" %s "$connection"
}

# until_answer PORT REQUEST WANTED: sends the request on fresh connections until the answer's first line matches.
until_answer() {
  local answer fd
  for _ in {1..120}; do
    if exec {fd}<>"/dev/tcp/127.0.0.1/$1"; then
      printf '%b' "$2" >&"$fd"
      answer=
      IFS= read -r -t 2 answer <&"$fd"
      exec {fd}>&-
      # shellcheck disable=SC2254 # $3 is a pattern
      case ${answer%$'\r'} in $3) return ;; esac
    fi 2> /dev/null
    sleep 0.5
  done
  fail "no server on port $1 answers \"$2\" with \"$3\" (last: \"$answer\")"
}

# ask FD REQUEST WANTED…: sends the request (with escapes) and checks one line of the answer for each pattern.
ask() {
  local fd=$1 request=$2 line
  shift 2
  printf '%b' "$request" >&"$fd" || fail "cannot send $request"
  for wanted; do
    IFS= read -r -t 20 line <&"$fd" || fail "no answer to \"$request\" (wanted \"$wanted\")"
    # shellcheck disable=SC2254 # a pattern is meant
    case ${line%$'\r'} in
      $wanted) ;;
      *) fail "\"$request\" was answered by \"$line\", wanted \"$wanted\"" ;;
    esac
  done
}
