# How set-up speaks and remembers.

say() { printf '%s\n' "$*" >&2; }
die() { say "plastron: $*"; exit 1; }

# step TITLE COMMAND...: runs it with its output in the log, shows how long it takes, ends set-up where it fails.
step() {
  try "$@"
  [[ $status != 0 ]] || return 0
  say "plastron: set-up stopped at: $1. The end of $log:"
  tail -n 15 -- "$log" | sed 's/^/  | /' >&2
  exit 1
}

# As step, but a failure is only told, in `status`: never call it in a condition, where bash turns `set -e` off in everything below.
# The command runs as a background job so that the seconds can be shown meanwhile.
try() {
  local title=$1 start=$EPOCHREALTIME pid
  status=0
  shift
  [[ -n ${announced:-} ]] || say "plastron: making this machine ready (details in ${log#"$PWD/"})"
  announced=yes
  printf '\n-- %s: %s\n' "$title" "$*" >>"$log"
  set -m # its own process group, so that an interrupt ends all of it
  (set -euo pipefail && "$@") </dev/null >>"$log" 2>&1 &
  pid=$!
  set +m
  trap 'kill -- "-$pid" 2>/dev/null; say ""; die "interrupted; the next start goes on from here"' INT TERM
  if [[ -t 2 ]]; then
    while kill -0 "$pid" 2>/dev/null; do
      printf '\r  %-58s %5d s' "$title" "$((${EPOCHREALTIME%.*} - ${start%.*}))" >&2
      sleep 0.2
    done
    printf '\r' >&2
  fi
  wait "$pid" || status=$?
  trap - INT TERM
  printf '  %-58s %7s%s\n' "$title" "$(seconds_since "$start")" "$([[ $status == 0 ]] || echo '  failed')" >&2
}

seconds_since() {
  local ms=$(((${EPOCHREALTIME/./} - ${1/./}) / 1000))
  printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100))
}

# stamp NAME VALUE: what was done, for which input; complete or absent, whatever happens to this process.
stamp() {
  printf '%s\n' "$2" >"$tools/$1.$$"
  mv -f -- "$tools/$1.$$" "$tools/$1"
}

is_stamped() { [[ -r $tools/$1 && $(<"$tools/$1") == "$2" ]]; }
