/**
 * `./plastron test [arguments of vitest]`: every check that a change must pass, and one closing line with the sum of them.
 * Format and lint, types, package boundaries and "nothing is left behind" count as one check each.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { leftovers, settled, snapshot } from "./leftovers.ts";
import { type Counts, closingLine } from "./reporter.ts";

const root = join(import.meta.dirname, "..");
process.exitCode = await main(process.argv.slice(2));

async function main(vitestArguments: string[]): Promise<number> {
  const before = snapshot();
  const sum = [
    check("format and lint", "@biomejs/biome/bin/biome", "check", "--colors=off", "."),
    check("types", "typescript/bin/tsc", "--noEmit"),
    check("boundaries", "dependency-cruiser/bin/dependency-cruiser.mjs", "--config", ".dependency-cruiser.cjs", "--output-type", "err-long", "packages"),
    runTests(vitestArguments),
    await nothingLeft(before),
  ].reduce(add);
  console.log(closingLine(sum));
  return sum.failed > 0 ? 1 : 0;
}

/** One tool of node_modules; what it prints is shown only where it fails. */
function check(title: string, script: string, ...args: string[]): Counts {
  const start = performance.now();
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [join(root, "node_modules", script), ...args], { cwd: root, encoding: "utf8" });
  if (status !== 0) console.log(`${stdout ?? ""}${stderr ?? ""}${error ?? ""}`);
  return report(title, status === 0, start);
}

function runTests(args: string[]): Counts {
  const directory = mkdtempSync(join(tmpdir(), "plastron-tally-"));
  chmodSync(directory, 0o755);
  const tally = join(directory, "counts.json");
  try {
    const [command, ...rest] = [...reachable(directory), "run", ...args] as [string, ...string[]];
    const { status } = spawnSync(command, rest, { cwd: root, stdio: "inherit", env: { ...ownEnvironment(), PLASTRON_TALLY: tally } });
    const counts = readCounts(tally);
    // A crash after (or without) the tally, or a failed global set-up, must not read as success.
    return status !== 0 && counts.failed === 0 ? add(counts, { passed: 0, failed: 1, skipped: 0 }) : counts;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * How to call vitest. Tests start programs under other users, who must be able to reach the checkout: where a directory above it
 * bars them (a clone under /root, or in a private temporary directory), it is shown at another place, in a mount namespace.
 */
function reachable(directory: string): string[] {
  const vitest = "node_modules/vitest/vitest.mjs";
  if (process.getuid?.() !== 0 || !isBarred(root)) return [process.execPath, join(root, vitest)];
  const place = join(directory, "checkout");
  mkdirSync(place);
  const node = process.execPath.startsWith(`${root}/`) ? join(place, relative(root, process.execPath)) : process.execPath;
  const enter = 'mount --bind "$1" "$2" && cd "$2" && shift 2 && exec "$@"';
  return ["unshare", "--mount", "--propagation", "private", "sh", "-c", enter, "sh", root, place, node, join(place, vitest)];
}

function isBarred(path: string): boolean {
  return (statSync(path).mode & 0o001) === 0 || (path !== "/" && isBarred(dirname(path)));
}

/** What is set for a Plastron that runs on this machine is not meant for the tests. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PLASTRON_")));
}

function readCounts(file: string): Counts {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Counts;
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

async function nothingLeft(before: ReturnType<typeof snapshot>): Promise<Counts> {
  const start = performance.now();
  const left = await settled(() => leftovers(before, snapshot()));
  for (const thing of left) console.log(`left behind: ${thing}`);
  if (left.length > 0) console.log("(a Plastron that somebody else started here meanwhile counts too: the tests want the machine for themselves)");
  return report("nothing is left behind", left.length === 0, start);
}

function report(title: string, good: boolean, start: number): Counts {
  console.log(`${good ? "✓" : "✗"} ${title} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  return { passed: good ? 1 : 0, failed: good ? 0 : 1, skipped: 0 };
}

function add(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}
