# Node 24 and the npm packages. Everything comes through npm and so from where this machine's npm is told to fetch; what is
# fetched outside the lock file is checked against setup/versions.sh.

# The machine's Node where it is new enough and has an npm, else our own copy under .tools.
install_node() {
  local arch own=$tools/node-24/bin/node
  if [[ -x $own && $("$own" --version) == "v$NODE_VERSION" ]]; then
    choose_node "$own"
  elif machine_node_is_usable; then
    choose_node "$(command -v node)"
  else
    arch=$(node_arch)
    command -v npm >/dev/null || die "Node $NODE_MINIMUM or newer is needed: install it, or npm so that it can be fetched"
    step "Node $NODE_VERSION" fetch "node-linux-$arch@$NODE_VERSION" "$tools/node-24"
    choose_node "$own"
  fi
}

# A link to our own copy is relative: the checkout may be moved, or seen through another mount.
choose_node() { ln -sfn -- "${1#"$tools/"}" "$tools/node.$$" && mv -fT -- "$tools/node.$$" "$tools/node"; }

node_arch() {
  case $(uname -m) in
    x86_64) echo x64 ;;
    aarch64) echo arm64 ;;
    *) die "no Node is published for $(uname -m): install Node $NODE_MINIMUM or newer" ;;
  esac
}

machine_node_is_usable() {
  command -v node >/dev/null && command -v npm >/dev/null && at_least "$(node --version)" "$NODE_MINIMUM"
}

# at_least v24.21.0 24.3
at_least() {
  local have=${1#v} major minor
  major=${have%%.*} minor=${have#*.}
  minor=${minor%%.*}
  ((major > ${2%.*} || (major == ${2%.*} && minor >= ${2#*.})))
}

needs_npm_of_the_distribution() {
  command -v npm >/dev/null || [[ -x $tools/node-24/bin/node && -f $tools/npm/bin/npm-cli.js ]] && return 1
  return 0
}

# fetch NAME@VERSION DIRECTORY: unpacks one package, or fails before anything of it is in place.
fetch() {
  local spec=$1 directory=$2 work got
  work=$(mktemp -d -- "$tools/fetch.XXXXXX")
  cd -- "$work"
  npm pack --loglevel=error --ignore-scripts "$spec"
  got=sha512-$(sha512sum -- *.tgz | cut -d' ' -f1 | xxd_r | base64 -w0)
  [[ $got == "${INTEGRITY[$spec]}" ]] || { echo "$spec is not what setup/versions.sh pins: got $got"; exit 1; }
  mkdir unpacked
  tar -xzf ./*.tgz --strip-components=1 --no-same-owner -C unpacked
  rm -rf -- "$directory"
  mv -- unpacked "$directory"
  cd -- "$tools"
  rm -rf -- "$work"
}

# Hexadecimal to bytes with what bash has.
xxd_r() { printf '%b' "$(sed 's/../\\x&/g')"; }

# Install scripts stay off: a package that runs code at install time runs it as whoever sets up, which may be root.
install_npm_packages() {
  local key
  key="$(sha256sum <"$root/package-lock.json") $(uname -m) $("$tools/node" --version)"
  is_stamped npm-packages "$key" && [[ -d $root/node_modules ]] && return
  choose_npm
  rm -f -- "$tools/npm-packages"
  step "npm packages" npm_ci
  step "links of the embedded PostgreSQL" "$tools/node" "$root/setup/link-postgres.ts"
  stamp npm-packages "$key"
}

# A Debian npm is years old and runs on Debian's Node; with our own Node goes the npm that was tried with it.
choose_npm() {
  if [[ $(readlink -- "$tools/node") != /* ]]; then
    [[ -f $tools/npm/bin/npm-cli.js && -e $tools/npm-$NPM_VERSION ]] || {
      step "npm $NPM_VERSION" fetch "npm@$NPM_VERSION" "$tools/npm"
      : >"$tools/npm-$NPM_VERSION"
    }
    npm_command=("$tools/node" "$tools/npm/bin/npm-cli.js")
  else
    npm_command=(npm)
  fi
}

npm_ci() {
  cd -- "$root"
  PATH=$tools/node-24/bin:$PATH "${npm_command[@]}" ci --ignore-scripts --no-audit --no-fund --loglevel=notice
}
