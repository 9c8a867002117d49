import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Confinement, NO_RULES } from "@plastron/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SandboxDriver } from "../../driver.ts";
import { bench } from "../../testing/harness.ts";
import { destination, hooked, observed } from "../../testing/hooked.ts";
import { localDriverMissing, openLocalDriver } from "./index.ts";

/**
 * vArmor's acceptance cases for addresses, each run without the policy, with it, and observed only. In the sandbox's network there
 * is nothing but loopback, and nobody listens: what the hooks let through is refused by the port or has no route, never EPERM.
 */
type Target = [ip: string, port: number];
const pod = (cidr: string) => ({ ...destination(cidr, [80, 8080]), unspecified: false });

const CASES: { name: string; rules: Parameters<typeof hooked>[0]; denied: Target[]; allowed: Target[] }[] = [
  { name: "11: an address and a port", rules: [destination("11.30.31.68", [6443, 6443])], denied: [["11.30.31.68", 6443]], allowed: [["11.30.31.68", 6444]] },
  { name: "12: a range", rules: [destination("192.168.1.0/24")], denied: [["192.168.1.101", 80]], allowed: [["192.168.2.1", 80]] },
  { name: "13: the border of a range", rules: [destination("172.16.0.0/11")], denied: [["172.31.0.1", 80]], allowed: [["172.32.1.101", 80]] },
  {
    name: "14: an IPv6 address",
    rules: [destination("fdbd:dc01:ff:307:9329:268d:3a27:2ca7")],
    denied: [["fdbd:dc01:ff:307:9329:268d:3a27:2ca7", 80]],
    allowed: [["fdbd:dc01:ff:307:9329:268d:3a27:2ca8", 80]],
  },
  {
    name: "15: a range of IPv6",
    rules: [destination("2001:db8::/31")],
    denied: [["2001:db9:2:307:9329:268d:3a27:2ca7", 80]],
    allowed: [["2001:dba:2:307:9329:268d:3a27:2ca7", 80]],
  },
  {
    name: "16: a port of any address",
    rules: [destination(null, [10250, 10250])],
    denied: [
      ["127.0.0.1", 10250],
      ["::1", 10250],
    ],
    allowed: [
      ["127.0.0.1", 18898],
      ["::1", 18898],
    ],
  },
  { name: "17: a range of ports", rules: [destination(null, [6670, 6680])], denied: [["127.0.0.1", 6670]], allowed: [["127.0.0.1", 6681]] },
  {
    name: "18: a list of ports",
    rules: [destination(null, [6670, 6670], [6672, 6673])],
    denied: [["127.0.0.1", 6672]],
    allowed: [["127.0.0.1", 6671]],
  },
  {
    name: "19: the pod's own addresses",
    rules: [pod("127.0.0.0/8"), pod("::1"), pod("10.9.8.7"), pod("fd00::9")],
    denied: [
      ["127.0.0.1", 8000],
      ["::1", 8000],
      ["10.9.8.7", 8000],
      ["fd00::9", 8000],
    ],
    allowed: [
      ["127.0.0.1", 8090],
      ["::1", 8090],
      ["10.9.8.7", 8090],
      ["fd00::9", 8090],
      ["0.0.0.0", 80],
      ["::", 80],
    ],
  },
  {
    name: "20: the unspecified addresses",
    rules: [destination("0.0.0.0/32", [80, 8080]), destination("::/128", [80, 8080])],
    denied: [
      ["0.0.0.0", 6677],
      ["0.0.0.0", 8000],
      ["::", 6677],
      ["::", 8000],
    ],
    allowed: [
      ["0.0.0.0", 9090],
      ["127.0.0.1", 80],
      ["::1", 80],
    ],
  },
];

const PYTHON = (targets: Target[]) => `
import errno, json, socket
def attempt(ip, port):
    try: socket.socket(socket.AF_INET6 if ':' in ip else socket.AF_INET).connect((ip, port))
    except OSError as error: return errno.errorcode[error.errno]
print(json.dumps([attempt(*each) for each in ${JSON.stringify(targets)}]))`;
const NODE = (targets: Target[]) => `
const net = require('node:net');
const attempt = ([host, port]) => new Promise((done) => net.connect({ host, port }).on('error', (error) => done(error.code)).on('connect', () => done(null)));
Promise.all(${JSON.stringify(targets)}.map(attempt)).then((all) => console.log(JSON.stringify(all)));`;
const BASH = (targets: Target[]) => targets.map(([ip, port]) => `(exec 3<>'/dev/tcp/${ip}/${port}') 2>&1 | tail -n 1`).join("\n");
const SAID: [RegExp, string][] = [
  [/not permitted/, "EPERM"],
  [/refused/, "ECONNREFUSED"],
  [/unreachable/, "ENETUNREACH"],
];

describe.runIf(localDriverMissing() === null)("addresses that a policy denies [needs: root, the unified cgroup hierarchy]", () => {
  const home = mkdtempSync(join(tmpdir(), "plastron-hooks-cases-"));
  let driver: SandboxDriver;
  beforeAll(async () => {
    driver = await openLocalDriver({ home });
  }, 60_000);
  afterAll(async () => {
    await driver.close();
    rmSync(home, { recursive: true, force: true });
  });
  const free: Confinement = { ...NO_RULES, id: "f".repeat(64), policy: "free" };

  const python = async (rules: Confinement, targets: Target[]): Promise<string[]> => JSON.parse((await bench(driver, rules).python(PYTHON(targets))).stdout);
  const node = async (rules: Confinement, targets: Target[]): Promise<string[]> => JSON.parse((await bench(driver, rules).node(NODE(targets))).stdout);
  const bash = async (rules: Confinement, targets: Target[]): Promise<string[]> => {
    const { stdout } = await bench(driver, rules).bash(BASH(targets));
    return stdout
      .trim()
      .split("\n")
      .map((line) => SAID.find(([pattern]) => pattern.test(line))?.[1] ?? line);
  };

  for (const { name, rules, denied, allowed } of CASES) {
    it(`case ${name}`, async () => {
      const targets = [...denied, ...allowed];
      const unhindered = targets.map(([ip]) => (/^(127\.0\.0\.1|0\.0\.0\.0|::1?)$/.test(ip) ? "ECONNREFUSED" : "ENETUNREACH"));
      const refused = [...denied.map(() => "EPERM"), ...unhindered.slice(denied.length)];
      for (const attempt of [python, node, bash]) {
        expect(await attempt(free, targets)).toEqual(unhindered);
        expect(await attempt(hooked(rules), targets)).toEqual(refused);
      }
      for (const [confinement, expected, action] of [[hooked(rules), refused, "DENIED"] as const, [observed(rules), unhindered, "AUDIT"] as const]) {
        const ran = await bench(driver, confinement).python(PYTHON(targets));
        expect(JSON.parse(ran.stdout)).toEqual(expected);
        const event = ([ip, port]: Target) => ({ operation: "Network", type: "connect", ip, port });
        expect(ran.violations).toMatchObject(denied.map((target) => ({ rule_id: "egress", enforcer: "BPF", action, comm: "python3", event: event(target) })));
        expect(ran.violations).toHaveLength(denied.length);
      }
    }, 60_000);
  }
});
