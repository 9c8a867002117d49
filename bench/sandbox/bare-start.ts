import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Measured, type Summary, summarize } from "../measure.ts";

/** What a program costs without us: a bare interpreter, and the cold sandboxes that there are on this machine. */
export interface BareStarts {
  python: Measured<Summary>;
  node: Measured<Summary>;
  bubblewrap: Measured<Summary>;
  nsjail: Measured<Summary>;
  runc: Measured<Summary>;
}

/** The interpreter itself and not a version manager's shim, which would make the baseline slow and us look good. */
export const PYTHON = existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3";
const NOBODY = 65_534;
const PRINT = ["-c", "print(1)"];
/** Directories of a root whose content lies under /usr. */
const LINKS = ["bin", "lib", "lib64", "sbin"];

interface Baseline {
  command: string;
  args: string[];
  /** The uid and gid that the command itself runs as; the bench's own where it is absent. */
  id?: number;
}

/**
 * From spawn to the collected exit, `rounds` times each. All take turns, so that a moment of load on the machine falls on all of them.
 * spawnSync is the fastest that Node has: the baselines get the benefit of the doubt.
 */
export function measureBareStarts(rounds: number): BareStarts {
  const scratch = mkdtempSync(join(tmpdir(), "plastron-bench-"));
  try {
    const samples = new Map<string, number[] | { unavailable: string }>();
    const baselines = Object.entries(baselinesIn(scratch));
    for (const [name, baseline] of baselines) samples.set(name, tryOut(baseline) ?? []);
    for (let i = 0; i < rounds; i++) {
      for (const [name, baseline] of baselines) {
        const known = samples.get(name);
        if (!Array.isArray(known)) continue;
        const ms = timeOnce(baseline);
        if (ms === null) samples.set(name, { unavailable: "it worked once and then failed" });
        else known.push(ms);
      }
    }
    return Object.fromEntries([...samples].map(([name, found]) => [name, Array.isArray(found) ? summarize(found) : found])) as unknown as BareStarts;
  } finally {
    removeBundle(scratch);
  }
}

function baselinesIn(scratch: string): Record<keyof BareStarts, Baseline> {
  return {
    python: { command: PYTHON, args: PRINT },
    node: { command: process.execPath, args: ["-e", "console.log(1)"] },
    bubblewrap: bubblewrap(),
    nsjail: {
      command: "nsjail",
      args: ["-Mo", "--really_quiet", "--chroot", "/", "--user", String(NOBODY), "--group", String(NOBODY), "--", PYTHON, ...PRINT],
    },
    runc: { command: "runc", args: ["run", "--bundle", scratch, `plastron-bench-${process.pid}`] },
  };
}

/** Started as root, bubblewrap leaves its payload the kernel's uid 0 whatever --uid says: so it is started as nobody, as it ought to be. */
function bubblewrap(): Baseline {
  const links = LINKS.flatMap((name) => ["--symlink", `usr/${name}`, `/${name}`]);
  const args = ["--unshare-all", "--die-with-parent", "--ro-bind", "/usr", "/usr", ...links, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"];
  return { command: "bwrap", args: [...args, "--", PYTHON, ...PRINT], ...(process.getuid?.() === 0 ? { id: NOBODY } : {}) };
}

/** Null where it works; the first start also fills the page cache. */
function tryOut(baseline: Baseline): { unavailable: string } | null {
  if (baseline.command === "runc") prepareRunc(baseline.args[2] as string);
  const { status, stdout, stderr, error } = spawn(baseline);
  if ((error as NodeJS.ErrnoException | undefined)?.code === "ENOENT") return { unavailable: "not installed" };
  if (status === 0 && stdout.trim() === "1") return null;
  return { unavailable: error?.message ?? (stderr.trim().split("\n").at(-1)?.slice(0, 200) || `exit code ${status}`) };
}

function timeOnce(baseline: Baseline): number | null {
  const start = process.hrtime.bigint();
  const { status } = spawn(baseline);
  const ms = Number(process.hrtime.bigint() - start) / 1e6;
  return status === 0 ? ms : null;
}

function spawn({ command, args, id }: Baseline) {
  return spawnSync(command, args, { cwd: "/", encoding: "utf8", timeout: 10_000, ...(id === undefined ? {} : { uid: id, gid: id }) });
}

/**
 * A bundle with the same root as bubblewrap's: the host's /usr, read-only. Otherwise runc's default specification, but for cgroups, which
 * runc cannot show on every host. Where there is no runc there is no bundle.
 */
function prepareRunc(bundle: string): void {
  if (spawnSync("runc", ["spec"], { cwd: bundle }).status !== 0) return;
  mkdirSync(join(bundle, "rootfs", "usr"), { recursive: true });
  for (const name of LINKS) symlinkSync(`usr/${name}`, join(bundle, "rootfs", name));
  const file = join(bundle, "config.json");
  const config = JSON.parse(readFileSync(file, "utf8"));
  config.process = { ...config.process, terminal: false, args: [PYTHON, ...PRINT] };
  config.mounts = config.mounts.filter(({ type }: { type: string }) => type !== "cgroup");
  config.mounts.push({ destination: "/usr", type: "bind", source: "/usr", options: ["rbind", "ro"] });
  writeFileSync(file, JSON.stringify(config));
}

/** The mount point goes first and alone: had a runtime left the host's /usr there, this fails, and nothing below is touched. */
function removeBundle(bundle: string): void {
  const usr = join(bundle, "rootfs", "usr");
  if (existsSync(usr)) rmdirSync(usr);
  rmSync(bundle, { recursive: true, force: true });
}
