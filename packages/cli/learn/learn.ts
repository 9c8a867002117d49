import { type HostFacts, type NetworkRequest, newId, PlastronError, type Program, type RunResult, runSpecSchema, type Violation } from "@plastron/contracts";
import { type BehaviorProfile, compilePolicy, mergeProfiles, networkSeed, type PolicyDocument, parsePolicy, profileOf, withNetwork } from "@plastron/policy";
import type { SandboxDriver } from "@plastron/sandbox";

/** A program as it is run each time. */
export type Workload = Pick<Program, "runtime" | "code" | "args" | "files" | "stdin" | "env" | "imports" | "limits"> & {
  /** What it may reach while it is learnt. */
  network?: NetworkRequest | undefined;
};

export interface LearnOptions {
  runs: number;
  /** No further run is begun after this long. */
  durationMs: number;
  /** Take in runs that were not recorded completely. */
  force: boolean;
}

export interface Learned {
  profile: BehaviorProfile;
  /** How each run ended while it was only looked at. */
  ends: Ended[];
}

export interface Ended {
  status: RunResult["status"];
  exit_code: number | null;
  stdout: string;
  stderr: string;
}

export interface Replayed extends Ended {
  violations: Violation[];
  /** Ended as it did while it was learnt, and printed the same if it did so each time. */
  same: boolean;
}

/** The platform's floor and nothing else: what a workload is looked at under. */
const OBSERVING: PolicyDocument = {
  apiVersion: "crd.varmor.org/v1beta1",
  kind: "VarmorPolicy",
  metadata: { name: "learning" },
  spec: { target: { kind: "Pod", name: "learning" }, policy: { enforcer: "AppArmorSeccomp", mode: "BehaviorModeling", modelingOptions: { duration: 10 } } },
};

/**
 * Lets the workload run under the floor alone, several times, and puts together what the sensor saw. Throws PlastronError
 * sensor_unavailable where nothing is seen, invalid_request where a run was not recorded completely.
 */
export async function learn(workload: Workload, options: LearnOptions, driver: SandboxDriver, host: HostFacts, say: (run: number) => void): Promise<Learned> {
  const until = performance.now() + options.durationMs;
  const ends: Ended[] = [];
  let profile: BehaviorProfile | undefined;
  for (let run = 1; run <= options.runs && (run === 1 || performance.now() < until); run++) {
    say(run);
    const { result, ...end } = await runUnder(OBSERVING, workload, driver, host, "model");
    const { telemetry } = result;
    if (!telemetry.model) {
      throw new PlastronError("sensor_unavailable", `nothing was seen of what it did: ${telemetry.reason ?? "the sensor told nothing"}`, {
        hint: "`plastron doctor` says what the sensor needs.",
      });
    }
    const seen = profileOf(telemetry.model, {
      runtime: workload.runtime,
      denials: telemetry.denials,
      flows: telemetry.network.flows,
      force: options.force,
    });
    profile = profile ? mergeProfiles(profile, seen) : seen;
    ends.push(end);
  }
  return { profile: profile as BehaviorProfile, ends };
}

/** Runs it under its learned policy as it would be deployed. */
export async function replay(policy: string, workload: Workload, expected: readonly Ended[], driver: SandboxDriver, host: HostFacts): Promise<Replayed> {
  const { result, ...end } = await runUnder(parsePolicy(policy), workload, driver, host, "account");
  const [first] = expected;
  const steady = expected.every(({ stdout }) => stdout === first?.stdout);
  const same = expected.some((each) => each.status === end.status && each.exit_code === end.exit_code) && (!steady || end.stdout === first?.stdout);
  return { ...end, violations: result.violations, same };
}

async function runUnder(
  policy: PolicyDocument,
  { network, ...workload }: Workload,
  driver: SandboxDriver,
  host: HostFacts,
  sensing: "model" | "account",
): Promise<Ended & { result: RunResult }> {
  const compiled = compilePolicy(policy, host);
  const { confinement } = policy === OBSERVING && network ? withNetwork(networkSeed(compiled), network, [], host) : compiled;
  const spec = runSpecSchema.parse({ ...workload, run_id: newId("run"), tenant: "learn", confinement, sensing });
  const chunks = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  const result = await driver.run(spec, {
    stdout: (chunk) => void chunks.stdout.push(Buffer.from(chunk)),
    stderr: (chunk) => void chunks.stderr.push(Buffer.from(chunk)),
  });
  const text = (parts: Uint8Array[]) => Buffer.concat(parts).toString("utf8");
  return { status: result.status, exit_code: result.exit_code, stdout: text(chunks.stdout), stderr: text(chunks.stderr), result };
}
