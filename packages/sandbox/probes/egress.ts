import { fileURLToPath } from "node:url";
import { EGRESS_BOUND } from "../drivers/local/egress-bound.ts";
import { runChild } from "./child.ts";
import { type Finding, missing, type Probe, working } from "./probe.ts";

const LAUNCHER = fileURLToPath(new URL("../native/build/plastron-launcher", import.meta.url));

const BOUND_HINT = "apt-get install util-linux brings prlimit and setpriv; run as root.";

/** Whether a relay could be put into a network namespace here: all of its steps are taken once, in a namespace that then goes. */
export async function canLetOut(): Promise<boolean> {
  const [relay, bound] = await Promise.all([runChild(LAUNCHER, ["probe-egress"], 2000), startBound()]);
  return relay.code === 0 && bound.code === 0;
}

/** What the egress process is started through, with nothing behind it. */
function startBound(bound: readonly string[] = EGRESS_BOUND): ReturnType<typeof runChild> {
  const [command = "", ...args] = bound;
  return runChild(command, [...args, "--", "/bin/true"], 2000);
}

/** `bound`: in place of what the egress process is started through. */
export function egressProbes(bound?: readonly string[]): Probe[] {
  return [{ id: "egress", title: "Sandboxes can be let out to what a policy names", required: false, timeoutMs: 3000, try: () => tryOut(bound) }];
}

async function tryOut(through: readonly string[] = EGRESS_BOUND): Promise<Finding> {
  const [ended, bound] = await Promise.all([runChild(LAUNCHER, ["probe-egress"], 2500), startBound(through)]);
  if (bound.code !== 0)
    return missing(`the egress process cannot be started without rights: ${bound.absent ? `${through[0]} is not there` : bound.stderr}`, BOUND_HINT);
  if (ended.code === 0) return working("every connection of an empty network namespace was given to one socket, and its holder gave up all rights");
  if (ended.absent) return missing("the native parts are not built", "apt-get install gcc libc6-dev, then ./plastron up compiles them.");
  return missing(ended.stdout || ended.stderr, "Run as root on Linux 5.9 or later (BPF programs of type sk_lookup).");
}
