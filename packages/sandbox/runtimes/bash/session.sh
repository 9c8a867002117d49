# A bash that keeps its state: each start message names a script, which is sourced into this shell, until the stream ends.
#
# What ends a shell (`exit`, a failure under `set -e`, a fatal expansion) must not end the session: the EXIT trap writes the
# state down, reports the code, and starts this file again in the same process. A script that sets an EXIT trap of its own
# takes that place; with `exit` it then ends the session too. Bash cannot close a descriptor for children only, so programs
# that a script starts inherit descriptor 15; whoever writes to it can lie about this session's exit codes, and no more.
# All names start with __plastron, and the loop is not a function: `declare` in a script would be local to it.

__plastron_report() { # an exit code as a frame: D, length 4, i32 little endian
  builtin printf -v __plastron_hex '\\x%02x' "$1"
  builtin printf "D\4\0\0\0$__plastron_hex\0\0\0" >&15
}

__plastron_restart() {
  __plastron_code=$?
  { set +eufxv; } 2>/dev/null
  __plastron_unset_environment
  {
    declare -p
    shopt -p
    alias -p
    declare -f # last: a function body may be unreadable under other options
  } 2>/dev/null >"$__plastron_state"
  export __plastron_code
  exec "$BASH" --noprofile --norc "$__plastron_self" again
}

__plastron_unset_environment() { # a run's variables are gone after it
  local name
  for name in "${__plastron_names[@]}"; do
    unset "$name"
    [[ -v __plastron_before[$name] ]] && export "$name=${__plastron_before[$name]}"
  done
  __plastron_names=()
}

if [[ ${1-} == again ]]; then
  # Read-only variables refuse to be set again; that is no loss, for they are bash's own or already as they were.
  . "${TMPDIR:-/tmp}/.session-$$" 2>/dev/null
  rm -f -- "${TMPDIR:-/tmp}/.session-$$"
  __plastron_report "$__plastron_code"
else
  unset "${!PLASTRON_@}"
  exec 15<&3 3<&-
  printf 'R\0\0\0\0' >&15
fi
declare -A __plastron_before
__plastron_self=${BASH_SOURCE[0]} __plastron_state=${TMPDIR:-/tmp}/.session-$$ __plastron_flags=
export -n __plastron_code

while IFS= builtin read -r -d '' -u 15 __plastron_message; do
  __plastron_before=()
  builtin eval "$__plastron_message" 2>/dev/null
  BASH_ARGV0=$__plastron_entry
  trap __plastron_restart EXIT
  [[ -n $__plastron_flags ]] && set "-$__plastron_flags"
  builtin . "$__plastron_entry"
  { __plastron_code=$? __plastron_flags=${-//[!aefuCET]/}; set +aefuvxCET; } 2>/dev/null
  __plastron_unset_environment
  __plastron_report "$__plastron_code"
done
trap - EXIT
