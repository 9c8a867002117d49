import { readdir, readFile } from "node:fs/promises";

/** Host pids of processes whose command line has `marker`, in whatever namespace they are. */
export async function survivors(marker: string): Promise<number[]> {
  const names = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(names.map(async (pid) => ((await commandLine(pid)).includes(marker) ? [Number(pid)] : [])));
  return found.flat();
}

/** How many are left once the sandbox has had `ms` to go: it is destroyed behind the answer. */
export async function survivorsAfter(marker: string, ms: number): Promise<number[]> {
  const deadline = performance.now() + ms;
  for (;;) {
    const left = await survivors(marker);
    if (left.length === 0 || performance.now() > deadline) return left;
    await new Promise((done) => setTimeout(done, 20));
  }
}

const commandLine = (pid: string): Promise<string> => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
