import type { SelfTest } from "@plastron/contracts";
import type { Intent, PortRange } from "../orders/order.ts";
import * as linux from "../seccomp/constants.ts";
import { type Condition, type Entry, fulfilling } from "../seccomp/profile.ts";
import { numbers, pythonProbe } from "./probes.ts";
import { sockets } from "./probes-world.ts";

/** Programs that try what raw rules on addresses, sockets and system calls forbid, made from the rule. */

/** A port of the rule, and one beside it; null where the rule names all of them. */
function portsOf(ports: readonly PortRange[]): { inside: number; outside: number | null } {
  const [first] = ports;
  if (!first) return { inside: 80, outside: null };
  const outside = [18_898, 28_899, 38_900, 48_901].find((port) => ports.every(([from, to]) => port < from || port > to));
  return { inside: first[0], outside: outside ?? null };
}

/** An address of the network that is not its first, unless it is the only one. */
export function addressOf(cidr: string | null): string {
  if (cidr === null) return "127.0.0.1";
  const [address = "", bits = ""] = cidr.split("/");
  if (address.includes(":")) return bits === "128" || !address.endsWith("::") ? address : `${address}1`;
  const last = Number(address.split(".")[3]);
  return Number(bits) >= 31 || last >= 255 ? address : `${address.split(".").slice(0, 3).join(".")}.${last + 1}`;
}

/** ECONNREFUSED and EINPROGRESS come only to who may connect. What has no route was not refused by the rule, and is out of reach all the same. */
export function connecting(id: string, { cidr, ports }: Extract<Intent, { kind: "connect" }>): SelfTest {
  const { inside, outside } = portsOf(ports);
  const address = addressOf(cidr);
  const loopback = cidr === null || address.startsWith("127.");
  const beside = loopback && outside !== null ? outside : 0;
  return pythonProbe({
    id,
    forbidden: `
import socket
PORT = ${inside}
def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET
def stream(address):
    with socket.socket(family(address), socket.SOCK_STREAM) as s:
        s.setblocking(False)
        s.connect((address, PORT))
def datagram(address):
    with socket.socket(family(address), socket.SOCK_DGRAM) as s:
        s.connect((address, PORT))
def unconnected(address):
    with socket.socket(family(address), socket.SOCK_DGRAM) as s:
        s.sendto(b"", (address, PORT))
address = ${JSON.stringify(address)}
results = {}
for form in [address] if ":" in address else [address, "::ffff:" + address]:
    for way in (stream, datagram, unconnected):
        results[way.__name__ + " " + form] = attempt(way, form)
judge(results, denied=DENIED + (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT), reached=(errno.EINPROGRESS, errno.ECONNREFUSED, errno.ETIMEDOUT, errno.EAGAIN))
`,
    allowed: `
import socket
def over_loopback():
    server = socket.create_server(("127.0.0.1", ${beside}))
    socket.create_connection(server.getsockname(), timeout=2).close()
works(over_loopback, socket.socketpair, os.pipe)
`,
    weakness: null,
  });
}

const FAMILIES = [linux.AF_UNIX, linux.AF_INET, linux.AF_INET6];
const TYPES = [linux.SOCK_STREAM, linux.SOCK_DGRAM];

export function socketKinds(id: string, { families, types, protocols }: Extract<Intent, { kind: "socket" }>): SelfTest {
  const inside = (list: readonly number[], otherwise: number): readonly number[] => (list.length > 0 ? list.slice(0, 4) : [otherwise]);
  const typeFor = (protocol: number): number => (protocol === linux.IPPROTO_TCP || protocol === linux.IPPROTO_MPTCP ? linux.SOCK_STREAM : linux.SOCK_DGRAM);
  const kinds = inside(families, linux.AF_INET).flatMap((family) =>
    inside(protocols, 0).flatMap((protocol) =>
      inside(types, protocol === 0 ? linux.SOCK_STREAM : typeFor(protocol)).map((type) => tuple(family, type, protocol)),
    ),
  );
  const beside = FAMILIES.flatMap((family) => TYPES.map((type) => ({ family, type }))).find(
    ({ family, type }) =>
      (families.length > 0 && !families.includes(family)) || (types.length > 0 && !types.includes(type)) || (protocols.length > 0 && !protocols.includes(0)),
  );
  return { ...sockets(id, kinds, beside ? tuple(beside.family, beside.type, 0) : tuple(linux.AF_UNIX, linux.SOCK_STREAM, 0)), weakness: null };
}

const tuple = (family: number, type: number, protocol: number): string => `(${family}, ${type}, ${protocol})`;

/** The call by its number in a child, with registers that fulfil the rule's conditions: it must answer what the rule says, or die of it. */
export function calling(id: string, entry: Entry): SelfTest {
  const words = registers(entry.when).join(", ");
  const expected = entry.verdict.action === "errno" ? entry.verdict.errno : null;
  const calls = entry.names.slice(0, 16).map((name) => `${JSON.stringify(name)}: ${numbers(name)}`);
  return pythonProbe({
    id,
    forbidden: `
import signal
EXPECTED = ${expected ?? "None"}
CALLS = {${calls.join(", ")}}
def in_child(table):
    """errno of the call, or 13 where the child was killed for it."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        error = call(table, ${words})
        os.write(writer, bytes((error & 0xff, error >> 8)))
        os._exit(0)
    os.close(writer)
    answer = os.read(reader, 2)
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGSYS:
        return "killed"
    return int.from_bytes(answer, "little") if len(answer) == 2 else "ended"
results = {name: in_child(table) for name, table in CALLS.items() if os.uname().machine in table}
print(results, flush=True)
denied = [error == "killed" if EXPECTED is None else error == EXPECTED or error == "killed" for error in results.values()]
sys.exit(13 if denied and all(denied) else 0)
`,
    allowed: "os.getppid()\nsys.exit(0)",
    weakness: null,
  });
}

/** For each argument a value that the conditions on it accept; where several speak of one, the last of them. */
function registers(when: readonly Condition[]): string[] {
  const words = Array<bigint>(6).fill(0n);
  for (const condition of when) words[condition.index] = fulfilling(condition);
  return words.map((word) => String(BigInt.asUintN(64, word)));
}
