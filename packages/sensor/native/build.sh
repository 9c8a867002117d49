#!/bin/sh
# Builds the sensor's programs into build/ (or $1), for the machine's own architecture or $ARCH (x86 or arm64).
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
out=${1:-$here/build}
clang=${CLANG:-clang}
if ! command -v "$clang" >/dev/null; then
  echo "clang is missing: the sensor cannot be built" >&2
  exit 1
fi
case ${ARCH:-$(uname -m)} in
  x86 | x86_64) arch=x86 triple=x86_64-linux-gnu ;;
  arm64 | aarch64) arch=arm64 triple=aarch64-linux-gnu ;;
  *) echo "no sensor for this architecture: $(uname -m)" >&2 && exit 1 ;;
esac
# Only plain types come from the C library's headers; the machine's own serve for any target.
headers=/usr/include/$triple
[ -d "$headers" ] || headers=/usr/include/$(uname -m)-linux-gnu
mkdir -p "$out"
for source in "$here"/bpf/*.bpf.c; do
  name=$(basename -- "$source" .bpf.c)
  # Debug information stays: it says where the programs use the kernel's fields.
  "$clang" -target bpf -mcpu=v3 -O2 -g -std=gnu11 -Wall -Wextra -Werror -Wno-unused-parameter -Wno-unused-function "-D__TARGET_ARCH_$arch" -I "$headers" -c "$source" -o "$out/$name.new"
  mv "$out/$name.new" "$out/$name.bpf.o"
done
