import { fileURLToPath } from "node:url";
import { runChild } from "./child.ts";
import { type Finding, missing, type Probe, working } from "./probe.ts";

const LAUNCHER = fileURLToPath(new URL("../native/build/plastron-launcher", import.meta.url));

/** Whether a relay could be put into a network namespace here: all of its steps are taken once, in a namespace that then goes. */
export async function canLetOut(): Promise<boolean> {
  return (await runChild(LAUNCHER, ["probe-egress"], 2000)).code === 0;
}

export function egressProbes(): Probe[] {
  return [{ id: "egress", title: "Sandboxes can be let out to what a policy names", required: false, timeoutMs: 3000, try: tryOut }];
}

async function tryOut(): Promise<Finding> {
  const ended = await runChild(LAUNCHER, ["probe-egress"], 2500);
  if (ended.code === 0) return working("every connection of an empty network namespace was given to one socket, and its holder gave up all rights");
  if (ended.absent) return missing("the native parts are not built", "apt-get install gcc libc6-dev, then ./plastron up compiles them.");
  return missing(ended.stdout || ended.stderr, "Run as root on Linux 5.9 or later (BPF programs of type sk_lookup).");
}
