import type { NetworkRules, SelfTest } from "@plastron/contracts";
import { pythonProbe } from "./probes.ts";
import { addressOf } from "./probes-raw.ts";

/** Programs that try what the way out refuses. Whatever answers them, it must not be somebody outside. */

const OWN_SERVER = `
import socket
def over_loopback():
    server = socket.create_server(("127.0.0.1", 0))
    socket.create_connection(server.getsockname(), timeout=2).close()
works(over_loopback, socket.socketpair, os.pipe)
`;

/** A connection that is made and gives nothing was ended by the proxy; one that hangs went on to somewhere. */
const TALK = `
import socket
def talk(host, port, request):
    """What came back, or None where nobody answered."""
    try:
        with socket.create_connection((host, port), timeout=4) as s:
            s.sendall(request)
            return s.recv(4096)
    except socket.timeout:
        return b"hangs"
    except OSError:
        return None
`;

/** TEST-NET-1 (RFC 5737): nobody is there, so a test that finds a hole harms nobody. */
const NOWHERE = "192.0.2.1";

export function leavingByDefault(id: string): SelfTest {
  return leaving(id, NOWHERE, 80);
}

export function leavingTo(id: string, { cidr, ports }: NetworkRules["addresses"][number]): SelfTest {
  return leaving(id, cidr === null ? NOWHERE : addressOf(cidr), ports[0]?.[0] ?? 80);
}

function leaving(id: string, address: string, port: number): SelfTest {
  return pythonProbe({
    id,
    forbidden: `${TALK}
answer = talk(${JSON.stringify(address)}, ${port}, b"GET / HTTP/1.1\\r\\nHost: ${address.includes(":") ? `[${address}]` : address}\\r\\nConnection: close\\r\\n\\r\\n")
print(answer)
done(answer is not None and answer != b"" and not answer.startswith(b"HTTP/1.1 403"))
`,
    allowed: OWN_SERVER,
    weakness: null,
  });
}

/** A request that the rule names, by a name that it names: the proxy refuses it, or the name does not exist. */
export function requesting(id: string, { match }: NetworkRules["http"][number]): SelfTest {
  const [host = "plastron-probe.test"] = match.hosts;
  const name = host.replace(/^\*\.?/, "plastron-probe.").replace(/\.$/, ".test");
  const [first] = match.paths;
  const path = first?.path ?? "/";
  const method = match.methods[0] ?? "GET";
  const request = `${method} ${path} HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`;
  return pythonProbe({
    id,
    forbidden: `${TALK}
answer = talk(${JSON.stringify(name)}, ${match.ports[0]?.[0] ?? 80}, ${JSON.stringify(request)}.encode())
print(answer)
done(answer is not None and answer != b"" and not answer.startswith(b"HTTP/1.1 403"))
`,
    allowed: OWN_SERVER,
    weakness: null,
  });
}

/** A name that is nobody's (RFC 6761), and that a policy hardly ever names. */
const NOBODY = "plastron-probe-nobody.test";

/**
 * A name that the rule allows has an address, which stands for it and leads nowhere by itself; a name that no rule allows has none.
 * Undefined where that cannot be told: every name exists, or a rule denies this one altogether.
 */
export function naming(id: string, { match }: NetworkRules["http"][number], rules: NetworkRules): SelfTest | undefined {
  const host = match.hosts.find((each) => /[a-z]/.test(each) && !each.includes(":"))?.replace(/^\*\./, "plastron-probe.");
  const names = (name: string, verdict: "allow" | "deny") => rules.http.some((rule) => rule.verdict === verdict && isNamed(rule.match.hosts, name));
  const areAllNames = rules.default_action === "allow" || rules.addresses.some(({ verdict }) => verdict === "allow") || names(NOBODY, "allow");
  if (host === undefined || areAllNames || names(host, "deny")) return undefined;
  return pythonProbe({
    id,
    forbidden: `${RESOLVE}
address = resolve(${JSON.stringify(NOBODY)})
print(address)
done(address is not None)
`,
    allowed: `${RESOLVE}
address = resolve(${JSON.stringify(host)})
print(address)
done(address is not None and address.startswith(("198.18.", "198.19.")))
`,
    weakness: null,
  });
}

function isNamed(patterns: readonly string[], name: string): boolean {
  return patterns.length === 0 || patterns.some((pattern) => pattern === name || (pattern.startsWith("*.") && name.endsWith(pattern.slice(1))));
}

const RESOLVE = `
import socket
def resolve(name):
    """The first IPv4 address; None for a name that does not exist."""
    try:
        return socket.getaddrinfo(name, 80, socket.AF_INET, socket.SOCK_STREAM)[0][4][0]
    except socket.gaierror:
        return None
`;
