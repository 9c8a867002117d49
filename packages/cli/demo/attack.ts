import type { Confinement, Limits, Runtime } from "@plastron/contracts";

/** One thing that untrusted code does to its host, shown twice: where nothing stops it, and under the policy. All of it is data. */
export interface Attack {
  id: string;
  /** What it does, short enough for a table. */
  title: string;
  cve?: string;
  /** What is at stake, in one sentence for somebody who does not know the system calls. */
  story: string;
  /** The rule of the policy, or the built-in control, that stops it. */
  rule: string;
  /** The kernel may lack what is attacked; then there is nothing to show, and the attack is left out by name. */
  optional?: true;
  /** It takes hundreds of megabytes before it is stopped: never two of these at once, or a small machine would suffer in earnest. */
  heavy?: true;
  /** The first must succeed; what follows shows that the weak place is no weaker than it is meant to be. */
  without: readonly Trial[];
  with: readonly Trial[];
}

/** One program in one place, how its effect is seen, and what must be seen. */
export interface Trial {
  what: string;
  runtime: Runtime;
  code: string;
  stdin?: string;
  limits?: Partial<Limits>;
  place: Place;
  sign: Sign;
  expect: Finding["kind"];
}

/** `policy`: as the product runs everything. `weak`: the same sandbox with the named controls taken out. */
export type Place = { kind: "policy" } | { kind: "weak"; parts: NonNullable<Confinement["weak"]>; network: "none" | "sacrificial" };

/**
 * How it is seen what a program did. `report`: it says so itself, line by line (programs/report.py).
 * `limit`: the platform ended or cut it, by name of the limit. `silence`: code that must not run did not, while `instead` was printed.
 * `survivor`: a process that it left behind, looked for from the host.
 */
export type Sign = { by: "report" } | { by: "limit"; limit: "memory" | "pids" | "stdout" } | { by: "silence"; instead: string } | { by: "survivor" };

/** What was seen. `absent`: the kernel has no such thing. `broken`: neither is clear, so the trial proves nothing. */
export interface Finding {
  kind: "succeeded" | "denied" | "absent" | "broken";
  detail: string;
}

const REPORT: Sign = { by: "report" };
export const POLICY: Place = { kind: "policy" };

/** Weak where the attack is against the kernel's face to an ordinary user: no seccomp, no Landlock, user namespaces allowed. */
export const WEAK_USER: Place = { kind: "weak", parts: { capabilities: false }, network: "none" };
/** The same as the host's root within its own namespaces, as dify-sandbox's runner is. */
export const WEAK_ROOT: Place = { kind: "weak", parts: {}, network: "none" };
/** The same in a network namespace that the demo made and filled (stage/network.ts). */
export const WEAK_NETWORK: Place = { kind: "weak", parts: { capabilities: false }, network: "sacrificial" };

export const trial = (what: string, given: Partial<Trial> & Pick<Trial, "code" | "place" | "expect">): Trial => ({
  what,
  runtime: "python3",
  sign: REPORT,
  ...given,
});

/** The usual attack: one program that says itself whether it got through. */
export function attack(given: Omit<Attack, "without" | "with"> & { weak: Place; code: string }): Attack {
  const { weak, code, ...rest } = given;
  return {
    ...rest,
    without: [trial("without the control", { code, place: weak, expect: "succeeded" })],
    with: [trial("under the policy", { code, place: POLICY, expect: "denied" })],
  };
}
