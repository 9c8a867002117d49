import { PlastronError, type RunResult, type RunSpec, type Tier } from "@plastron/contracts";
import type { Control, Output, Session, SessionSpec } from "../../driver.ts";
import type { Box } from "./box.ts";
import { Hands } from "./hands.ts";
import { describeEnd } from "./result.ts";

/** What a session needs of its sandbox. */
export type SessionBox = Pick<Box, "state" | "run" | "destroy" | "gone" | "freeze" | "thaw" | "kill">;

/** A sandbox whose interpreter stays between runs. Its limits are those it was opened with; a wall-clock limit is each run's. */
export class LocalSession implements Session {
  readonly id: string;
  readonly #spec: SessionSpec;
  readonly #box: SessionBox;
  readonly #driver: string;
  readonly #tier: Tier;
  readonly #hands: Hands;
  constructor(spec: SessionSpec, box: SessionBox, driver: string, tier: Tier, hands = new Hands()) {
    this.id = spec.session_id;
    this.#spec = spec;
    this.#box = box;
    this.#driver = driver;
    this.#tier = tier;
    this.#hands = hands;
  }

  get alive(): boolean {
    return this.#box.state !== "gone";
  }

  async run(spec: RunSpec, output: Output, control?: Control): Promise<RunResult> {
    if (spec.tenant !== this.#spec.tenant) throw new PlastronError("not_found", "no such session");
    if (!this.alive) throw new PlastronError("session_gone", "the session's sandbox has ended");
    if (this.#box.state === "running") throw new PlastronError("session_busy", "the session is running a program");
    if (spec.stdin !== "")
      throw new PlastronError("invalid_request", "a run in a session has no standard input", { hint: "Write the text into a file of the run instead." });
    const begun = performance.now();
    const end = await this.#hands.on(this.#box, spec, () => this.#box.run(spec, {}, output, control && { signal: control.signal }));
    return {
      ...describeEnd(end, { ...this.#spec.limits, wall_ms: spec.limits.wall_ms, output_bytes: spec.limits.output_bytes }),
      stdout: "",
      stderr: "",
      sandbox: { driver: this.#driver, tier: this.#tier, start: "session", source: "process", confinement: this.#spec.confinement.id },
      phases_us: { run: Math.round((performance.now() - begun) * 1000), program: Number(end.facts.get("wall_us") ?? 0) },
    };
  }

  async close(_reason: string): Promise<void> {
    this.#box.destroy();
    await this.#box.gone;
  }
}
