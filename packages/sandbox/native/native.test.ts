import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { encodeFrame, FrameReader } from "@plastron/contracts";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeSpec, type SpecRecord } from "../drivers/local/spec.ts";

const build = mkdtempSync(join(tmpdir(), "plastron-sanitized-"));
afterAll(() => rmSync(build, { recursive: true, force: true }));
beforeAll(() => {
  execFileSync(fileURLToPath(new URL("build.sh", import.meta.url)), [build], { env: { ...process.env, SANITIZE: "1" }, stdio: "pipe" });
}, 120_000);

interface Ended {
  /** What the supervisor said in its `N` frames. */
  said: string;
  /** What the sanitizers wrote. */
  stderr: string;
}

/** Starts the sanitized launcher on a connection that brings `bytes` and then ends. */
function launch(bytes: Uint8Array, keepOpen = false): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(join(build, "plastron-launcher"), [], { stdio: ["ignore", "ignore", "pipe", "pipe"], env: { ASAN_OPTIONS: "detect_leaks=0" } });
    const connection = child.stdio[3] as Duplex;
    const reader = new FrameReader();
    let said = "";
    let stderr = "";
    connection.on("data", (chunk: Uint8Array) => {
      for (const frame of reader.push(chunk)) if (frame.type === "N") said += Buffer.from(frame.payload).toString();
    });
    connection.on("error", () => {});
    child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk));
    child.on("close", () => resolve({ said, stderr }));
    if (keepOpen) {
      connection.write(bytes);
      connection.once("data", () => setTimeout(() => connection.end(), 200));
    } else connection.end(bytes);
  });
}

const spec = (...records: SpecRecord[]) => encodeFrame("Q", encodeSpec(records));

describe("the launcher, with sanitizers on,", () => {
  it("refuses what is no spec, whatever the bytes, and touches no memory that is not its own", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (bytes, framed) => {
        const { said, stderr } = await launch(framed ? encodeFrame("Q", bytes) : bytes);
        expect(stderr).toBe("");
        if (framed) expect(said).toMatch(/^spec: /);
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  it("refuses a spec whose lengths lie", async () => {
    const good = Buffer.from(encodeSpec([["uid", 1_900_000_000]]));
    for (let at = 0; at < 6; at++) {
      const lying = Buffer.from(good);
      lying[at] = 0xff;
      expect(await launch(encodeFrame("Q", lying))).toMatchObject({ said: expect.stringContaining("malformed"), stderr: "" });
    }
  });

  it("never makes a sandbox without a host uid of its own", async () => {
    for (const uid of [0, -1, "", "root"]) expect((await launch(spec(["uid", uid]))).said).toContain("no uid, or uid 0");
    expect((await launch(spec(["hostname", "x"]))).said).toContain("no uid, or uid 0");
  });

  it("[needs: root] names the step that failed, and leaves no process and no mount", async () => {
    const mounts = execFileSync("cat", ["/proc/self/mounts"]).toString();
    const root = mkdtempSync(join(tmpdir(), "plastron-root-"));
    const base: SpecRecord[] = [
      ["uid", 1_999_999_000],
      ["root", root],
    ];
    const cases: [SpecRecord[], string][] = [
      [[...base, ["bind", "/no/such/place", "/usr", "ro"]], "bind source: No such file or directory: /no/such/place"],
      [[...base, ["bind", "/usr"]], "spec: Invalid argument: bind"],
      [[...base, ["tmpfs", "/workspace", "nonsense", 1, "700", 0, ""]], "tmpfs: Invalid argument"],
      [
        [
          ["uid", 1_999_999_000],
          ["root", "/no/such/root"],
        ],
        "tmpfs: No such file or directory: /no/such/root",
      ],
      [[...base, ["proc", "/proc"], ["dir", "/workspace", "755"], ["landlock", "rx", "/gone"]], "landlock path: No such file or directory: /gone"],
      [[...base, ["proc", "/proc"], ["dir", "/workspace", "755"], ["seccomp", "short"]], "spec: Invalid argument: seccomp"],
      [[...base, ["proc", "/proc"], ["dir", "/workspace", "755"], ["exec", "/bin/none"]], "exec: No such file or directory: /bin/none"],
      [
        [
          ["uid", 1_999_999_000],
          ["cgroup", "/no/such/cgroup"],
        ],
        "cgroup: No such file or directory: /no/such/cgroup",
      ],
    ];
    for (const [records, message] of cases) {
      const ended = await launch(spec(...records), true);
      expect(ended.said).toContain(message);
      expect(ended.stderr).toBe("");
    }
    expect(execFileSync("cat", ["/proc/self/mounts"]).toString()).toBe(mounts);
    expect(readdirSync(root)).toEqual([]);
    rmSync(root, { recursive: true });
  });
});
