# The kernel and the AppArmor parser of the guest that tests boot (test/guest). Both are unpacked beside the checkout's other tools
# and never installed: on this machine they must change nothing.

# Optional, as qemu is: without apt or for another architecture the tests of the guest are skipped by name.
fetch_guest() {
  local kernel key
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null && command -v qemu-system-x86_64 >/dev/null && [[ $(uname -m) == x86_64 ]] || return 0
  kernel=$(guest_kernel) || return 0
  key="$kernel apparmor"
  is_stamped guest/fetched "$key" && return
  try "kernel of the test guest" unpack_guest "$kernel"
  if [[ $status == 0 ]]; then stamp guest/fetched "$key"; fi
}

# Debian's kernel for virtual machines has AppArmor, the BPF LSM and BTF. Its meta package names the current one.
guest_kernel() {
  local name
  name=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/^ *Depends: *\(linux-image-[^ ]*-cloud-amd64\)$/\1/p' | head -n 1)
  [[ -n $name ]] && echo "$name"
}

unpack_guest() {
  local work
  mkdir -p -- "$tools/guest/apparmor.d/abi"
  work=$(mktemp -d -- "$tools/fetch.XXXXXX")
  cd -- "$work"
  # An index that is older than its mirror names files that are gone.
  apt-get -q download "$1" apparmor || { become_root && apt_get update && apt-get -q download "$1" apparmor; }
  for package in ./*.deb; do dpkg-deb --extract "$package" unpacked; done
  rm -f -- "$tools"/guest/vmlinuz*
  mv -- unpacked/boot/vmlinuz* "$tools/guest/"
  mv -- unpacked/sbin/apparmor_parser "$tools/guest/"
  mv -- unpacked/etc/apparmor.d/abi/3.0 "$tools/guest/apparmor.d/abi/"
  cd -- "$tools"
  rm -rf -- "$work"
}
