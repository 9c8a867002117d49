# The distribution's packages: installed where this is root or sudo works, named otherwise.

# install_debian_packages run|test
install_debian_packages() {
  local wanted=$APT_RUN
  [[ $1 != test ]] || wanted=$APT_TEST
  [[ $1 != test || $(uname -m) != x86_64 ]] || wanted+=" $APT_GUEST"
  needs_npm_of_the_distribution && wanted+=" npm"
  if ! command -v apt-get >/dev/null; then
    name_what_no_apt_can_bring
    return
  fi
  local absent
  absent=$(not_installed $wanted)
  # Optional packages ride along; on their own they are no reason to run apt.
  [[ -n $absent ]] || return 0
  if ! become_root; then
    missing+=($absent)
    return
  fi
  step "Debian packages ($(shorten $absent))" apt_install "$absent"
}

not_installed() {
  local name status
  for name in "$@"; do
    status=$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) || status=absent
    [[ $status == installed ]] || printf '%s ' "$name"
  done
}

# Sets `as_root` to what must stand before a command. A password is asked for only where somebody can type one.
become_root() {
  as_root=()
  [[ $EUID != 0 ]] || return 0
  as_root=(sudo)
  command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [[ -t 0 && -t 2 ]] && sudo -v; }; }
}

# The lists are fetched when there are none, and once more when what they name is gone from the mirror. An installation that was
# cut off earlier is finished first: apt refuses to go on before.
apt_install() {
  local names=$1
  "${as_root[@]}" dpkg --configure -a
  compgen -G '/var/lib/apt/lists/*Packages*' >/dev/null || apt_get update
  apt_get install $names $(available_optional) || { apt_get update && apt_get install $names $(available_optional); }
}

apt_get() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -q --no-install-recommends \
    -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
}

available_optional() {
  local name
  for name in $APT_OPTIONAL; do
    [[ -z $(apt-cache policy "$name" 2>/dev/null | grep -E 'Candidate: [^(]') ]] || echo "$name"
  done
}

name_what_no_apt_can_bring() {
  local tool
  for tool in gcc python3 bwrap npm; do
    command -v "$tool" >/dev/null || [[ $tool == npm && -x $tools/node ]] || missing+=("$tool")
  done
}

shorten() {
  if (($# > 4)); then echo "$1 $2 $3 and $(($# - 3)) more"; else echo "$*"; fi
}
