import { sockets as anySocket, files } from "../orders/intents.ts";
import * as linux from "../seccomp/constants.ts";
import { deny, eq, maskedEq } from "../seccomp/profile.ts";
import { reading } from "./probes-files.ts";
import { sockets } from "./probes-world.ts";
import { type EnforcedRule, rulesOf } from "./rule.ts";

const IP_FAMILIES = [linux.AF_INET, linux.AF_INET6];
const RUNTIME_SOCKETS = ["/run/docker.sock", "/var/run/docker.sock", "/run/containerd/containerd.sock", "/run/crio/crio.sock"];

const UNIX = "(socket.AF_UNIX, socket.SOCK_STREAM, 0)";
const TCP = "(socket.AF_INET, socket.SOCK_STREAM, 0)";
const UDP = "(socket.AF_INET, socket.SOCK_DGRAM, 0)";

const typeDenied = (type: number) => IP_FAMILIES.map((family) => deny("socket", eq(0, family), maskedEq(1, linux.SOCK_TYPE_MASK, type)));

/** Rules of `attackProtectionRules` that forbid kinds of sockets. They hold on loopback too; nothing else is there anyway. */
export const networkRules: EnforcedRule[] = rulesOf("attackProtectionRules", [
  {
    name: "disable-network",
    intents: [anySocket({})],
    demands: { denials: [deny("socket socketpair")] },
    needs: "filter",
    mechanism: "seccomp refuses socket and socketpair",
    fidelity: "exact",
    note: "Node's child_process needs socketpair and cannot work under this rule; sandboxes have no outside network without it either",
    selfTests: [sockets("open-socket", [UNIX, TCP], UDP)],
  },
  {
    name: "disable-inet",
    intents: [anySocket({ families: [linux.AF_INET] })],
    aliases: ["disable-ipv4"],
    demands: { denials: [deny("socket", eq(0, linux.AF_INET))] },
    needs: "filter",
    mechanism: "seccomp refuses socket(AF_INET)",
    fidelity: "exact",
    selfTests: [sockets("open-ipv4-socket", [TCP, UDP], UNIX)],
  },
  {
    name: "disable-inet6",
    intents: [anySocket({ families: [linux.AF_INET6] })],
    aliases: ["disable-ipv6"],
    demands: { denials: [deny("socket", eq(0, linux.AF_INET6))] },
    needs: "filter",
    mechanism: "seccomp refuses socket(AF_INET6)",
    fidelity: "exact",
    selfTests: [sockets("open-ipv6-socket", ["(socket.AF_INET6, socket.SOCK_STREAM, 0)"], TCP)],
  },
  {
    name: "disable-unix-domain-socket",
    intents: [anySocket({ families: [linux.AF_UNIX] })],
    demands: { denials: [deny("socket socketpair", eq(0, linux.AF_UNIX))] },
    needs: "filter",
    mechanism: "seccomp refuses socket(AF_UNIX) and socketpair(AF_UNIX)",
    fidelity: "exact",
    note: "Node's child_process needs socketpair and cannot work under this rule",
    selfTests: [sockets("open-unix-socket", [UNIX, "(socket.AF_UNIX, socket.SOCK_DGRAM, 0)"], TCP)],
  },
  {
    name: "disable-icmp",
    intents: [anySocket({ protocols: [linux.IPPROTO_ICMP, linux.IPPROTO_ICMPV6] })],
    demands: { denials: [deny("socket", eq(2, 1)), deny("socket", eq(2, 58))] },
    needs: "filter",
    mechanism: "seccomp refuses the protocols ICMP and ICMPv6, as datagram and as raw sockets",
    fidelity: "exact",
    selfTests: [sockets("open-icmp-socket", ["(socket.AF_INET, socket.SOCK_DGRAM, 1)", "(socket.AF_INET, socket.SOCK_RAW, 1)"], UDP)],
  },
  {
    name: "disable-tcp",
    intents: [anySocket({ families: IP_FAMILIES, types: [linux.SOCK_STREAM] }), anySocket({ protocols: [linux.IPPROTO_TCP] })],
    demands: { denials: typeDenied(linux.SOCK_STREAM) },
    needs: "filter",
    mechanism: "seccomp refuses stream sockets over IPv4 and IPv6, with protocol 0 as with 6",
    fidelity: "stricter",
    note: "upstream lets protocol 0 through, which is how every program asks for TCP; MPTCP is refused too",
    selfTests: [sockets("open-tcp-socket", [TCP, "(socket.AF_INET6, socket.SOCK_STREAM, 6)"], UDP)],
  },
  {
    name: "disable-udp",
    intents: [anySocket({ families: IP_FAMILIES, types: [linux.SOCK_DGRAM] }), anySocket({ protocols: [linux.IPPROTO_UDP] })],
    demands: { denials: typeDenied(linux.SOCK_DGRAM) },
    needs: "filter",
    mechanism: "seccomp refuses datagram sockets over IPv4 and IPv6, with protocol 0 as with 17",
    fidelity: "stricter",
    note: "upstream lets protocol 0 through, which is how every program asks for UDP",
    selfTests: [sockets("open-udp-socket", [UDP, "(socket.AF_INET6, socket.SOCK_DGRAM, 17)"], TCP)],
  },
  {
    name: "block-access-to-container-runtime",
    intents: files(["read", "write", "append"], "/**/containerd.sock", "/**/docker.sock", "/**/crio.sock"),
    demands: { hidden: RUNTIME_SOCKETS },
    mechanism: "the runtime's sockets are never mounted, and masked where a root file system has such a path",
    fidelity: "by-construction",
    selfTests: [reading("open-runtime-socket", RUNTIME_SOCKETS, "planted_files")],
  },
]);
