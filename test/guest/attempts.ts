/**
 * What is tried in the guest under `acceptance` (policy.ts): a shell command each. `attempt` must work without a policy and where it
 * is only observed, and fail under it; `control` must work in all three. `logged` is what the record must name.
 */
export interface Attempt {
  title: string;
  attempt: string;
  control?: string;
  logged: RegExp;
  /** More is denied here than the rule says, so that it cannot be got round; where the rule only observes, this is not recorded. */
  beyond?: true;
}

const TOKEN = "/run/secrets/kubernetes.io/serviceaccount/token";
const connect = (title: string, address: string, port: number, control: string, how = "connect"): Attempt => ({
  title,
  attempt: `probe ${how} ${address} ${port}`,
  control: `probe ${how} ${control}`,
  logged: new RegExp(`"kind":"connect".*"detail":\\[${port},`),
});

/** Prepares what attempts need, once before each group of them; they may have changed it. */
export const PREPARE = `
cp -a /fresh/. /
rm -rf /tmp/* /etc/new* /mnt/* /run/secrets/hard
mkdir -p /tmp/m
cp /bin/probe /tmp/wget
cp /bin/probe /bin/ping
printf '#!/bin/ping ok\\n' >/tmp/script
chmod 755 /tmp/script
`;

export const FRESH = [
  { path: `/fresh${TOKEN}`, content: "secret\n" },
  { path: "/fresh/run/secrets/public", content: "public\n" },
  { path: "/fresh/etc/target", content: "content\n", mode: 0o644 },
  { path: "/fresh/etc/moves", content: "content\n" },
  { path: "/fresh/usr/bin/runc", content: "#!/bin/sh\n" },
];

/** What both security modules can say. */
export const FOR_BOTH: Attempt[] = [
  { title: "1, 2: reading the service account's token", attempt: `cat ${TOKEN}`, control: "cat /run/secrets/public", logged: /serviceaccount\/token/ },
  {
    title: "the token by another spelling",
    attempt: "cd /run/secrets/kubernetes.io && cat ../kubernetes.io/./serviceaccount/token",
    logged: /serviceaccount\/token/,
  },
  { title: "the token through a symbolic link", attempt: `ln -s ${TOKEN} /tmp/link && cat /tmp/link`, logged: /serviceaccount\/token/ },
  { title: "the token through a hard link", attempt: `ln ${TOKEN} /run/secrets/hard && cat /run/secrets/hard`, logged: /serviceaccount|hard/ },
  {
    title: "9: a raw socket",
    attempt: "probe socket 2 3 1",
    control: "probe connect 127.0.0.1 9",
    logged: /net_raw|"kind":"(capability|socket)"|family="inet"/,
  },
  { title: "24: executing ping", attempt: "/bin/ping ok", control: "probe ok", logged: /\/bin\/ping/ },
  { title: "executing ./ping", attempt: "cd /bin && ./ping ok", logged: /\/bin\/ping/ },
  { title: "copying a program that may not be executed", attempt: "cp /bin/ping /tmp/other1 && /tmp/other1 ok", logged: /"\/bin\/ping"/, beyond: true },
  { title: "a hard link to it", attempt: "ln /tmp/wget /tmp/other2 && /tmp/other2 ok", logged: /"\/tmp\/(wget|other[23])"/, beyond: true },
  { title: "mapping it executable", attempt: "probe map /tmp/wget", logged: /\/tmp\/wget/ },
  { title: "making a mapping of it executable", attempt: "probe protect /tmp/wget", control: "probe protect /bin/busybox", logged: /\/tmp\/wget/ },
  { title: "renaming it", attempt: "mv /tmp/wget /tmp/other3 && /tmp/other3 ok", logged: /"\/tmp\/(wget|other[23])"/, beyond: true },
  {
    title: "25: writing core_pattern",
    attempt: "echo core >/proc/sys/kernel/core_pattern",
    control: "cat /proc/sys/kernel/core_pattern",
    logged: /core_pattern/,
  },
  { title: "25: mounting procfs", attempt: "mount -t proc proc /tmp/m && umount /tmp/m", control: "mount -t tmpfs t /mnt && umount /mnt", logged: /proc/ },
  { title: "25: mounting securityfs", attempt: "mount -t securityfs s /tmp/m && umount /tmp/m", logged: /securityfs/ },
  { title: "mounting cgroup2, which upstream's rule misses", attempt: "mount -t cgroup2 c /tmp/m && umount /tmp/m", logged: /cgroup/ },
  {
    title: "binding /proc somewhere else",
    attempt: "mount --bind /proc /tmp/m && umount /tmp/m",
    control: "mount --bind /mnt /tmp/m && umount /tmp/m",
    logged: /proc/,
  },
  { title: "binding a part of /proc", attempt: "mount --bind /proc/sys /tmp/m && umount /tmp/m", logged: /proc/ },
  { title: "unmounting what is below /proc", attempt: "umount /proc/sys/fs/binfmt_misc", logged: /binfmt_misc/ },
  {
    title: "26: overwriting the launcher through a descriptor",
    attempt: "exec 3</usr/bin/runc && echo x >/proc/self/fd/3",
    control: "cat /usr/bin/runc",
    logged: /\/usr\/bin\/runc/,
  },
  { title: "opening a file of /etc for writing", attempt: "echo x >/etc/target", control: "cat /etc/target", logged: /\/etc\/target/ },
  { title: "appending to it", attempt: "probe append /etc/target", logged: /\/etc\/target/ },
  { title: "making a file in /etc", attempt: ": >/etc/new", logged: /\/etc\/new/ },
  { title: "removing a file of /etc", attempt: "rm /etc/target", logged: /\/etc\/target/ },
  { title: "making a directory in /etc", attempt: "mkdir /etc/newdir", logged: /\/etc\/newdir/ },
  { title: "truncating without opening", attempt: "probe truncate /etc/group", logged: /\/etc\/group/ },
  { title: "changing a mode", attempt: "chmod 600 /etc/group", control: "chmod 600 /run/secrets/public", logged: /\/etc\/group/ },
  { title: "changing an owner", attempt: "chown 1 /etc/group", logged: /\/etc\/group/ },
  { title: "making a symbolic link in /etc", attempt: "ln -s x /etc/newlink", logged: /\/etc\/newlink/ },
  { title: "making a device in /etc", attempt: "mknod /etc/newnode p", logged: /\/etc\/newnode/ },
  { title: "renaming into /etc", attempt: "echo >/tmp/file && mv /tmp/file /etc/newname", logged: /\/etc\/newname/ },
  { title: "renaming out of /etc", attempt: "probe rename /etc/moves /moved", logged: /\/etc\/moves/ },
  { title: "tracing a child", attempt: "probe trace", control: "true", logged: /ptrace/ },
];

