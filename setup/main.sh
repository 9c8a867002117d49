# Sourced by ../plastron when something is not ready. Idempotent: each step looks first, so an interrupted set-up goes on where
# it stopped, and stamps are written in one rename. Everything is said on stderr: stdout belongs to the command.
source "$root/setup/versions.sh"
source "$root/setup/steps.sh"
source "$root/setup/debian.sh"
source "$root/setup/node.sh"
source "$root/setup/guest.sh"

# set_up run|test
set_up() {
  tools=$root/.tools log=$root/.tools/setup.log missing=()
  # What root prepares must be readable for the unprivileged user that serves from it.
  umask 022
  mkdir -p -- "$tools" 2>/dev/null || true
  if [[ ! -w $tools ]]; then
    is_usable_as_it_is && return
    die "set-up has to write to $tools and cannot"
  fi
  one_at_a_time
  if ! is_ready "$1"; then
    prepare "$1"
    stamp "ready-$1" "$(fingerprint)"
    # What the tests need contains what a run needs.
    [[ $1 != test ]] || stamp ready-run "$(fingerprint)"
  fi
  # Left open, a detached server would hold it for as long as it lives.
  exec {lock}>&-
}

prepare() {
  printf '\n== set-up (%s) %(%F %T)T ==\n' "$1" -1 >>"$log"
  install_debian_packages "$1"
  install_node
  install_npm_packages
  build_native_parts
  [[ $1 != test ]] || fetch_guest
  note_what_is_missing
}

# A read-only checkout where something optional is missing: nothing can be done about it, and nothing needs to be.
is_usable_as_it_is() { [[ -x $tools/node && -d $root/node_modules ]]; }

# Two first starts at once (a person and a service) must not both run npm in one directory.
one_at_a_time() {
  exec {lock}>>"$tools/lock"
  flock --nonblock "$lock" && return
  say "another set-up of this checkout is running; waiting for it"
  flock "$lock"
}

# A compiler that is missing or sources that do not build cost isolation or the sensor, not the whole product.
build_native_parts() {
  local script directory name key
  for script in "$root"/packages/*/native/build.sh; do
    [[ -f $script ]] || continue
    directory=${script%/build.sh} name=native-$(basename -- "${directory%/native}")
    if ! command -v "$(compiler_of "$name")" >/dev/null; then
      missing+=("$(compiler_of "$name")")
      continue
    fi
    key=$(native_key "$directory")
    is_stamped "$name" "built $key" && [[ -d $directory/build ]] && continue
    is_stamped "$name" "failed $key" && continue
    try "native parts of ${name#native-}" sh "$script"
    if [[ $status == 0 ]]; then
      stamp "$name" "built $key"
    else
      stamp "$name" "failed $key"
      say "  the native parts of ${name#native-} did not build (see $log): $(cost_without "$name") until the sources or the compiler change"
    fi
  done
}

compiler_of() { [[ $1 == native-sensor ]] && echo clang || echo gcc; }

cost_without() { [[ $1 == native-sensor ]] && echo "runs are confined, but nobody looks at them" || echo "sandboxes use bubblewrap"; }

native_key() (
  cd -- "$1"
  {
    find . -name build -prune -o -type f -exec sha256sum {} + | sort
    cc --version || true
    clang --version 2>/dev/null || true
  } | sha256sum
)

# Named once, not at every start; looked for again at every start (see is_ready).
note_what_is_missing() {
  local now=${missing[*]-}
  if [[ -z $now ]]; then
    rm -f -- "$tools/missing"
  elif ! is_stamped missing "$now"; then
    say "  missing here, and only root can install it: $now"
    say "  Plastron goes on without; \`plastron doctor\` says what that costs"
    stamp missing "$now"
  fi
}
