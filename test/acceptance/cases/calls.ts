import type { Case } from "../case.ts";
import { calling, connecting, python, reading, shell } from "../probes.ts";

const USER = 0x10000000;
const created = `f = b"/tmp/f"\nopen(f, "w").close()\nos.chmod(f, 0o600)\nfd = os.open(f, os.O_RDONLY)`;
const modes = (numbers: readonly number[]) =>
  numbers.flatMap((mode) => [
    calling(`chmod ${mode.toString(8)}`, 90, `f, 0o${mode.toString(8)}`, 0, created),
    calling(`fchmod ${mode.toString(8)}`, 91, `fd, 0o${mode.toString(8)}`, 0, created),
    calling(`fchmodat ${mode.toString(8)}`, 268, `0xffffffffffffff9c, f, 0o${mode.toString(8)}`, 0, created),
  ]);

export const CALL_CASES: Case[] = [
  {
    id: "4",
    title: "new user namespaces, by unshare, clone and clone3",
    enforcer: "Seccomp",
    enhanceProtect: { hardeningRules: ["disallow-create-user-ns"] },
    denied: [
      shell("unshare -U true", "unshare -U true"),
      calling("unshare(CLONE_NEWUSER)", 272, `0x${USER.toString(16)}`),
      python(
        "clone(CLONE_NEWUSER)",
        `import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\npid = libc.syscall(56, ctypes.c_ulong(0x${USER.toString(16)} | 17), 0, 0, 0, 0)\nif pid == 0: os._exit(0)\nerror = ctypes.get_errno()\nif pid > 0: os.waitpid(pid, 0)\nended(lambda: None if pid > 0 else (_ for _ in ()).throw(OSError(error, "clone")))`,
      ),
    ],
    control: [
      shell("start a child", "true & wait"),
      python("start a thread", `import threading\nt = threading.Thread(target=print)\nt.start()\nt.join()\nsys.exit(0)`),
    ],
    rule: "disallow-create-user-ns",
    operation: "Syscall",
  },
  {
    id: "5",
    title: "execute bits, one by one and all together",
    enforcer: "Seccomp",
    enhanceProtect: { attackProtectionRules: [{ rules: ["disable-chmod-x-bit"] }] },
    denied: [
      ...modes([0o100, 0o010, 0o001, 0o755]),
      calling("fchmodat2 755", 452, `0xffffffffffffff9c, f, 0o755, 0`, 0, created),
      shell("chmod +x", ": >/tmp/f; chmod +x /tmp/f"),
    ],
    control: [...modes([0o600]), shell("chmod 600", ": >/tmp/f; chmod 600 /tmp/f")],
    rule: "disable-chmod-x-bit",
    operation: "Syscall",
  },
  {
    id: "6",
    title: "set-id bits: the group's here, since the user's is refused under every policy",
    enforcer: "Seccomp",
    enhanceProtect: { attackProtectionRules: [{ rules: ["disable-chmod-s-bit"] }] },
    denied: [...modes([0o2644, 0o2755]), shell("chmod g+s", ": >/tmp/f; chmod g+s /tmp/f")],
    control: [...modes([0o644, 0o1644]), shell("chmod 644", ": >/tmp/f; chmod 644 /tmp/f")],
    rule: "disable-chmod-s-bit",
    operation: "Syscall",
  },
  {
    id: "7",
    title: "several enforcers: a raw call rule with three conditions on one argument, a port, an AppArmor line",
    enforcer: "AppArmorBPFSeccomp",
    enhanceProtect: {
      appArmorRawRules: [{ rules: "audit deny /etc/hostname r," }],
      bpfRawRules: { network: { egress: { toDestinations: [{ qualifiers: ["deny", "audit"], cidr: "0.0.0.0/0", ports: [{ port: 443 }] }] } } },
      syscallRawRules: [
        {
          names: ["fchmodat"],
          action: "SCMP_ACT_ERRNO",
          args: [0o100, 0o010, 0o001].map((bit) => ({ index: 2, value: bit, valueTwo: bit, op: "SCMP_CMP_MASKED_EQ" })),
        },
      ],
    },
    denied: [
      ...[0o100, 0o010, 0o001].map((mode) => calling(`fchmodat ${mode.toString(8)}`, 268, `0xffffffffffffff9c, f, 0o${mode.toString(8)}`, 0, created)),
      reading("/etc/hostname"),
      connecting("127.0.0.1", 443),
    ],
    control: [calling("fchmodat 600", 268, "0xffffffffffffff9c, f, 0o600", 0, created), reading("/etc/hosts"), connecting("127.0.0.1", 80)],
    rule: ["syscallRawRules[0]", "appArmorRawRules[0].rules:1", "bpfRawRules.network.egress.toDestinations[0]"],
  },
  {
    id: "9",
    title: "CAP_NET_RAW",
    enforcer: "BPF",
    enhanceProtect: { hardeningRules: ["disable-cap-net-raw"] },
    denied: [python("open a raw ICMP socket", `import socket\nended(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))`)],
    control: [
      python("connect over loopback", `import socket\nl = socket.create_server(("127.0.0.1", 0))\nended(lambda: socket.create_connection(l.getsockname()))`),
    ],
    rule: "disable-cap-net-raw",
    operation: "Capability",
  },
  {
    id: "10",
    title: "CAP_SYS_ADMIN through a user namespace, in one step and in two",
    enforcer: "BPF",
    enhanceProtect: { hardeningRules: ["disallow-abuse-user-ns"] },
    denied: [
      shell("unshare -Um", "unshare --propagation unchanged -Um true"),
      python(
        "unshare a user namespace, then with its privileges a mount namespace",
        `import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\ndef unshare(flag):\n    if libc.unshare(flag) != 0:\n        raise OSError(ctypes.get_errno(), "unshare")\nended(lambda: (unshare(0x10000000), unshare(0x20000)))`,
      ),
    ],
    control: [shell("start a child", "true & wait")],
    rule: "disallow-abuse-user-ns",
  },
  {
    id: "27",
    title: "splice (CVE-2022-0847)",
    enforcer: "Seccomp",
    enhanceProtect: { vulMitigationRules: ["dirty-pipe-mitigation"] },
    denied: [
      python(
        "splice",
        `r, w = os.pipe()\nf = os.open("/etc/hosts", os.O_RDONLY)\nended(lambda: os.splice(f, w, 1)) if hasattr(os, "splice") else sys.exit(14)`,
      ),
    ],
    control: [
      python("sendfile", `f = os.open("/etc/hosts", os.O_RDONLY)\no = os.open("/tmp/o", os.O_WRONLY | os.O_CREAT)\nended(lambda: os.sendfile(o, f, 0, 10))`),
    ],
    rule: "dirty-pipe-mitigation",
    operation: "Syscall",
  },
  {
    id: "28",
    title: "AF_ALG sockets",
    enforcer: "BPFSeccomp",
    enhanceProtect: { vulMitigationRules: ["copy-fail-mitigation"] },
    denied: [python("socket(AF_ALG)", `import socket\nended(lambda: socket.socket(38, socket.SOCK_SEQPACKET, 0))`, 14)],
    control: [python("socket(AF_INET)", `import socket\nended(lambda: socket.socket(socket.AF_INET))`)],
    rule: "copy-fail-mitigation",
  },
  {
    id: "high-bits",
    title: "the bits of an int that the kernel does not read",
    enforcer: "Seccomp",
    enhanceProtect: { hardeningRules: ["disallow-load-all-bpf-prog", "disallow-load-bpf-via-setsockopt"] },
    denied: [
      calling(
        "setsockopt with the option's high bits set",
        54,
        "s.fileno(), 1, 26 | 1 << 32, ctypes.c_ulong(ctypes.addressof(p)).value, 16",
        0,
        `import socket, struct\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nc = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))\np = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", 1, ctypes.addressof(c)))`,
      ),
    ],
    control: [python("another option", `import socket\ns = socket.socket()\nended(lambda: s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1))`)],
    rule: "disallow-load-bpf-via-setsockopt",
  },
  {
    id: "tcp",
    title: "TCP as every program asks for it, with protocol 0",
    enforcer: "BPF",
    enhanceProtect: { attackProtectionRules: [{ rules: ["disable-tcp"] }] },
    denied: [python("socket(AF_INET, SOCK_STREAM, 0)", `import socket\nended(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0))`)],
    control: [python("a datagram socket", `import socket\nended(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))`)],
    rule: "disable-tcp",
    operation: "Network",
  },
  {
    id: "24b",
    title: "a rule that only audits lets it pass and records it",
    enforcer: "BPF",
    enhanceProtect: { bpfRawRules: { network: { sockets: [{ qualifiers: ["audit"], protocols: ["udp"] }] } } },
    denied: [python("open a UDP socket", `import socket\nended(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 17))`)],
    control: [python("open a TCP socket", `import socket\nended(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))`)],
    rule: "bpfRawRules.network.sockets[0]",
    operation: "Network",
    auditOnly: true,
  },
  {
    id: "25",
    title: "mounts in a privileged sandbox: what the rules name, and nothing else",
    enforcer: "BPF",
    enhanceProtect: {
      privileged: true,
      hardeningRules: ["disallow-write-core-pattern", "disallow-mount-securityfs", "disallow-mount-procfs", "disallow-mount-cgroupfs"],
    },
    denied: [
      calling("mount proc", 165, `b"proc", b"/tmp", b"proc", 0, 0`),
      python("write core_pattern", `ended(lambda: open("/proc/sys/kernel/core_pattern", "w").write("1"))`),
    ],
    control: [calling("mount a tmpfs", 165, `b"t", b"/tmp", b"tmpfs", 0, 0`)],
    rule: null,
  },
];
