import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Confinement, type RunSpec, runSpecSchema } from "@plastron/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SandboxDriver } from "../../driver.ts";
import { bench, type Ran } from "../../testing/harness.ts";
import { watched } from "../../testing/watched.ts";
import { localDriverMissing, openLocalDriver } from "./index.ts";

type List = NonNullable<Confinement["watch"]["lists"]>[number];

const READS = [
  "/workspace/main.py",
  "/workspace/main.sh",
  "/workspace/plain",
  "/workspace/out/**",
  "/usr/lib/**",
  "/usr/bin/**",
  "/etc/ld.so.cache",
  "/dev/null",
];
const FILES: List = {
  rule: 0,
  permissions: ["read", "write", "append"],
  deny: true,
  report: true,
  allowed: [
    ...READS.map((glob) => ({ glob, permissions: ["read" as const] })),
    { glob: "/workspace/out", permissions: ["read", "write"] },
    { glob: "/workspace/out/*", permissions: ["write"] },
    { glob: "/workspace/drop/*", permissions: ["write"] },
    { glob: "/workspace/tmp[0-9]", permissions: ["read", "write"] },
    { glob: "/dev/null", permissions: ["write"] },
  ],
};
const PROGRAMS: List = { rule: 1, permissions: ["exec"], deny: true, report: true, allowed: [{ glob: "/usr/bin/true", permissions: ["exec"] }] };
const more = runSpecSchema.pick({ files: true, limits: true }).parse({
  files: Object.entries({ secret: "SECRET", plain: "plain", "dir/key": "SECRET", "drop/seen": "SECRET", "out/seen": "seen" }).map(([path, content]) => ({
    path,
    content,
  })),
  limits: { wall_ms: 30_000 },
}) as Partial<RunSpec>;

const events = ({ violations }: Ran) =>
  violations.map(
    ({ rule_id, action, event }) => `${rule_id} ${action} ${"path" in event ? event.path : ""} ${"permissions" in event ? event.permissions.join("+") : ""}`,
  );

