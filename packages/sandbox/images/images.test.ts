import { readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_LIMITS, newId, runSpecSchema, TYPICAL_HOST } from "@plastron/contracts";
import { compileDefault, compilePolicy, parsePolicy } from "@plastron/policy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NodePackage } from "./testing/registry.ts";
import { type Stage, stage } from "./testing/stage.ts";

const isRoot = process.getuid?.() === 0;
const LIMITS = { ...DEFAULT_LIMITS, wall_ms: 30_000 };
const BUILD_MS = 120_000;

const NODE_PACKAGES: NodePackage[] = [
  { name: "leaf", version: "1.0.0", files: { "index.js": "module.exports = 'leaf 1.0.0'" } },
  { name: "leaf", version: "2.0.0", files: { "index.js": "module.exports = 'leaf 2.0.0'" } },
  {
    ...{ name: "tree", version: "1.0.0", manifest: { dependencies: { leaf: "^1" }, bin: { thetree: "cli.js" } } },
    files: { "index.js": "exports.value = 'tree of ' + require('leaf')", "cli.js": "#!/usr/bin/env node\nconsole.log('tree ran')" },
  },
];

describe.runIf(isRoot)("[needs: root] a runtime with packages", () => {
  let on: Stage;
  beforeAll(async () => {
    on = await stage(NODE_PACKAGES);
  }, 60_000);
  afterAll(() => on?.close());

  it(
    "installs what is named and what that needs, and programs and their children import it",
    async () => {
      const image = await on.python("tree", "tool");
      expect(image.packages.map(({ name, version }) => `${name} ${version}`)).toEqual(["leaf 1.0", "tool 1.0", "tree 1.0"]);
      expect(image.lock).toMatch(/^# python3 .*\nleaf==1.0 --hash=sha256:[0-9a-f]{64}\n/);
      const code = `
import subprocess, sys, os, tree
print(tree.VALUE, tree.__file__, tree.__cached__.endswith(".pyc") and os.path.exists(tree.__cached__))
os.chdir("/tmp")
for flags in [[], ["-I"], ["-E", "-s"]]: print(subprocess.run([sys.executable, *flags, "-c", "import leaf; print(leaf.VALUE)"], env={}, capture_output=True, text=True))
print(subprocess.check_output(["thetool"], text=True))`;
      const ran = await on.use.python(code, { image: image.id, limits: LIMITS });
      expect(ran.stderr).toBe("");
      expect(ran.stdout).toContain("tree of leaf 1.0 /usr/lib/python3/dist-packages/tree/__init__.py True");
      expect(ran.stdout.match(/stdout='leaf 1.0\\n', stderr=''/g)).toHaveLength(3);
      expect(ran.stdout).toContain("tool ran");
    },
    BUILD_MS,
  );

  it(
    "does the same for Node, whose programs and their children require and import from everywhere",
    async () => {
      const asked = { dependencies: { tree: "1" }, scripts: { postinstall: "exit 1" } };
      const image = await on.build({ from: "nodejs", package_json: JSON.stringify(asked), package_lock: null });
      expect(image.packages.map(({ name, version }) => `${name} ${version}`)).toEqual(["leaf 1.0.0", "tree 1.0.0"]);
      const code = `
const { execFileSync, execSync } = require("node:child_process");
process.chdir("/tmp");
console.log(require("tree").value, execFileSync(process.execPath, ["-p", "require('tree').value"]).toString().trim(), execSync("thetree").toString().trim());
import("tree").then(({ default: tree }) => console.log(tree.value, require.resolve("leaf")));`;
      const ran = await on.use.node(code, { image: image.id, limits: LIMITS });
      const stdout = "tree of leaf 1.0.0 tree of leaf 1.0.0 tree ran\ntree of leaf 1.0.0 /node_modules/leaf/index.js\n";
      expect(ran).toMatchObject({ stdout, stderr: "", status: "completed" });
      const again = await on.node({ tree: "1" });
      expect(again.id).toBe(image.id);
    },
    BUILD_MS,
  );

  it(
    "loads compiled modules, and builds archives of sources",
    async () => {
      const image = await on.python("fastmath", "plain-source");
      const ran = await on.use.python("import fastmath, plain_source; print(fastmath.add(40, 2), plain_source.VALUE)", { image: image.id, limits: LIMITS });
      expect(ran).toMatchObject({ stdout: "42 built from source\n", stderr: "" });
    },
    BUILD_MS,
  );

  it(
    "is read-only, root's, and nobody's way to the host; without it nothing of it is there",
    async () => {
      const image = await on.python("leaf==1.0");
      const code = `
import os, leaf
place = os.path.dirname(leaf.__file__)
for what in (lambda: open(place + "/x", "w"), lambda: os.chmod(leaf.__file__, 0o777), lambda: os.remove(leaf.__file__), lambda: os.rename(place + "/leaf.py", "/tmp/x")):
    try: what(); print("DONE")
    except OSError as error: print(error.errno)
mounts = [line.split() for line in open("/proc/self/mountinfo") if " " + place + " " in line]
print(mounts[0][5], os.stat(leaf.__file__).st_uid in (0, 65534), os.listdir("/usr/local/lib/python3.11/dist-packages") if os.path.isdir("/usr/local/lib/python3.11/dist-packages") else [])`;
      const ran = await on.use.python(code, { image: image.id, limits: LIMITS });
      expect(ran.stdout).not.toContain("DONE");
      expect(ran.stdout).toMatch(/ro,nosuid,nodev\S* True \[\]\n$/);
      expect((await on.use.python("import leaf", { limits: LIMITS })).stderr).toContain("No module named 'leaf'");
      const owner = statSync(join(on.state, "images", image.id, "tree/leaf.py"));
      expect([owner.uid, owner.mode & 0o7777]).toEqual([0, 0o444]);
    },
    BUILD_MS,
  );

  it(
    "imports ahead what a run asks for, in warm sandboxes of its own",
    async () => {
      const image = await on.python("tree");
      const code = "import sys; print('tree' in sys.modules)";
      const more = { image: image.id, limits: LIMITS, imports: ["tree"] };
      expect((await on.use.python(code, more)).stdout).toBe("True\n");
      expect((await on.use.python(code, { ...more, imports: [] })).stdout).toBe("False\n");
      const wrong = await on.use.python(code, { limits: LIMITS, imports: ["tree"] }).catch((error: Error) => error.message);
      expect(wrong).toContain("No module named 'tree'");
    },
    BUILD_MS,
  );

  it(
    "serves sessions, which keep theirs when the name means another",
    async () => {
      const [first, second] = [await on.python("leaf==1.0"), await on.python("leaf==2.0")];
      const { confinement } = compileDefault(TYPICAL_HOST);
      const shared = { tenant: "acme", runtime: "python3" as const, limits: LIMITS, imports: [], confinement, min_tier: 1 as const };
      const session = await on.driver.openSession({ ...shared, session_id: newId("session"), image: first.id });
      const say = async () =>
        (await on.use.inSession(session, { runtime: "python3", code: "import leaf; print(leaf.VALUE)", tenant: "acme", limits: LIMITS })).stdout;
      expect(await say()).toBe("leaf 1.0\n");
      await expect(on.driver.images?.remove(first.id)).rejects.toMatchObject({ code: "conflict" });
      expect((await on.use.python("import leaf; print(leaf.VALUE)", { image: second.id, limits: LIMITS })).stdout).toBe("leaf 2.0\n");
      expect(await say()).toBe("leaf 1.0\n");
      await session.close("done");
    },
    BUILD_MS,
  );

  it(
    "obeys the policy's rules on paths and programs inside it too",
    async () => {
      const image = await on.python("tree", "tool");
      const { confinement } = compilePolicy(
        parsePolicy(`
apiVersion: crd.varmor.org/v1beta1
kind: VarmorPolicy
metadata: { name: paths, namespace: demo }
spec:
  target: { kind: Pod, name: demo }
  policy:
    enforcer: BPF
    mode: EnhanceProtect
    enhanceProtect:
      bpfRawRules:
        files: [{ qualifiers: [deny], pattern: "/usr/lib/python3/dist-packages/tree/data.txt", permissions: [read] }]
        processes: [{ qualifiers: [deny], pattern: "/**/thetool", permissions: [exec] }]`),
        TYPICAL_HOST,
      );
      const code = `
import tree, os, subprocess
print(tree.VALUE)
try: print(open(os.path.dirname(tree.__file__) + "/data.txt").read())
except OSError as error: print("data", error.errno)
try: subprocess.run(["thetool"]); print("ran")
except OSError as error: print("tool", error.errno)`;
      const free = await on.use.python(code, { image: image.id, limits: LIMITS });
      expect(free.stdout).toContain("tool ran");
      const ran = await on.use.python(code, { image: image.id, limits: LIMITS, confinement });
      expect(ran.stdout).toBe("tree of leaf 1.0\ndata 13\ntool 13\n");
    },
    BUILD_MS,
  );

  it(
    "is one image for one lock, however many come at once, and is found again by the next agent",
    async () => {
      const [one, other] = await Promise.all([
        on.build({ from: "python3", requirements: "leaf==2.0" }, { tenant: "acme" }),
        on.build({ from: "python3", requirements: "leaf == 2.0  # the same" }, { tenant: "other" }),
      ]);
      expect(other).toEqual(one);
      await on.driver.close();
      on.driver = await on.open();
      expect(on.driver.images?.list().map(({ id }) => id)).toContain(one.id);
      const spec = runSpecSchema.parse({
        ...{ run_id: newId("run"), tenant: "acme", runtime: "python3", code: "import leaf", image: one.id, limits: LIMITS },
        confinement: compileDefault(TYPICAL_HOST).confinement,
      });
      const out = { stdout() {}, stderr() {} };
      expect((await on.driver.run(spec, out)).status).toBe("completed");
      await expect(on.driver.run({ ...spec, runtime: "nodejs" }, out)).rejects.toMatchObject({ code: "unsupported_runtime" });
      await expect(on.driver.run({ ...spec, image: "0".repeat(64) }, out)).rejects.toMatchObject({ code: "not_found" });
      await on.driver.close();
      const file = join(on.state, "images", one.id, "tree/leaf.py");
      rmSync(file);
      writeFileSync(file, "VALUE = 'changed'");
      writeFileSync(join(on.state, "images", "unfinished-left"), "by an agent that was killed");
      on.driver = await on.open();
      expect(readdirSync(join(on.state, "images")).filter((name) => name.startsWith("unfinished"))).toEqual([]);
      await expect(on.driver.run(spec, out)).rejects.toThrow("its files were changed");
      await on.driver.images?.remove(one.id);
      await expect(on.driver.run(spec, out)).rejects.toMatchObject({ code: "not_found" });
      expect(readdirSync(join(on.state, "images"))).not.toContain(one.id);
    },
    BUILD_MS,
  );
});
