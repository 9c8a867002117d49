import { createHash, randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Confinement, type HostFacts, newId, type RunResult, runSpecSchema } from "@plastron/contracts";
import { compilePolicy, parsePolicy, weakConfinement } from "@plastron/policy";
import type { DriverOptions, SandboxDriver } from "@plastron/sandbox";
import type { Place, Trial } from "../attack.ts";
import { openNetwork, type SacrificialNetwork } from "./network.ts";
import { survivors, survivorsAfter } from "./survivors.ts";

/** What a trial left to look at. `received` counts the bytes of standard output that came out of the sandbox. */
export interface Evidence {
  stdout: string;
  stderr: string;
  received: number;
  result: RunResult;
  /** Processes with the run's marker, seen from the host: while it ran, and after. Looked for only where the sign is `survivor`. */
  marked: { during: number; after: number };
}

/** A place to run attacks in: a driver of its own, the sacrificial targets, and the policy. */
export interface Stage {
  run(trial: Trial): Promise<Evidence>;
  close(): Promise<void>;
}

/** What the demo needs of the sandbox package. */
export interface Platform {
  openDriver(options: DriverOptions, preference: "local"): Promise<SandboxDriver>;
  hostFacts(): Promise<HostFacts>;
}

const POLICY_FILE = new URL("../../../../policies/dify-sandbox.yaml", import.meta.url);
/** Away from the agent's uids, so that a sandbox of the demo shares its uid with none that serves somebody. */
const UID_BASE = 1_950_000_000;
/** What is there to be taken, in every sandbox of the demo alike: nothing else of the host is at stake. */
const PLANTED = {
  "/run/secrets/kubernetes.io/serviceaccount/token": "sacrificial-service-account-token\n",
  "/etc/plastron-demo/flag": "intact\n",
};
/** A starved machine must not turn "too slow" into a verdict. */
const WALL_MS = 20_000;
const KEPT_OUTPUT = 64 * 1024;
const SURVIVAL_MS = 3_000;

/**
 * Opens the stage under a temporary home. Throws PlastronError sandbox_failed where this host can make no sandbox with the local
 * driver, the only one that has weak places.
 */
export async function openStage(platform: Platform, signal: AbortSignal): Promise<Stage> {
  const home = mkdtempSync(join(tmpdir(), "plastron-demo-"));
  const opened: { network?: SacrificialNetwork; driver?: SandboxDriver } = {};
  const close = async (): Promise<void> => {
    await opened.driver?.close();
    await opened.network?.close();
    rmSync(home, { recursive: true, force: true });
  };
  try {
    opened.driver = await platform.openDriver({ home, uidBase: UID_BASE }, "local");
    opened.network = await openNetwork();
    const policy = underThePolicy(await platform.hostFacts());
    const { driver, network } = opened;
    return { run: (trial) => runTrial(trial, driver, confinementOf(trial.place, policy, network), signal), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The policy that is shipped, as compiled for everybody, and beside it the sacrificial files, which change what its id names. */
function underThePolicy(host: HostFacts): Confinement {
  const { confinement } = compilePolicy(parsePolicy(readFileSync(POLICY_FILE, "utf8")), host);
  const id = createHash("sha256")
    .update(confinement.id + JSON.stringify(PLANTED))
    .digest("hex");
  return { ...confinement, id, weak: { planted_files: PLANTED } };
}

function confinementOf(place: Place, policy: Confinement, network: SacrificialNetwork): Confinement {
  if (place.kind === "policy") return policy;
  const joined = place.network === "sacrificial" ? { network_namespace: network.path } : {};
  return weakConfinement({ ...place.parts, ...joined, planted_files: PLANTED });
}

async function runTrial(trial: Trial, driver: SandboxDriver, confinement: Confinement, signal: AbortSignal): Promise<Evidence> {
  const marker = randomUUID();
  const output = new Kept();
  const watch = trial.sign.by === "survivor" ? new Watch(marker) : undefined;
  const spec = runSpecSchema.parse({
    runtime: trial.runtime,
    code: trial.code,
    stdin: trial.stdin ?? "",
    args: [marker],
    limits: { wall_ms: WALL_MS, ...trial.limits },
    run_id: newId("run"),
    // A tenant each: no attack runs in an interpreter's child of another's.
    tenant: marker,
    confinement,
  });
  const result = await driver.run(
    spec,
    {
      stdout: (chunk) => {
        output.add("stdout", chunk);
        if (output.text("stdout").includes("::attempted")) watch?.look();
      },
      stderr: (chunk) => output.add("stderr", chunk),
    },
    { signal, ...(watch ? { stdin: watch.release() } : {}) },
  );
  const marked = { during: watch?.seen ?? 0, after: watch ? (await survivorsAfter(marker, SURVIVAL_MS)).length : 0 };
  return { stdout: output.text("stdout"), stderr: output.text("stderr"), received: output.received, result, marked };
}

/** Looks for a run's processes while it waits for its standard input, which it gets once they were looked for. */
class Watch {
  seen = 0;
  readonly #marker: string;
  readonly #looked = Promise.withResolvers<void>();
  #looking = false;
  constructor(marker: string) {
    this.#marker = marker;
  }

  look(): void {
    if (this.#looking) return;
    this.#looking = true;
    survivors(this.#marker).then((pids) => {
      this.seen = pids.length;
      this.#looked.resolve();
    }, this.#looked.reject);
  }
  async *release(): AsyncGenerator<Uint8Array> {
    await this.#looked.promise;
    yield Buffer.from("go on\n");
  }
}

/** The beginning of both streams, and how much came. */
class Kept {
  received = 0;
  readonly #streams = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };

  add(stream: "stdout" | "stderr", chunk: Uint8Array): void {
    if (stream === "stdout") this.received += chunk.length;
    const room = KEPT_OUTPUT - this.#streams[stream].length;
    if (room > 0) this.#streams[stream] = Buffer.concat([this.#streams[stream], chunk.subarray(0, room)]);
  }
  text(stream: "stdout" | "stderr"): string {
    return this.#streams[stream].toString("utf8");
  }
}
