import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runChild } from "./child.ts";
import { degraded, type Finding, missing, type Probe, working } from "./probe.ts";

const SCRIPTS = join(import.meta.dirname, "scripts");
const CAP_SYS_ADMIN = 21n;
const CAP_SYS_RESOURCE = 24n;
const KINDS = ["user", "mount", "pid", "net", "ipc", "uts", "cgroup"] as const;

/** What the kernel and our rights give: root, namespaces, Landlock, seccomp. Each is tried in a child that then ends. */
export function kernelProbes(): Probe[] {
  return [
    { id: "root", title: "Root and its capabilities", required: false, timeoutMs: 1000, try: root },
    ...KINDS.map(
      (kind): Probe => ({
        id: `namespace-${kind}`,
        title: `${kind} namespaces`,
        required: kind !== "cgroup",
        timeoutMs: 3000,
        try: () => namespace(kind),
      }),
    ),
    { id: "landlock", title: "Landlock restricts a process", required: false, timeoutMs: 3000, try: landlock },
    { id: "seccomp", title: "A seccomp filter kills", required: true, timeoutMs: 3000, try: seccomp },
    { id: "seccomp-notify", title: "A call can be looked at and answered from outside", required: false, timeoutMs: 3000, try: notify },
  ];
}

async function root(): Promise<Finding> {
  const set = effectiveCapabilities();
  const shown = `uid ${process.geteuid?.()}, CapEff ${set.toString(16).padStart(16, "0")}`;
  if (process.geteuid?.() !== 0) return missing(shown, "Run as root (or with sudo) for cgroup limits and a uid of its own for each sandbox.");
  if (!has(set, CAP_SYS_ADMIN)) return degraded(`${shown}: CAP_SYS_ADMIN is not in it`, "Give the container --privileged or CAP_SYS_ADMIN.");
  return working(has(set, CAP_SYS_RESOURCE) ? shown : `${shown}: CAP_SYS_RESOURCE is absent, so limits are only ever lowered`);
}

async function namespace(kind: (typeof KINDS)[number]): Promise<Finding> {
  const asUser = process.geteuid?.() !== 0 || kind === "user";
  const args = [...(asUser ? ["--user", "--map-root-user"] : []), ...(kind === "user" ? [] : [`--${kind}`]), ...(kind === "pid" ? ["--fork"] : []), "true"];
  const ended = await runChild("unshare", args, 2500);
  if (ended.code === 0) return working(`unshare ${args.join(" ")}`);
  if (ended.absent) return missing("unshare is not installed", "apt-get install util-linux");
  return missing(ended.timedOut ? "unshare hung" : ended.stderr, namespaceRemedy());
}

function namespaceRemedy(): string {
  return "sysctl user.max_user_namespaces=15000 kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0 (those that exist), or run as root.";
}

async function landlock(): Promise<Finding> {
  const abi = await landlockAbi();
  if (abi === null) return missing("python3 is needed to try it", "apt-get install python3");
  if (abi === 0) return missing("the kernel does not restrict a process that asks for it", "Boot with lsm=landlock,… (kernel 5.13 or later).");
  return working(`ABI ${abi}; a restricted child was refused a file that it could read before`);
}

/** Landlock's ABI as a child found it by being restricted; 0 where it does not hold, null where there is no python3 to ask with. */
export async function landlockAbi(): Promise<number | null> {
  const ended = await runChild("/usr/bin/python3", ["-I", "-S", join(SCRIPTS, "landlock.py")], 2500);
  if (ended.absent) return null;
  return /^\d+$/.test(ended.stdout) ? Number(ended.stdout) : 0;
}

async function seccomp(): Promise<Finding> {
  const attempt = (args: string[]) => runChild("/usr/bin/python3", ["-I", "-S", join(SCRIPTS, "seccomp_kills.py"), ...args], 2500);
  const [without, withFilter] = await Promise.all([attempt(["without"]), attempt([])]);
  if (withFilter.absent) return missing("python3 is needed to try it", "apt-get install python3");
  if (without.code !== 0) return missing(`the control run failed: ${without.stderr}`);
  if (withFilter.signal === "SIGSYS") return working("getppid answered without the filter and killed with SIGSYS under it");
  return missing(withFilter.stderr || `the child ended with ${withFilter.signal ?? withFilter.code}`, "Use a kernel with CONFIG_SECCOMP_FILTER.");
}

async function notify(): Promise<Finding> {
  if (await canNotify()) return working("a child's call was handed over by its filter and answered with a descriptor put into it");
  return missing(
    "a call could not be handed over and answered with a descriptor: rules on paths that need a look, and records of refused calls, are not there",
    "Use Linux 5.14 or later with CONFIG_SECCOMP_FILTER, and python3 to try it.",
  );
}

/** Whether a listener outside can answer a call of a child with a descriptor: what the broker of watched paths lives on. */
export async function canNotify(): Promise<boolean> {
  return (await runChild("/usr/bin/python3", ["-I", "-S", join(SCRIPTS, "notify.py")], 2500)).stdout === "1";
}

function effectiveCapabilities(): bigint {
  const found = readFileSync("/proc/self/status", "utf8").match(/^CapEff:\s*([0-9a-f]+)$/m);
  return BigInt(`0x${found?.[1] ?? "0"}`);
}

function has(set: bigint, capability: bigint): boolean {
  return ((set >> capability) & 1n) === 1n;
}
