import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Confinement, NO_RULES } from "@plastron/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { guestsNeed } from "../../testing/guests.ts";
import { type Bench, bench } from "../../testing/harness.ts";
import { filterText } from "./filters.ts";
import { openGvisorDriver } from "./index.ts";

const open: Confinement = { ...NO_RULES, id: "a".repeat(64), policy: "none" };
const with_ = (id: string, part: Partial<Confinement>) => ({ confinement: { ...open, id: id.repeat(64), ...part } });
/** struct sock_filter[]: `answer` to mkdir and mkdirat, everything else allowed. x86-64 and arm64 by number of the machine that runs this. */
function refusesMkdir(answer: number): string {
  const numbers = process.arch === "arm64" ? [34, 34] : [83, 258];
  const bytes = Buffer.alloc(40);
  const rows = [
    [0x20, 0, 0, 0],
    [0x15, 1, 0, numbers[0]],
    [0x15, 0, 1, numbers[1]],
    [0x06, 0, 0, answer],
    [0x06, 0, 0, 0x7fff0000],
  ] as [number, number, number, number][];
  for (const [i, [code, jt, jf, k]] of rows.entries()) {
    bytes.writeUInt16LE(code, i * 8);
    bytes.writeUInt8(jt, i * 8 + 2);
    bytes.writeUInt8(jf, i * 8 + 3);
    bytes.writeUInt32LE(k, i * 8 + 4);
  }
  return bytes.toString("base64");
}

const need = guestsNeed();
describe.skipIf(need !== null)(`a confinement in a guest ${need ?? ""}`, () => {
  const home = mkdtempSync(join(tmpdir(), "plastron-confined-"));
  let guest: Bench;
  beforeAll(async () => {
    guest = bench(await openGvisorDriver({ home }, { held: 0 }), open);
  }, 60_000);
  afterAll(async () => {
    await guest?.driver.close();
    rmSync(home, { recursive: true, force: true });
  }, 60_000);

  const mkdir = "import os\ntry: os.mkdir('made'); print('made')\nexcept OSError as e: print('errno', e.errno)";

  it("has its filter evaluated by the guest's kernel: what passes without it is denied with it", async () => {
    expect((await guest.python(mkdir)).stdout).toBe("made\n");
    expect((await guest.python(mkdir, with_("1", { seccomp: refusesMkdir(0x50000 | 13) }))).stdout).toBe("errno 13\n");
  });

  it("ends the program where the filter asks for what gVisor has not: notification and logging never let a call pass", async () => {
    for (const answer of [0x80000000, 0x7fc00000, 0x7ffc0000]) {
      const ran = await guest.python(mkdir, with_("2", { seccomp: refusesMkdir(answer), policy: String(answer), id: answer.toString(16).padStart(64, "2") }));
      expect(ran).toMatchObject({ status: "failed", stdout: "", signal: "SIGSYS" });
    }
  });

  it("is inherited by whatever the program starts, and cannot be taken off", async () => {
    const more = with_("1", { seccomp: refusesMkdir(0x50000 | 13) });
    expect((await guest.bash("mkdir made; sh -c 'mkdir made'; setsid mkdir made; ls -d made 2>/dev/null", more)).stdout).toBe("");
  });

  it("keeps user namespaces from the program unless it allows them", async () => {
    const attack =
      'unshare -U true && echo unshared; python3 -c \'import ctypes; l = ctypes.CDLL(None); print("cloned" if l.syscall(56, 0x10000000 | 17, 0, 0, 0, 0) >= 0 else "refused")\'';
    expect((await guest.bash(attack, with_("3", { user_namespaces: true }))).stdout).toMatch(/unshared\n(cloned\n)+/);
    expect((await guest.bash(attack)).stdout).toBe("refused\n");
  });

  it("hides paths behind the host's own mounts", async () => {
    const look = "cat /usr/share/zoneinfo/UTC | head -c 4; ls /usr/share/zoneinfo | wc -l; env true && echo ran";
    expect((await guest.bash(look)).stdout).toMatch(/^TZif[1-9]\d+\nran\n$/);
    expect((await guest.bash(look, with_("4", { hidden: ["/usr/share/zoneinfo"], forbidden_programs: ["env"] }))).stdout).toBe("0\n");
  });

  it("makes a file unexecutable, by name, by the loader and by a mapping, while it can be read", async () => {
    const attack = "env echo by-name; /lib64/ld-linux-x86-64.so.2 /usr/bin/env echo by-loader; head -c 4 /usr/bin/env | tail -c 3";
    expect((await guest.bash(attack)).stdout).toBe("by-name\nby-loader\nELF");
    const ran = await guest.bash(attack, with_("5", { unexecutable: ["/usr/bin/env"] }));
    expect(ran.stdout).toBe("ELF");
    expect(ran.stderr).toContain("/usr/bin/env: Permission denied");
  });

  it("makes nothing that was written executable, anywhere", async () => {
    const attack =
      "for d in /workspace /tmp /dev/shm; do cp /usr/bin/echo $d/mine; $d/mine by-name $d; /lib64/ld-linux-x86-64.so.2 $d/mine by-loader $d; done; ls /workspace/mine /tmp/mine /dev/shm/mine | wc -l";
    expect((await guest.bash(attack)).stdout).toContain("by-name /workspace\nby-loader /workspace\nby-name /tmp\nby-loader /tmp\n");
    expect((await guest.bash(attack, with_("6", { noexec_writable: true }))).stdout).toBe("3\n");
  });

  it("that only another driver can enforce is refused by name, and nothing is run", async () => {
    const cases: [Partial<Confinement>, string][] = [
      [{ hooks: { programs: [] } }, "hooks"],
      [{ capabilities: ["net_raw"] }, "capabilities"],
      [{ hidden: ["/proc/meminfo"] }, "hidden /proc/meminfo"],
      [{ watch: { calls: [], paths: [{ rule: 0, glob: "/x", permissions: ["read"], deny: true, report: true }] } }, "watch.paths"],
      [{ watch: { calls: [{ name: "mkdir", number: 83, entries: [], otherwise: 0 }], paths: [] } }, "watch.calls"],
    ];
    for (const [part, name] of cases) {
      await expect(guest.python("print(1)", with_("7", part))).rejects.toMatchObject({ code: "tier_unavailable", message: expect.stringContaining(name) });
    }
  });
});

describe("a filter as text", () => {
  it("is the confinement's own beside the one against user namespaces", () => {
    expect(filterText({ ...open, user_namespaces: true }, "x64")).toBe("");
    expect(filterText({ ...open, user_namespaces: true, seccomp: refusesMkdir(0x50000 | 13) }, "x64").split("\n")).toHaveLength(5);
    const [guard, own] = filterText({ ...open, seccomp: refusesMkdir(0x50000 | 13) }, "x64").split("\n\n");
    expect(guard?.split("\n")[0]).toBe("32 0 0 4");
    expect(own?.split("\n")[3]).toBe("6 0 0 327693");
  });

  it("refuses bytes that are no program", () => {
    expect(() => filterText({ ...open, seccomp: "AAA=" })).toThrow(RangeError);
  });
});
