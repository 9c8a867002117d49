import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Confinement, NO_RULES } from "@plastron/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SandboxDriver } from "../../driver.ts";
import { bench } from "../../testing/harness.ts";
import { destination, hooked } from "../../testing/hooked.ts";
import { localDriverMissing, openLocalDriver } from "./index.ts";

const WAYS = readFileSync(new URL("../../testing/ways-to-an-address.py", import.meta.url), "utf8");
const PORT = 8000;
/** Ways that no rule on addresses can see: such sockets cannot be made where a rule denies any. */
const AROUND = ["UDP-Lite", "raw"];

/** Nothing else confines the program here: no filter, no Landlock, and it keeps root's capabilities, so that even raw sockets are its own. */
const bare = { ...NO_RULES, weak: { seccomp: true, landlock: true, capabilities: true } } as const;
const free: Confinement = { ...bare, id: "f".repeat(64), policy: "free" };
const LOOPBACK = [destination("127.0.0.0/8", [PORT, PORT]), destination("::1", [PORT, PORT])];

/** Case 21 of the acceptance suite, and all else that was thought of. Each way is seen to arrive without the hooks. */
describe.runIf(localDriverMissing() === null)("ways to an address that is denied [needs: root, the unified cgroup hierarchy]", { timeout: 60_000 }, () => {
  const home = mkdtempSync(join(tmpdir(), "plastron-hooks-attacks-"));
  let driver: SandboxDriver;
  beforeAll(async () => {
    driver = await openLocalDriver({ home });
  }, 60_000);
  afterAll(async () => {
    await driver.close();
    rmSync(home, { recursive: true, force: true });
  });

  async function tryWays(confinement: Confinement, port = PORT) {
    const ran = await bench(driver, confinement).python(WAYS, { args: [String(port), String(port)] });
    expect(ran.stderr).toBe("");
    return { ways: JSON.parse(ran.stdout) as Record<string, string>, ran };
  }

  it("all arrive without the hooks and none with them, and each is recorded", async () => {
    const { ways: without } = await tryWays(free);
    expect(Object.keys(without).length).toBeGreaterThan(25);
    expect(without).toEqual(Object.fromEntries(Object.keys(without).map((way) => [way, "arrived"])));
    const { ways, ran } = await tryWays(hooked(LOOPBACK, {}, bare));
    expect(ways).toEqual(Object.fromEntries(Object.keys(without).map((way) => [way, "EPERM"])));
    expect(ran.violations).toHaveLength(Object.keys(ways).length);
    expect(ran.violations.every(({ action, rule_id }) => action === "DENIED" && rule_id === "egress")).toBe(true);
    const kinds = ran.violations.map(({ event }) => (event.operation === "Network" ? event.type : event.operation));
    expect(kinds.filter((kind) => kind === "socket")).toHaveLength(AROUND.length);
  });

  it("arrive where the rules do not reach, but for sockets that no rule could see", async () => {
    const { ways, ran } = await tryWays(hooked(LOOPBACK, {}, bare), PORT + 100);
    expect(ways).toEqual(Object.fromEntries(Object.keys(ways).map((way) => [way, AROUND.includes(way) ? "EPERM" : "arrived"])));
    expect(ran.violations).toHaveLength(AROUND.length);
  });

  it("arrive and are recorded where a rule only observes; then nothing is refused", async () => {
    const { ways, ran } = await tryWays(
      hooked(
        LOOPBACK.map((rule) => ({ ...rule, deny: false })),
        {},
        bare,
      ),
    );
    expect(ways).toEqual(Object.fromEntries(Object.keys(ways).map((way) => [way, "arrived"])));
    expect(ran.violations.length).toBeGreaterThanOrEqual(Object.keys(ways).length - AROUND.length);
    expect(ran.violations.every(({ action }) => action === "AUDIT")).toBe(true);
  });

  const FROM_BOUND = `
import errno, json, socket, struct
server, datagrams = socket.socket(), socket.socket(2, 2)
server.bind(('127.0.0.2', ${PORT})); server.listen(); datagrams.bind(('127.0.0.2', ${PORT}))
for each in server, datagrams: each.settimeout(0.3)
def stream(family, source, target):
    client = socket.socket(family); client.bind((source, 0)); client.connect((target, ${PORT})); server.accept()
def datagram():
    sender = socket.socket(2, 2); sender.bind(('127.0.0.2', 0)); sender.sendto(b'x', ('0.0.0.0', ${PORT})); datagrams.recv(9)
def message():
    source = (0, 8, struct.pack('=I4s4s', 0, socket.inet_aton('127.0.0.2'), bytes(4)))  # IPPROTO_IP, IP_PKTINFO
    socket.socket(2, 2).sendmsg([b'x'], [source], 0, ('0.0.0.0', ${PORT})); datagrams.recv(9)
def outcome(attempt):
    try: attempt(); return 'arrived'
    except OSError as error: return errno.errorcode.get(error.errno, 'nothing came')
ways = lambda: stream(2, '127.0.0.2', '0.0.0.0'), lambda: stream(10, '::ffff:127.0.0.2', '::ffff:0.0.0.0'), datagram, message
free = socket.socket(); free.settimeout(1)
print(json.dumps([*map(outcome, ways), outcome(lambda: free.connect(('0.0.0.0', ${PORT})))]))`;

  it("do not open by 0.0.0.0 from a socket that is bound to the address itself, where the rule does not cover 0.0.0.0", async () => {
    const rule = { ...destination("127.0.0.2"), unspecified: false };
    expect(JSON.parse((await bench(driver, free).python(FROM_BOUND)).stdout)).toEqual(["arrived", "arrived", "arrived", "arrived", "ECONNREFUSED"]);
    const ran = await bench(driver, hooked([rule], {}, bare)).python(FROM_BOUND);
    expect(JSON.parse(ran.stdout)).toEqual(["EPERM", "EPERM", "EPERM", "EPERM", "ECONNREFUSED"]);
    expect(ran.violations).toHaveLength(4);
  });

  const KINDS = `
import errno, json, socket
def outcome(attempt):
    try: attempt(); return 'made'
    except OSError as error: return errno.errorcode[error.errno]
kinds = (2, 1, 0), (10, 1, 0), (2, 1, 6), (2, 0o4001, 0), (2, 1, 262), (2, 2, 0), (1, 1, 0)
ports = (2, '127.0.0.1', 80), (10, '::1', 80), (10, '::ffff:127.0.0.1', 80), (2, '127.0.0.1', 8080)
print(json.dumps([outcome(lambda: socket.socket(*each)) for each in kinds]), json.dumps([outcome(lambda: socket.socket(family, 2).bind((ip, port))) for family, ip, port in ports]))`;

  it("of TCP are refused by its number however the socket is asked for, and low ports in either family", async () => {
    const deny = { rule: 0, deny: true, report: true };
    const tcp = hooked([], { sockets: [{ ...deny, families: [], types: [], protocols: [6, 262] }], binds: [{ ...deny, ports: [[1, 1023]] }] }, bare);
    const made = (count: number) => Array(count).fill("made");
    expect((await bench(driver, free).python(KINDS)).stdout).toBe(`${JSON.stringify(made(7))} ${JSON.stringify(made(4))}\n`.replaceAll(",", ", "));
    const ran = await bench(driver, tcp).python(KINDS);
    const [sockets, binds] = [
      [...Array(5).fill("EPERM"), ...made(2)],
      [...Array(3).fill("EPERM"), "made"],
    ];
    expect(ran.stdout).toBe(`${JSON.stringify(sockets)} ${JSON.stringify(binds)}\n`.replaceAll(",", ", "));
    const socket = { operation: "Network", type: "socket", domain: "AF_INET", socketType: "SOCK_STREAM", protocol: "IPPROTO_TCP" };
    expect(ran.violations.map(({ event }) => event)).toMatchObject([
      socket,
      { ...socket, domain: "AF_INET6" },
      socket,
      socket,
      { protocol: "IPPROTO_MPTCP" },
      {},
      {},
      {},
    ]);
  });

  const LEAVE = `
import ctypes, os, socket
def connect():
    try: socket.socket().connect(('127.0.0.1', ${PORT}))
    except OSError as error: return error.errno
os.mkdir('/tmp/cg')
assert ctypes.CDLL(None).mount(b'none', b'/tmp/cg', b'cgroup2', 0, None) == 0
os.mkdir('/tmp/cg/free')
open('/tmp/cg/free/cgroup.procs', 'w').write('0')
print(open('/proc/self/cgroup').read().splitlines()[-1], connect())
pid = os.fork()
if pid == 0:
    os.setsid(); os._exit(connect())
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
open('/tmp/cg/cgroup.procs', 'w').write('0')
os.rmdir('/tmp/cg/free')`;

  it("do not open below: a root that mounts the hierarchy sees its own cgroup as the top, and groups of its own inherit the programs", async () => {
    expect(await bench(driver, free).python(LEAVE)).toMatchObject({ stderr: "", stdout: expect.stringMatching(/ 111\n111\n$/) });
    expect(await bench(driver, hooked(LOOPBACK, {}, bare)).python(LEAVE)).toMatchObject({ stderr: "", stdout: "0::/free 1\n1\n" });
  });

  const DEVICES = `
import os
for path, mode in (('/dev/null', os.O_RDWR), ('/dev/full', os.O_RDWR), ('/dev/urandom', os.O_RDONLY), ('/tmp/disk', os.O_RDONLY), ('/tmp/memory', os.O_RDONLY)):
    try:
        if path == '/tmp/disk': os.mknod(path, 0o60600, os.makedev(7, 0))
        if path == '/tmp/memory': os.mknod(path, 0o20600, os.makedev(1, 1))
        os.close(os.open(path, mode)); print(path, 'opened')
    except OSError as error: print(path, error.errno)`;

  it("let no device node be made, by root either", async () => {
    const opened = "/dev/null opened\n/dev/full opened\n/dev/urandom opened\n";
    expect((await bench(driver, free).python(DEVICES)).stdout).toBe(`${opened}/tmp/disk 13\n/tmp/memory 13\n`); // made, on a mount without devices
    const ran = await bench(driver, hooked([], { devices: true }, bare)).python(DEVICES);
    expect(ran.stdout).toBe(`${opened}/tmp/disk 1\n/tmp/memory 1\n`);
  });
});
