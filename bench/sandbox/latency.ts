import { setTimeout as sleep } from "node:timers/promises";
import { type Measured, mediansByName, type Summary, summarize } from "../measure.ts";
import type { MakeSubject, Sample, Subject } from "./subject.ts";

/** One run at a time. `warm` and `zygote` say how many of the `n` were so; a peer that does not tell counts as neither. */
export interface Latency extends Summary {
  warm: number;
  zygote: number;
  failed: number;
  /** Why the last of the failed ones did; null where none did. */
  last_failure: string | null;
  /** The median of each phase that the answers told. */
  phases_us: Record<string, number>;
}

export interface LatencySettings {
  runs: number;
  /** Between two runs, so that the pool is full again: latency is what is asked for here, throughput has its own measurement. */
  pauseMs: number;
}

const WARM_UPS = 3;

/** Where more than one is given they take turns, so that a moment of load on the machine falls on all of them. */
export async function measureLatency<Name extends string>(
  makers: Record<Name, MakeSubject>,
  { runs, pauseMs }: LatencySettings,
): Promise<Record<Name, Measured<Latency>>> {
  const lanes = Object.entries<MakeSubject>(makers).map(([name, make]) => ({ name, subject: make(), samples: new Samples() }));
  try {
    for (let i = -Math.min(WARM_UPS, runs); i < runs; i++) {
      for (const { subject, samples } of lanes) {
        await sleep(pauseMs);
        await samples.take(subject, i < 0 ? "discard" : "keep");
      }
    }
    return Object.fromEntries(lanes.map(({ name, samples }) => [name, samples.latency()])) as Record<Name, Measured<Latency>>;
  } finally {
    await Promise.all(lanes.map(({ subject }) => subject.close()));
  }
}

/** The runs of one measurement, those that failed only as a number and the last reason. */
export class Samples {
  readonly #kept: Sample[] = [];
  #failed = 0;
  #why = "it has not been run";

  get count(): number {
    return this.#kept.length;
  }

  async take(subject: Subject, what: "keep" | "discard"): Promise<"answered" | "failed"> {
    try {
      const sample = await subject.once();
      if (what === "keep") this.#kept.push(sample);
      return "answered";
    } catch (error) {
      if (what === "keep") this.#failed++;
      this.#why = error instanceof Error ? error.message : String(error);
      return "failed";
    }
  }

  latency(): Measured<Latency> {
    if (this.#kept.length === 0) return { unavailable: this.#why };
    return {
      ...summarize(this.#kept.map(({ ms }) => ms)),
      warm: this.#kept.filter(({ start }) => start === "warm").length,
      zygote: this.#kept.filter(({ source }) => source === "zygote").length,
      failed: this.#failed,
      last_failure: this.#failed > 0 ? this.#why : null,
      phases_us: mediansByName(this.#kept.map(({ phases_us }) => phases_us)),
    };
  }
}
