#!/usr/bin/env bash
# By hand, as root, on a machine with debootstrap: does a clean clone of HEAD work on a bare Debian 12 with the README's commands?
#
#   test/fresh-machine.sh [--base DIR] [--keep] [PHASE...]     phases: setup up run doctor demo down test (default: all)
#
# Makes a minimal Debian in a temporary directory, pivots into it with its own process and mount namespaces (a chroot would not do:
# the kernel refuses user namespaces in one), and times each phase. How this machine reaches its mirrors (apt sources, npm and pip
# configuration, certificates) is read from it and copied in. --base keeps the bare system in DIR and takes it from there next time.
set -euo pipefail

main() {
  parse_arguments "$@"
  work=$(mktemp -d /var/tmp/plastron-fresh.XXXXXX)
  trap clean_up EXIT
  machine=$work/machine
  timed "bare Debian 12" make_bare_debian
  lend_the_way_to_the_mirrors
  git clone --quiet --no-hardlinks "$(dirname -- "${BASH_SOURCE[0]}")/.." "$machine/root/plastron"
  inside >"$machine/root/phases.sh"
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM="${TERM:-dumb}" "${lent[@]}" \
    unshare --mount --pid --fork --kill-child --propagation private bash -euc "$(declare -f enter); enter \"\$@\"" enter "$machine" "${phases[@]}"
}

parse_arguments() {
  base="" keep=no phases=()
  while (($#)); do
    case $1 in
      --base) base=$2 && shift ;;
      --keep) keep=yes ;;
      *) phases+=("$1") ;;
    esac
    shift
  done
  ((${#phases[@]})) || phases=(setup up run doctor demo down test)
  [[ $EUID == 0 ]] || { echo "needs root" >&2 && exit 2; }
}

make_bare_debian() {
  local from=${base:-$machine}
  if [[ ! -x $from/usr/bin/dpkg ]]; then
    debootstrap --variant=minbase bookworm "$from" "$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -n 1)" >"$work/debootstrap.log"
  fi
  [[ $from == "$machine" ]] || cp -a -- "$from" "$machine"
}

# Sets `lent`: variables that name certificates, with the paths that these have inside.
lend_the_way_to_the_mirrors() {
  local file name
  lent=()
  cp /etc/resolv.conf /etc/hosts "$machine/etc/"
  rm -f "$machine/etc/apt/sources.list"
  cp /etc/apt/sources.list.d/*.sources "$machine/etc/apt/sources.list.d/" 2>/dev/null || true
  cp /etc/apt/sources.list "$machine/etc/apt/" 2>/dev/null || true
  cp /usr/share/keyrings/*.gpg "$machine/usr/share/keyrings/" 2>/dev/null || true
  for file in "$HOME/.npmrc" /etc/npmrc /etc/pip.conf "$HOME/.config/pip/pip.conf"; do
    [[ ! -f $file ]] || install -D -m 600 -- "$file" "$machine/${file/#$HOME//root}"
  done
  for name in NODE_EXTRA_CA_CERTS SSL_CERT_FILE; do
    file=${!name:-}
    [[ -f $file ]] || continue
    # Debian's Node 18 knows only the system's store, which takes this in when ca-certificates is installed.
    install -D -m 644 -- "$file" "$machine/usr/local/share/ca-certificates/lent-$name.crt"
    lent+=("$name=/usr/local/share/ca-certificates/lent-$name.crt")
  done
}

enter() {
  local machine=$1
  shift
  mount --bind "$machine" "$machine"
  cd -- "$machine"
  mount -t proc proc proc
  mount -t sysfs sysfs sys
  mount --rbind /sys/fs/cgroup sys/fs/cgroup
  mount --rbind /dev dev
  mount -t tmpfs -o mode=1777 tmpfs tmp
  mount -t tmpfs -o mode=755 tmpfs run
  mkdir -p before
  pivot_root . before
  cd /
  umount -l /before
  exec bash /root/phases.sh "$@"
}

# What happens on the bare machine, as its own script: nothing of the outer one exists there.
inside() {
  cat <<'INSIDE'
set -uo pipefail
cd /root/plastron
export PLASTRON_PORT=17300 PLASTRON_ADMIN_KEY=fresh-machine-0123456789abcdef0123456789
failed=0
phase_setup() { ./plastron setup; }
phase_up() { ./plastron up --detach; }
phase_run() {
  .tools/node --input-type=module -e '
    const body = JSON.stringify({ language: "python3", code: "print(6 * 7)" });
    const headers = { authorization: `Bearer ${process.env.PLASTRON_ADMIN_KEY}`, "content-type": "application/json" };
    const reply = await fetch(`http://127.0.0.1:${process.env.PLASTRON_PORT}/v1/runs`, { method: "POST", headers, body });
    const run = await reply.json();
    console.log(reply.status, JSON.stringify(run));
    process.exit(run.stdout === "42\n" ? 0 : 1);'
}
phase_doctor() { ./plastron doctor; }
phase_demo() { ./plastron demo; }
phase_down() { ./plastron down; }
phase_test() { ./plastron test; }
for phase in "$@"; do
  start=$EPOCHREALTIME status=0
  echo "== $phase"
  "phase_$phase" || status=$?
  [[ $status == 0 ]] || failed=1
  printf '== %s: exit %d after %.1f s\n' "$phase" "$status" "$(((${EPOCHREALTIME/./} - ${start/./}) / 100000))e-1"
done
exit "$failed"
INSIDE
}

timed() {
  local title=$1 start=$SECONDS
  shift
  "$@"
  echo "== $title: $((SECONDS - start)) s"
}

clean_up() {
  [[ $keep == no ]] || { echo "kept: $work" && return; }
  rm -rf --one-file-system -- "$work"
}

main "$@"
