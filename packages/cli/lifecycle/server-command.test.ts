import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { barriersTo, makeReadable, mayMount, serverCommand } from "./server-command.ts";

let place: string;
let checkout: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "plastron-checkout-"));
  chmodSync(place, 0o755);
  checkout = join(place, "code");
  for (const name of ["packages/server", "node_modules/zod", "policies", ".tools", "state"]) mkdirSync(join(checkout, name), { recursive: true });
  for (const name of ["package.json", "packages/server/main.ts", "node_modules/zod/package.json", ".tools/node", "secret"])
    writeFileSync(join(checkout, name), "");
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const mode = (name: string) => statSync(join(checkout, name)).mode & 0o777;
const placed = (uid: number | null) => ({
  uid,
  checkout,
  state: [join(checkout, "state")],
  node: join(checkout, ".tools/node"),
  main: join(checkout, "packages/server/main.ts"),
  mayMount: () => true,
});

describe("serverCommand", () => {
  it("changes nothing for a user who is not root", () => {
    expect(serverCommand(placed(null), {})).toEqual({ command: join(checkout, ".tools/node"), args: [join(checkout, "packages/server/main.ts")], env: {} });
  });

  it("drops to the uid, for good, where every directory is open", () => {
    const { command, args } = serverCommand(placed(61_300), {});
    expect(command).toBe("setpriv");
    expect(args).toEqual(expect.arrayContaining(["--reuid=61300", "--regid=61300", "--clear-groups", "--no-new-privs", "--bounding-set=-all"]));
  });

  it("makes a view where one is closed, and quotes what a shell would read", () => {
    const odd = join(place, "it's $(touch owned)");
    mkdirSync(join(odd, "code/state"), { recursive: true });
    chmodSync(odd, 0o700);
    const { command, args } = serverCommand({ ...placed(61_300), state: [join(odd, "code/state")] }, {});
    expect(command).toBe("unshare");
    expect(args.at(-1)).toContain(`'${place}/it'\\''s $(touch owned)/code/state'`);
  });
});

describe("a view", () => {
  it("shows the code, its rules and the advisories for reading, the state for writing, and nothing else of what is closed [needs: root]", (context) => {
    if (process.getuid?.() !== 0 || !mayMount()) context.skip();
    const home = join(place, "home");
    for (const name of [join(checkout, "rules"), join(home, "advisories"), join(home, "secret"), join(home, "server")]) mkdirSync(name, { recursive: true });
    writeFileSync(join(checkout, "rules/a.yaml"), "rule");
    writeFileSync(join(home, "advisories/current"), "index");
    const look = `cat '${checkout}/rules/a.yaml' '${home}/advisories/current'; ls '${home}' '${checkout}'; touch '${home}/advisories/x' || echo read-only`;
    writeFileSync(join(checkout, ".tools/node"), `#!/bin/sh\n${look}\ntouch '${home}/server/x' && echo writable\n`);
    chmodSync(join(checkout, ".tools/node"), 0o755);
    spawnSync("chown", ["61300:61300", join(home, "server")]);
    for (const name of [home, checkout]) chmodSync(name, 0o700);
    const { command, args } = serverCommand({ ...placed(61_300), state: [join(home, "server")], reads: [join(home, "advisories")] }, {});
    const { stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
    for (const seen of ["rule", "index", "read-only", "writable"]) expect(stdout + stderr).toContain(seen);
    expect(stdout).not.toContain("secret");
  });
});

describe("without the right to mount", () => {
  it("says which directory bars the way, and what to do", () => {
    chmodSync(checkout, 0o700);
    expect(() => serverCommand({ ...placed(61_300), mayMount: () => false }, {})).toThrow(
      expect.objectContaining({ code: "start_failed", message: expect.stringContaining(checkout), hint: expect.stringContaining("/opt/plastron") }),
    );
  });
});

describe("barriersTo", () => {
  it("names the outermost closed directory of each way, once", () => {
    const inner = join(checkout, "packages");
    chmodSync(inner, 0o700);
    expect(barriersTo([join(inner, "server/main.ts")], 61_300)).toEqual([inner]);
    chmodSync(checkout, 0o750);
    expect(barriersTo([join(inner, "server/main.ts"), join(checkout, "state")], 61_300)).toEqual([checkout]);
    expect(barriersTo([join(inner, "server/main.ts")], statSync(checkout).uid)).toEqual([]);
  });
});

describe("makeReadable", () => {
  it("leaves an open checkout alone", () => {
    const before = mode("packages/server/main.ts");
    expect(makeReadable(checkout, join(checkout, ".tools/node"))).toBe(false);
    expect(mode("packages/server/main.ts")).toBe(before);
  });

  it("opens the code of a closed clone for reading, and nothing else", () => {
    symlinkSync("/etc/shadow", join(checkout, "packages/link"));
    const shadow = statSync("/etc/shadow").mode;
    for (const name of ["packages/server", "packages", "state"]) chmodSync(join(checkout, name), 0o700);
    for (const name of ["packages/server/main.ts", "secret"]) chmodSync(join(checkout, name), 0o600);
    chmodSync(join(checkout, ".tools/node"), 0o700);
    expect(makeReadable(checkout, join(checkout, ".tools/node"))).toBe(true);
    expect([mode("packages"), mode("packages/server"), mode("packages/server/main.ts"), mode(".tools/node")]).toEqual([0o755, 0o755, 0o644, 0o755]);
    expect([mode("secret"), mode("state")]).toEqual([0o600, 0o700]);
    expect(statSync("/etc/shadow").mode).toBe(shadow);
  });
});
