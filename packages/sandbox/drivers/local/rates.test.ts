import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { newId, TYPICAL_HOST } from "@plastron/contracts";
import { compileDefault } from "@plastron/policy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { destination, hooked } from "../../testing/hooked.ts";
import { canSee, openSeeing, rates, type Seeing, toldOf } from "../../testing/seen.ts";
import { firstWord } from "../../testing/waiting.ts";
import { findCgroups, groupName } from "./cgroups.ts";

const home = mkdtempSync(join(tmpdir(), "plastron-rates-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const HELD = fileURLToPath(new URL("../../testing/held-driver.ts", import.meta.url));
const { confinement } = compileDefault(TYPICAL_HOST);
const python = (code: string) => ({ runtime: "python3" as const, code });

const FORKS = "import os\ndef storm():\n  while True:\n    pid = os.fork()\n    if pid == 0: os._exit(0)\n    os.waitpid(pid, 0)\nstorm()";
const DENIED = "import socket\ndef storm():\n  while True:\n    try: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)\n    except OSError: pass\nstorm()";
const CONNECTS =
  "import socket\ndef storm():\n  while True:\n    s = socket.socket()\n    try: s.connect(('127.0.0.1', 9))\n    except OSError: pass\n    s.close()\nstorm()";

describe.runIf(await canSee())("a run with rate rules [needs: root, the sensor]", { timeout: 60_000 }, () => {
  let seeing: Seeing;
  beforeAll(async () => {
    seeing = await openSeeing({ home }, confinement);
  }, 60_000);
  afterAll(() => seeing.close(), 60_000);

  it.each([
    ["forks_per_s", FORKS, 50, confinement, "new processes"],
    ["denied_per_s", DENIED, 200, confinement, "denied calls"],
    ["connections_per_s", CONNECTS, 50, hooked([destination("10.0.0.0/8")]), "connections"],
  ] as const)("is stopped, looked at and killed when it exceeds %s, and its record says where it was", async (rule, code, limit, rules, words) => {
    const ran = await seeing.run({ ...python(code), confinement: rules, limits: rates({ [rule]: limit }) });
    expect(ran).toMatchObject({ status: "broken_by_rule", exit_code: null, broken_by: { rule, limit } });
    expect(ran.broken_by?.measured).toBeGreaterThan(limit);
    expect(ran.reason).toMatch(new RegExp(`^\\d+ ${words} in \\d+ ms, where its rate rule allows ${limit} a second; .*\\(limits\\.rates\\.${rule}\\)$`));
    const frames = ran.broken_by?.stacks.flatMap(({ stack }) => stack.frames) ?? [];
    expect(frames).toContainEqual(expect.objectContaining({ language: "python", function: "storm", file: "/workspace/main.py" }));
    expect(ran.usage.wall_ms).toBeLessThan(15_000);
  });

  it("goes on where it keeps to them, where they are lifted, and under the default ones as programs are", async () => {
    const some = "import os\nfor _ in range(60):\n  pid = os.fork()\n  if pid == 0: os._exit(0)\n  os.waitpid(pid, 0)\nprint('done')";
    expect(await seeing.run({ ...python(some), limits: rates({ forks_per_s: null }) })).toMatchObject({ status: "completed", broken_by: null });
    expect(await seeing.run(python(some))).toMatchObject({ status: "completed", stdout: "done\n" });
    const slow = "import os, time\nfor _ in range(10):\n  pid = os.fork()\n  if pid == 0: os._exit(0)\n  os.waitpid(pid, 0); time.sleep(0.1)\nprint('done')";
    expect(await seeing.run({ ...python(slow), limits: rates({ forks_per_s: 50 }) })).toMatchObject({ status: "completed" });
  });

  it("ends with its session, whose next run is told so", async () => {
    const open = {
      session_id: newId("session"),
      tenant: "ten_seen",
      runtime: "python3",
      confinement,
      min_tier: 1,
      limits: rates({ forks_per_s: 50 }),
    } as const;
    const session = await seeing.driver.openSession({ ...open, imports: [], image: null, secrets: [] });
    const broken = await toldOf(session, { ...python(FORKS), confinement, limits: rates({ forks_per_s: 50 }) });
    expect(broken).toMatchObject({ status: "broken_by_rule", broken_by: { rule: "forks_per_s" } });
    await expect(toldOf(session, { ...python("pass"), confinement })).rejects.toMatchObject({ code: "session_gone" });
  });

  it("does not outlive its agent where it is held still", async () => {
    const child: ChildProcess = spawn(process.execPath, [HELD, join(home, "held")], { stdio: ["ignore", "pipe", "inherit"] });
    await firstWord(child);
    const { unified } = findCgroups(groupName(join(home, "held")));
    const boxes = () => readdirSync(unified).filter((name) => name.startsWith("box-"));
    expect(boxes().length).toBeGreaterThan(0);
    child.kill("SIGKILL");
    for (let i = 0; i < 500 && boxes().length > 0; i++) await new Promise((later) => setTimeout(later, 20));
    expect(boxes()).toEqual([]);
    /* The next agent at that home takes the rest away. */
    const next = await openSeeing({ home: join(home, "held") }, confinement);
    await next.close();
  });
});
