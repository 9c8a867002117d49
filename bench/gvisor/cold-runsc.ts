import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Measured, type Summary, summarize } from "../measure.ts";
import { PYTHON } from "../sandbox/bare-start.ts";

/** `runsc do` of Python's print(1), `rounds` times: start, run and end of a guest that was not made ready. */
export function measureColdRunsc(rounds: number): Measured<Summary> {
  const root = mkdtempSync(join(tmpdir(), "plastron-bench-"));
  const args = [`--root=${root}`, "--network=none", "--ignore-cgroups", "--platform=ptrace", "do", PYTHON, "-c", "print(1)"];
  try {
    const samples: number[] = [];
    for (let i = -1; i < rounds; i++) {
      const start = process.hrtime.bigint();
      const { status, stdout, stderr, error } = spawnSync("runsc", args, { cwd: "/", encoding: "utf8", timeout: 20_000 });
      if ((error as NodeJS.ErrnoException | undefined)?.code === "ENOENT") return { unavailable: "runsc is not installed" };
      if (status !== 0 || stdout.trim() !== "1") return { unavailable: stderr.trim().split("\n").at(-1)?.slice(0, 200) || `exit code ${status}` };
      if (i >= 0) samples.push(Number(process.hrtime.bigint() - start) / 1e6); // the first start fills the page cache
    }
    return summarize(samples);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
