import type { SelfTest } from "@plastron/contracts";
import { globMatches } from "../orders/glob.ts";
import type { Permission } from "../orders/order.ts";
import { pythonProbe, STARTING } from "./probes.ts";

/** Programs that try what a rule on paths forbids, made from its glob. */

/** A path that the glob names, in the program's own places where it can be, and otherwise where it must be. */
export function sampleOf(glob: string): string {
  const rest = glob.replace(/^\/\*\*(?:\/|$)/, "/workspace/plastron-probe/");
  const from = rest === glob ? glob.replace(/^\/\*\*/, "/workspace/plastron-probe/x") : rest;
  const filled = from
    .replaceAll("/**/", "/x/")
    .replaceAll("**", "x")
    .replaceAll("*", "x")
    .replaceAll("?", "x")
    .replace(/\[(?:\^|!)?([^\]])[^\]]*\]/g, "$1");
  return filled.endsWith("/") ? `${filled}x` : filled;
}

/** A path of the program's own beside the rule; null where it names them all. */
export function besideOf(glob: string): string | null {
  return ["/workspace/plastron-beside", "/tmp/plastron-beside.x", "/dev/shm/plastron-beside.y"].find((path) => !globMatches(glob, path)) ?? null;
}

/**
 * The file is made first where it can be: what does not exist cannot be opened either, and that would prove nothing. Where the rule
 * refuses the making, that is what is tried.
 */
export function openingGlob(id: string, glob: string, permissions: readonly Permission[]): SelfTest {
  const sample = sampleOf(glob);
  const reads = permissions.includes("read");
  const changes = permissions.includes("write");
  const appends = changes || permissions.includes("append");
  const beside = besideOf(glob);
  return pythonProbe({
    id,
    forbidden: `
path = ${JSON.stringify(sample)}
def make():
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
made = attempt(make)
results = {}
if ${reads ? "True" : "False"}:
    results["read"] = attempt(lambda: open(path, "rb").read(1) if not os.path.isdir(path) else os.listdir(path))
if ${appends ? "True" : "False"}:
    results["append"] = attempt(lambda: os.close(os.open(path, os.O_WRONLY | os.O_APPEND)))
if ${changes ? "True" : "False"}:
    results["make"] = made
    results["write"] = attempt(lambda: os.close(os.open(path, os.O_WRONLY)))
    results["truncate"] = attempt(lambda: os.truncate(path, 0))
    results["rename"] = attempt(lambda: os.rename(path, path + "-moved"))
    results["unlink"] = attempt(lambda: os.unlink(path))
judge(results, denied=DENIED + (errno.ENOENT, errno.ENOTDIR, errno.EXDEV, errno.EBUSY, errno.EISDIR, errno.ETXTBSY))
`,
    allowed:
      beside === null
        ? "sys.exit(0)"
        : `path = ${JSON.stringify(beside)}\nwith open(path, "w") as file:\n    file.write("x")\nassert open(path).read() == "x"\nos.unlink(path)`,
    weakness: null,
  });
}

/** What matches in the root, and what the program plants under a name that matches and under another. */
export function executingGlob(id: string, glob: string): SelfTest {
  const sample = sampleOf(glob);
  const tool = ["/usr/bin/true", "/usr/bin/env", "/usr/bin/sort"].find((path) => !globMatches(glob, path));
  return pythonProbe({
    id,
    forbidden: `${STARTING}
sample = ${JSON.stringify(sample)}
results = {"sample": start(sample), "renamed": start(plant("harmless"))}
error = attempt(plant, sample)
results["planted"] = start(sample) if error == 0 else error
for place in PLACES:
    installed = os.path.join(place, os.path.basename(sample))
    if ${glob.startsWith("/**/") ? "True" : "False"} and os.path.exists(installed):
        results[installed] = start(installed)
judge(results, denied=DENIED + (errno.ENOENT, errno.ENOTDIR, errno.EISDIR))
`,
    allowed: tool === undefined ? "sys.exit(0)" : `import subprocess\nsys.exit(subprocess.run([${JSON.stringify(tool)}], stdin=subprocess.DEVNULL).returncode)`,
    weakness: null,
  });
}
