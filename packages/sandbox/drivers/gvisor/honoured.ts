import { type Confinement, PlastronError } from "@plastron/contracts";

/**
 * What a guest's kernel cannot enforce. The compiler does not ask for it where it was told the facts of this driver (facts.ts);
 * a confinement that was compiled for another is refused here, by the name of the part, rather than run with a rule less.
 * `guestProc` are the names that a guest has in its /proc: what is not there needs no mask. Errors: tier_unavailable.
 */
export function requireHonoured(confinement: Confinement, guestProc: ReadonlySet<string>): void {
  const { watch, hooks, network, capabilities, weak, hidden, unexecutable } = confinement;
  const shown = [...hidden, ...unexecutable].find((path) => path.startsWith("/proc/") && isIn(guestProc, path));
  const parts = [
    [watch.calls.length > 0, "watch.calls", "gVisor has no seccomp user notification"],
    [watch.paths.length > 0, "watch.paths", "gVisor has no seccomp user notification"],
    [hooks !== null, "hooks", "the host's cgroup programs do not see a guest's sockets"],
    [network !== null, "network", "a guest has no way out"],
    [capabilities.length > 0, "capabilities", "programs of a guest have none"],
    [shown !== undefined, `hidden ${shown}`, "a guest's /proc is its kernel's own, where nothing can be masked"],
    [weak?.capabilities === true, "weak.capabilities", "programs of a guest have none"],
    [weak?.network_namespace !== undefined, "weak.network_namespace", "a guest has no way out"],
  ] as const;
  const refused = parts.filter(([asked]) => asked).map(([, part, why]) => `${part} (${why})`);
  if (refused.length === 0) return;
  throw new PlastronError("tier_unavailable", `the gvisor driver cannot enforce ${refused.join(", ")} of policy ${confinement.policy}`, {
    hint: "Compile the policy for tier 3: `plastron policy explain --min-tier 3 FILE` says what becomes of each rule.",
  });
}

/** A glob may mean any of them. */
function isIn(guestProc: ReadonlySet<string>, path: string): boolean {
  const name = path.split("/")[2] ?? "";
  return name.includes("*") || /^[0-9]+$/.test(name) || guestProc.has(name);
}
