#!/bin/sh
# Builds the native parts into build/ (or $1), and the Python workers' bytecode beside them. SANITIZE=1 adds the address and undefined-behaviour sanitizers, for the tests.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
out=${1:-$here/build}
mkdir -p "$out"
flags="-std=gnu11 -O2 -g0 -Wall -Wextra -Werror -Wshadow -Wconversion -Wno-sign-conversion -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fvisibility=hidden"
static="-static"
if [ "${SANITIZE:-0}" = 1 ]; then
  flags="-std=gnu11 -O1 -g -Wall -Wextra -Werror -fsanitize=address,undefined -fno-sanitize-recover=all"
  static=""
fi
cd "$here"
relay="relay/start.c relay/network.c relay/steer.c relay/confine.c relay/flow.c relay/serve.c"
inside="init.c wire.c life.c lockdown.c mounts.c program.c notify.c"
watcher="watching.c watcher.c judge.c glob.c rules.c lists.c caller.c resolve.c hands.c broker.c broker-open.c broker-names.c broker-things.c broker-exec.c"
# Written under other names first, so that an interrupted build never leaves half a binary.
${CC:-cc} $flags $static -o "$out/launcher.new" launcher.c supervise.c agent.c ending.c freeze.c buffer.c files.c cgroup.c zygote.c tracing.c guest/keeper.c guest/trace.c $relay $watcher $inside
${CC:-cc} $flags -fPIC -shared -o "$out/zygote.new" zygote-lib.c $inside
${CC:-cc} $flags $static -o "$out/enter.new" enter/enter.c
${CC:-cc} $flags -fPIC -shared -o "$out/preload.new" enter/preload.c
mv "$out/enter.new" "$out/plastron-enter"
mv "$out/preload.new" "$out/libplastron-guest.so"
${CC:-cc} $flags $static -o "$out/hooks.new" hooks/hooks.c hooks/programs.c hooks/ring.c wire.c
mv "$out/hooks.new" "$out/plastron-hooks"
mv "$out/launcher.new" "$out/plastron-launcher"
mv "$out/zygote.new" "$out/libplastron-zygote.so"
# The workers are mounted read-only, so Python could not keep their bytecode by itself: 5 ms of every start.
if [ "${SANITIZE:-0}" = 0 ] && [ -x /usr/bin/python3 ]; then /usr/bin/python3 -m compileall -q ../runtimes/python; fi
