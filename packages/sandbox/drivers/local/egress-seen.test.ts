import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_LIMITS } from "@plastron/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NAMES, type Outside, outside, wayOut } from "../../testing/outside.ts";
import { canSee, openSeeing, type Seeing } from "../../testing/seen.ts";

/** What the sensor and the egress process know of one run, put together. */
const home = mkdtempSync(join(tmpdir(), "plastron-egress-seen-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const limits = { ...DEFAULT_LIMITS, wall_ms: 30_000 };
const [API, OTHER] = NAMES as [string, string];

describe.runIf(await canSee())("a run with a way out that is seen [needs: root, the sensor]", { timeout: 60_000 }, () => {
  let world: Outside;
  let seeing: Seeing;
  beforeAll(async () => {
    world = await outside();
    seeing = await openSeeing(
      { home, egress: world.egress },
      wayOut({
        http: [
          { hosts: [API, OTHER, "*.wide.test"], paths: [["prefix", "/v1"]] },
          { hosts: [API], ports: [[world.https, world.https]] },
        ],
      }),
    );
  }, 60_000);
  afterAll(async () => {
    await seeing.close();
    await world.close();
  }, 60_000);

  const python = (code: string) => seeing.run({ runtime: "python3", sensing: "trace", limits, code: `import os, socket, ssl, time\n${code}` });
  const LOOK = (name: string) => `\ntry: socket.getaddrinfo('${name}', 80, socket.AF_INET)\nexcept OSError: pass`;
  const DENIED = `
s = socket.create_connection(('${API}', PORT)); s.sendall(b'GET /v2 HTTP/1.1\\r\\nHost: ${API}:PORT\\r\\n\\r\\n'); print(s.recv(12)[-3:])`;
  const denied = () => DENIED.replaceAll("PORT", String(world.http));

  it("has in its timeline which names were asked for, at their time and by whom, and what was denied with its place in it", async () => {
    const ran = await python(`open('/tmp/first', 'w')${LOOK("evil.test")}\nopen('/tmp/second', 'w')${denied()}\nopen('/tmp/third', 'w')`);
    expect(ran.stdout).toBe("b'403'\n");
    const timeline = ran.telemetry.timeline ?? [];
    const order = timeline.flatMap((each) => {
      if (each.kind === "dns") return each.type === "A" ? [`${each.name} ${each.answer} ${each.comm}`] : [];
      return each.kind === "open" && each.path.startsWith("/tmp/") ? [each.path] : [];
    });
    expect(order).toEqual(["/tmp/first", "evil.test denied python3", "/tmp/second", `${API} allowed python3`, "/tmp/third"]);
    const timeOf = (path: string) => timeline.find((each) => each.kind === "open" && each.path === path)?.t_us ?? 0;
    const violation = ran.violations.find(({ event }) => "path" in event && event.path === "/v2");
    expect(violation).toMatchObject({ comm: "python3", exe: expect.stringContaining("python3"), rule_id: expect.stringMatching(/./) });
    expect(violation?.pid).toBe(ran.telemetry.processes.list[0]?.pid);
    expect(violation?.t_us).toBeGreaterThan(timeOf("/tmp/second"));
    expect(violation?.t_us).toBeLessThan(timeOf("/tmp/third"));
    expect(ran.telemetry.network.names[0]).not.toHaveProperty("at_us");
  });

  it("names the one process of several that went there, and none where two did", async () => {
    const fork = (code: string) => `\nif os.fork() == 0:\n    ${code.trim().replaceAll("\n", "\n    ")}\n    os._exit(0)\nos.wait()`;
    const one = await python(fork(denied()));
    expect(one.violations).toMatchObject([{ rule_id: expect.any(String), comm: "python3" }]);
    const [parent, child] = one.telemetry.processes.list.toSorted((a, b) => a.started_us - b.started_us);
    expect(one.violations[0]?.pid).toBe(child?.pid);
    expect(parent?.pid).not.toBe(child?.pid);
    const two = await python(`${fork(denied())}${fork(denied())}`);
    expect(two.violations.map(({ pid, comm }) => [pid, comm])).toEqual([
      [0, ""],
      [0, ""],
    ]);
  });

  it("is flagged when its names carry data out, and when it says one host and means another; an honest one is not", async () => {
    const tunnel = await python(
      "import secrets\nfor i in range(60):\n  try: socket.getaddrinfo(secrets.token_hex(24) + '.wide.test', 80)\n  except OSError: pass",
    );
    expect(tunnel.telemetry.flags).toContain("dns_tunnel");
    const front = (name: string) => `
context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
try: context.wrap_socket(socket.create_connection(('${API}', ${world.https})), server_hostname='${name}').close()
except ssl.SSLError as e: print('refused')`;
    const fronting = await python(front("hidden.test"));
    expect([fronting.stdout, fronting.telemetry.flags]).toEqual(["refused\n", ["domain_fronting"]]);
    const honest = await python(`${front(API)}${LOOK(OTHER)}`);
    expect([honest.stdout, honest.telemetry.flags]).toEqual(["", []]);
  });
});
