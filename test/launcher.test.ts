import { chmodSync, chownSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Checkout } from "./fixtures/checkout.ts";

let checkout: Checkout;
beforeEach(() => {
  checkout = new Checkout();
});
afterEach(() => checkout.remove());

describe("the first start", () => {
  test("sets up with install scripts off, tells it on stderr, and leaves stdout to the command", () => {
    const { stdout, stderr, status } = checkout.run(["status", "--json"]);
    expect(stderr).toMatch(/npm packages +\d+\.\d s/);
    expect(stdout).toBe("/\nstatus\n--json\n");
    expect(status).toBe(0);
    expect(checkout.npmCalls()).toEqual([expect.stringMatching(/^ci --ignore-scripts/)]);
  });

  test("a step that fails ends it, with the end of its output", () => {
    const { stdout, stderr, status } = checkout.run([], { env: { FAIL_NPM: "1" } });
    expect(status).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain("set-up stopped at: npm packages");
    expect(stderr).toContain("the mirror is on fire");
    expect(checkout.run().status).toBe(0);
    expect(checkout.npmCalls()).toHaveLength(2);
  });

  test("two at once do the work once", async () => {
    const both = await Promise.all([checkout.start(), checkout.start()]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(both.map(({ stderr }) => stderr).join()).toContain("another set-up of this checkout is running");
    expect(checkout.npmCalls()).toHaveLength(1);
  });

  test("native parts that do not build are named, and do not stop it", () => {
    checkout.fake("packages/sandbox/native/build.sh", "echo no such header >&2; exit 1");
    const { stderr, status } = checkout.run();
    expect(stderr).toContain("the native parts of sandbox did not build");
    expect(status).toBe(0);
    expect(checkout.run().stderr).toBe("");
  });

  test.runIf(process.getuid?.() === 0)("without root or sudo it names the packages once, and goes on [needs: root]", () => {
    const nobody = 65534;
    for (const path of readdirSync(checkout.directory, { recursive: true }) as string[]) chownSync(join(checkout.directory, path), nobody, nobody);
    for (const path of [checkout.directory, join(checkout.directory, "..")]) chownSync(path, nobody, nobody);
    checkout.command("dpkg-query", 'for name; do :; done; [ "$name" = bubblewrap ] || printf installed');
    const as = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    const first = checkout.run([], { as });
    expect(first.stderr).toContain("only root can install it: bubblewrap");
    expect(first.status).toBe(0);
    expect(checkout.run([], { as }).stderr).toBe("");
    checkout.command("dpkg-query", "printf installed");
    checkout.run([], { as });
    expect(readdirSync(join(checkout.directory, ".tools"))).not.toContain("missing");
  });
});

describe("later starts", () => {
  beforeEach(() => {
    checkout.fake("packages/sandbox/native/build.sh", 'mkdir -p "$(dirname "$0")/build"; echo built >>"$(dirname "$0")/build/log"');
    checkout.run();
  });

  test("are silent, write nothing, and cost less than half a second", () => {
    const tools = join(checkout.directory, ".tools");
    const before = readdirSync(tools).map((name) => [name, statSync(join(tools, name)).mtimeMs]);
    const took = [];
    for (let time = 0; time < 5; time++) {
      const start = performance.now();
      const { stderr, status } = checkout.run();
      took.push(performance.now() - start);
      expect([stderr, status]).toEqual(["", 0]);
    }
    expect(Math.min(...took)).toBeLessThan(500); // of the quickest: others' work only ever adds
    expect(readdirSync(tools).map((name) => [name, statSync(join(tools, name)).mtimeMs])).toEqual(before);
  });

  test("work through a link, from another directory, which stays the working directory", () => {
    const { stdout } = checkout.run(["run", "a b.py"], { through: checkout.link(), cwd: "/usr" });
    expect(stdout).toBe("/usr\nrun\na b.py\n");
  });

  test("fetch again when the lock file changes, and build again when a native source does", () => {
    checkout.write("package-lock.json", '{"changed":true}');
    expect(checkout.run().stderr).toMatch(/npm packages/);
    expect(checkout.npmCalls()).toHaveLength(2);
    checkout.write("packages/sandbox/native/init.c", "int main(void) { return 0; }");
    const { stderr } = checkout.run();
    expect(stderr).toMatch(/native parts of sandbox/);
    expect(stderr).not.toMatch(/npm packages/);
  });

  test("restore what was deleted", () => {
    rmSync(join(checkout.directory, "node_modules"), { recursive: true });
    expect(checkout.run().status).toBe(0);
    expect(checkout.npmCalls()).toHaveLength(2);
  });

  test.runIf(process.getuid?.() === 0)("work for a user who may not write there [needs: root]", () => {
    chmodSync(join(checkout.directory, ".."), 0o755);
    const { stdout, stderr } = checkout.run(["--version"], { as: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] });
    expect(stdout).toBe("/\n--version\n");
    expect(stderr).toBe("");
  });
});