describe.skipIf(localDriverMissing() !== null || process.arch !== "x64")("lists of all that may be done to files [needs: root, x86_64]", () => {
  let home: string;
  let driver: SandboxDriver;
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "plastron-lists-"));
    driver = await openLocalDriver({ home, uidBase: 1_900_210_000 });
  });
  afterAll(async () => {
    await driver.close();
    rmSync(home, { recursive: true });
  });
  const under = (lists: List[], rest: Partial<Confinement> = {}) => bench(driver, watched({ lists }, rest));

  const attempt = (code: string) => `
import os
def t(name, act):
    try: print(name, act())
    except OSError as e: print(name, e.errno)
R = lambda p: open(p).read()
def W(p, how="w"):
    with open(p, how) as f: f.write("x")
${code}`;

  it("give what they name and refuse everything else, each as its own violation", async () => {
    const code = attempt(`
t("plain", lambda: R("plain"))
t("secret", lambda: R("secret"))
t("write", lambda: W("out/new"))
t("read back", lambda: R("out/new"))
t("elsewhere", lambda: W("new"))
t("append", lambda: W("plain", "a"))
t("set", lambda: W("tmp7"))
t("not in set", lambda: W("tmpx"))
t("remove", lambda: os.unlink("secret"))
t("mkdir", lambda: os.mkdir("d"))
t("chmod", lambda: os.chmod("plain", 0o600))
t("list", lambda: os.listdir("/workspace"))
t("pipe", lambda: os.pipe() and os.close(os.open("/proc/self/fd/1", os.O_WRONLY)))
`);
    const free = await bench(driver, watched({})).python(code, more);
    expect(free.stdout).not.toMatch(/ 13$/m);
    const ran = await under([FILES]).python(code, more);
    expect(ran.stdout).toBe(
      "plain plain\nsecret 13\nwrite None\nread back x\nelsewhere 13\nappend 13\nset None\nnot in set 13\nremove 13\nmkdir 13\nchmod 13\nlist 13\npipe None\n",
    );
    expect(events(ran)).toEqual([
      "one DENIED /workspace/secret read",
      "one DENIED /workspace/new write+append+create",
      "one DENIED /workspace/plain write+append",
      "one DENIED /workspace/tmpx write+append+create",
      "one DENIED /workspace/secret write",
      "one DENIED /workspace/d write+create",
      "one DENIED /workspace/plain write",
      "one DENIED /workspace read",
    ]);
  }, 60_000);

  it("are not got round by renaming, linking, exchanging or moving directories", async () => {
    const code = attempt(`
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def exchange(a, b):
    if libc.renameat2(-100, a.encode(), -100, b.encode(), 2): raise OSError(ctypes.get_errno(), "")
t("rename in", lambda: os.rename("secret", "out/a"))
t("rename what may be written alone", lambda: os.rename("drop/seen", "out/b"))
t("link", lambda: os.link("secret", "out/c"))
t("link what may be written alone", lambda: os.link("drop/seen", "out/d"))
t("directory in", lambda: os.rename("dir", "out/e"))
t("exchange", lambda: exchange("out/seen", "drop/seen"))
t("symlink", lambda: os.symlink("/workspace/secret", "out/f"))
t("through it", lambda: R("out/f"))
t("dotted", lambda: R("/workspace/out/../secret"))
t("proc", lambda: R("/proc/self/cwd/secret"))
t("within", lambda: os.rename("out/seen", "out/moved"))
t("out of it", lambda: os.rename("out/moved", "drop/moved"))
`);
    const ran = await under([FILES]).python(code, more);
    expect(ran.stdout.split("\n").filter((line) => !line.endsWith(" 13"))).toEqual(["symlink None", "within None", "out of it None", ""]);
    expect(events(ran).filter((event) => event !== "one DENIED /workspace read")).toHaveLength(9); // that is Python, looking for a module
    expect(ran.stdout).not.toContain("SECRET");
  }, 60_000);

  it("hold for programs too, in the kernel itself where the path races, and for what a script names", async () => {
    const exec = { executables: ["/usr/bin/true"], noexec_writable: true };
    const { bash } = under([PROGRAMS], exec);
    const script = "/usr/bin/true && echo true; /usr/bin/id || echo no id; printf '#!/usr/bin/env true\\n' > s; /usr/bin/bash -c : || echo no bash";
    const ran = await bash(script, more);
    expect(ran.stdout).toBe("true\nno id\nno bash\n");
    expect(events(ran)).toEqual(["two DENIED /usr/bin/id exec", "two DENIED /usr/bin/bash exec"]);
    // Another thread changes the name between the listener's look and the kernel's.
    const race = `
import ctypes, os, threading, time
libc = ctypes.CDLL(None)
name = ctypes.create_string_buffer(b"/usr/bin/true", 64)
stop = time.time() + 3
def flip():
    while time.time() < stop:
        for text in (b"/usr/bin/id\\0", b"/usr/bin/true\\0"):
            ctypes.memmove(name, text, len(text))
            time.sleep(0)
threading.Thread(target=flip, daemon=True).start()
argv, env, pid = (ctypes.c_char_p * 2)(b"x", None), (ctypes.c_char_p * 1)(None), ctypes.c_int()
while time.time() < stop:
    if libc.posix_spawn(ctypes.byref(pid), name, None, None, argv, env) == 0:
        os.waitpid(pid.value, 0)
print("done")
`;
    const free = await under([PROGRAMS]).python(race, more);
    const held = await under([PROGRAMS], exec).python(race, more);
    expect(free.stdout).toMatch(/uid=[\s\S]*done/);
    expect(held.stdout).toBe("done\n");
    const byLoader = await under([PROGRAMS, FILES], exec).python(
      attempt(`t("loader", lambda: os.execv("/lib64/ld-linux-x86-64.so.2", ["x", "/usr/bin/id"]))`),
      more,
    );
    expect(byLoader.stdout).toBe("loader 13\n");
  }, 60_000);

  it("do not hold for what the platform's own worker opens before a program is there", async () => {
    const nothing = {
      ...FILES,
      allowed: [
        { glob: "/workspace/main.sh", permissions: ["read" as const] },
        { glob: "/dev/null", permissions: ["write" as const] }, // what its start-up hook does last
      ],
    };
    const ran = await under([nothing]).bash("echo here; read -r x < /etc/hostname || echo no", more);
    expect([ran.stdout, events(ran)]).toEqual(["here\nno\n", ["one DENIED /etc/hostname read"]]);
  }, 60_000);

  it("record without refusing where the rule only observes", async () => {
    const ran = await under([{ ...FILES, deny: false }]).python(attempt(`t("secret", lambda: R("secret"))`), more);
    expect([ran.stdout, events(ran)]).toEqual(["secret SECRET\n", ["one AUDIT /workspace/secret read"]]);
  }, 60_000);
});
