#!/bin/bash
# Runs one sandbox and holds what it wrote until the agent has taken it. Trusted: it stays outside the sandbox.
#
#   launch.sh HOST_UID WORKSPACE_BYTES MOUNT_FLAGS NODE OPEN_FILES PROCESSES DATA_KIB LAST_FD JOINS bwrap-argument...
#   (PROCESSES and DATA_KIB may be empty: no such limit. JOINS: cgroup.procs files, separated by spaces.)
#
# It is alone in a mount namespace of its own, so every mount here ends with it, also after kill -9.
# Descriptors: 0, 1, 2 the program's · 3 out: "end CODE" · 4 in: the agent closes it when it has taken the artefacts (or has
# died) · 5 and up belong to bwrap's arguments. HOST_UID 0 means: we are not root, and this is "root" of a user namespace.
set -eu
uid=$1 size=$2 flags=$3 node=$4 open_files=$5 processes=$6 data_kib=$7 last=$8 joins=$9
shift 9

# The agent's death must end all this at any moment of it, also before a parent-death signal is set or the cgroup is joined.
watch_agent() {
  read -r _ || true
  kill -KILL -- -$$
  for join in $joins; do
    while pids=$(cat "$join" 2>/dev/null) && [ -n "$pids" ]; do
      kill -KILL $pids 2>/dev/null || true
      sleep 0.01
    done
  done
}
set -m # a process group of its own, so that it outlives the kill of ours
watch_agent <&4 >/dev/null 2>&1 3>&- 5>&- 6>&- &
set +m

mount -t tmpfs -o mode=0711,size=1m,nosuid,nodev plastron /run
mkdir -m 0711 /run/box /run/etc
mount -t tmpfs -o "size=$size,nr_inodes=65536,mode=0711,nosuid,nodev$flags" plastron /run/box
mkdir -m 0700 /run/box/work /run/box/tmp /run/box/shm
mkdir -m 0000 /run/masked-directory
touch /run/node /run/masked-file
chmod 0000 /run/masked-file
mount --bind "$node" /run/node
# Named pipes of the program's own uid: a program may reopen /dev/stdout, which a socket or a foreign pipe refuses.
mkfifo -m 0600 /run/in /run/out /run/err
chown "$uid:$uid" /run/box/work /run/box/tmp /run/box/shm /run/in /run/out /run/err
printf 'root:x:0:0:root:/:/usr/sbin/nologin\nsandbox:x:1000:1000:sandbox:/workspace:/bin/bash\n' >/run/etc/passwd
printf 'root:x:0:\nsandbox:x:1000:\n' >/run/etc/group
printf '127.0.0.1 localhost sandbox\n::1 localhost\n' >/run/etc/hosts
printf 'passwd: files\ngroup: files\nhosts: files\n' >/run/etc/nsswitch.conf
printf 'sandbox\n' >/run/etc/hostname
: >/run/etc/resolv.conf

failed() {
  echo "launch.sh: $1 failed" >&2
  exit 125
}

# Called where `set -e` does not reach, so each step is checked: a limit that cannot be set is an end, never a shrug.
enter() {
  for join in $joins; do echo 0 >"$join" || failed "joining $join"; done
  # Where memory runs out, the program goes before anything of the host. (To lower a score would need a capability.)
  echo 1000 >/proc/self/oom_score_adj || failed oom_score_adj
  local most
  most=$(ulimit -Hn)
  if [ "$most" != unlimited ] && [ "$open_files" -gt "$most" ]; then open_files=$most; fi
  ulimit -c 0 || failed "core file limit"
  ulimit -n "$open_files" || failed "open file limit"
  if [ -n "$processes" ]; then ulimit -u "$processes" || failed "process limit"; fi
  if [ -n "$data_kib" ]; then ulimit -d "$data_kib" || failed "data limit"; fi
  local drop=(--no-new-privs --inh-caps=-all)
  if [ "$uid" != 0 ]; then drop+=(--reuid "$uid" --regid "$uid" --clear-groups); fi
  # What the agent itself inherited without close-on-exec came along; bubblewrap would pass it on.
  for fd in /proc/self/fd/*; do
    fd=${fd##*/}
    if [ "$fd" -gt "$last" ] && [ "$fd" -lt 255 ] || [ "$fd" -gt 255 ]; then eval "exec $fd>&-"; fi
  done
  exec 3>&- 4<&-
  exec setpriv "${drop[@]}" -- bwrap "$@"
}

cat <&0 >/run/in 3>&- 4<&- 5>&- 6>&- &
cat </run/out >&1 3>&- 4<&- 5>&- 6>&- &
out=$!
cat </run/err >&2 3>&- 4<&- 5>&- 6>&- &
err=$!
code=0
(enter "$@") </run/in >/run/out 2>/run/err || code=$?
exec 1>&- 2>&- 5>&- 6>&-
echo "end $code" >&3
wait "$out" "$err"
read -r _ <&4 || true
