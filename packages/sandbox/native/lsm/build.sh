#!/bin/sh
# Builds the BPF LSM object and its loader into build/ (or $1). Needs clang, libbpf-dev, libelf-dev and zlib1g-dev; it is not
# part of the build of the sandboxes' own native parts, which need none of them.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
out=${1:-$here/build}
mkdir -p "$out"
cd "$here"
headers=$(${CC:-cc} -print-multiarch)
${CLANG:-clang} -target bpf -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter -I"/usr/include/$headers" -c plastron-lsm.bpf.c -o "$out/object.new"
${CC:-cc} -std=gnu11 -O2 -g0 -Wall -Wextra -Werror -Wshadow -Wconversion -Wno-sign-conversion -fstack-protector-strong -D_FORTIFY_SOURCE=2 \
  -static -o "$out/loader.new" load.c tables.c -lbpf -lelf -lz
mv "$out/object.new" "$out/plastron-lsm.bpf.o"
mv "$out/loader.new" "$out/plastron-lsm"
