import type { BrokenBy, Telemetry } from "@plastron/contracts";
import { Counter, type Registry } from "prom-client";

/** What the sensor saw of all runs. Every label is a word of ours: none is a program's or a tenant's. */
export class SensingMetrics {
  readonly #levels: Counter<"level">;
  readonly #lost: Counter<"what">;
  readonly #denials: Counter<"errno" | "explained">;
  readonly #broken: Counter<"rule">;
  readonly #flags: Counter<"flag">;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#levels = new Counter({ name: "plastron_runs_sensed_total", help: "Runs by how much the sensor saw of them", labelNames: ["level"], registers });
    this.#lost = new Counter({
      name: "plastron_sensor_lost_total",
      help: "Events that the kernel had no room for, and what was beyond the lists of a run's account",
      labelNames: ["what"],
      registers,
    });
    this.#denials = new Counter({
      name: "plastron_denials_total",
      help: "Calls that were denied, by their error and whether a rule explains them, as far as a run's account lists them",
      labelNames: ["errno", "explained"],
      registers,
    });
    this.#broken = new Counter({ name: "plastron_runs_broken_total", help: "Runs that were ended by a rate rule", labelNames: ["rule"], registers });
    this.#flags = new Counter({ name: "plastron_runs_flagged_total", help: "Runs that the sensor flagged", labelNames: ["flag"], registers });
  }

  finished({ telemetry, broken_by }: { telemetry: Telemetry; broken_by: BrokenBy | null }): void {
    this.#levels.inc({ level: telemetry.level });
    this.#lost.inc({ what: "events" }, telemetry.lost.events);
    this.#lost.inc({ what: "listed" }, telemetry.lost.listed);
    for (const { errno, rule, count } of telemetry.denials) this.#denials.inc({ errno, explained: rule ? "yes" : "no" }, count);
    for (const flag of telemetry.flags) this.#flags.inc({ flag });
    if (broken_by) this.#broken.inc({ rule: broken_by.rule });
  }
}