/** What only the BPF LSM sees. */
export const FOR_BPF: Attempt[] = [
  connect("11: an address and port", "11.30.31.68", 6443, "11.30.31.68 6444"),
  connect("12: a network", "192.168.1.101", 80, "192.168.2.1 80"),
  connect("13: a network whose border is within a byte", "172.31.0.1", 80, "172.32.1.101 80"),
  connect("14: an IPv6 address", "fdbd:dc01:ff:307:9329:268d:3a27:2ca7", 80, "fdbd:dc01:ff:307:9329:268d:3a27:2ca8 80"),
  connect("15: an IPv6 network", "2001:db9:2:307::1", 80, "2001:dba:2:307::1 80"),
  connect("16: a port of any address", "127.0.0.1", 10250, "127.0.0.1 18898"),
  connect("16: a port of any IPv6 address", "::1", 10250, "::1 18898"),
  connect("17: a range of ports", "127.0.0.1", 6680, "127.0.0.1 6681"),
  connect("18: a list of ports", "127.0.0.1", 6692, "127.0.0.1 6691"),
  connect("20: the unspecified address", "0.0.0.0", 8000, "0.0.0.0 9090"),
  connect("20: the unspecified IPv6 address", "::", 8000, "::1 8000"),
  connect("21: UDP that is not connected", "192.168.1.101", 53, "192.168.2.1 53", "send"),
  connect("21: UDP to an address without a family", "192.168.1.101", 53, "192.168.2.1 53", "send-unspecified"),
  connect("21: an IPv4 address as IPv6 writes it", "::ffff:192.168.1.101", 80, "::ffff:192.168.2.1 80"),
  connect("21: UDP to such an address", "::ffff:192.168.1.101", 53, "::ffff:192.168.2.1 53", "send"),
  connect("21: data with the first packet", "127.0.0.1", 6692, "127.0.0.1 6691", "fastopen"),
  { title: "an ICMP socket without capabilities", attempt: "probe socket 2 2 1", control: "probe socket 2 2 0", logged: /"kind":"socket".*"detail":\[2,2,1\]/ },
  { title: "the runtime's socket", attempt: "probe connect-unix /run/docker.sock", control: "probe connect-unix /run/other.sock", logged: /docker\.sock/ },
  { title: "the runtime's socket through a link", attempt: "ln -s /run/docker.sock /tmp/s && probe connect-unix /tmp/s", logged: /docker\.sock/ },
  { title: "a script whose interpreter may not be executed", attempt: "/tmp/script", control: "sh -c true", logged: /\/bin\/ping/ },
  { title: "a link called like the program", attempt: "ln -s /bin/probe /tmp/wget2 && /tmp/wget2 ok", logged: /\/tmp\/wget2/ },
  {
    title: "mounting procfs in parts",
    attempt: "probe mount proc /tmp/m && umount /tmp/m",
    control: "probe mount tmpfs /mnt && umount /mnt",
    logged: /"kind":"mount".*proc/,
  },
  { title: "asking to be traced", attempt: "probe traceme", logged: /"kind":"ptrace"/ },
  { title: "the token from a new mount namespace", attempt: `probe new-namespace-read ${TOKEN}`, logged: /serviceaccount\/token/ },
];
