import { PlastronError, type RunSpec } from "@plastron/contracts";
import type { Box } from "./box.ts";

/** What can be done to a sandbox whose program runs. */
type Holdable = Pick<Box, "freeze" | "thaw" | "kill">;
type Whose = Pick<RunSpec, "run_id" | "tenant">;

/** The runs under way, by the ids that their callers gave them: what is held still, and let go on. Another tenant's id is nobody's. */
export class Hands {
  readonly #running = new Map<string, { tenant: string; box: Holdable }>();

  /** While `program` is under way in `box`, its run can be held. */
  async on<T>(box: Holdable, { run_id, tenant }: Whose, program: () => Promise<T>): Promise<T> {
    const entry = { tenant, box };
    this.#running.set(run_id, entry);
    try {
      return await program();
    } finally {
      if (this.#running.get(run_id) === entry) this.#running.delete(run_id);
    }
  }

  /** Errors: not_found; conflict where it has just ended, or could not be held and was killed for it. */
  async freeze(run_id: string, tenant: string): Promise<void> {
    const box = this.#find(run_id, tenant);
    if (await box.freeze()) return;
    if (this.#running.get(run_id)?.box !== box) throw new PlastronError("conflict", "The run has just ended");
    box.kill("it was to be held and could not be");
    throw new PlastronError("conflict", "The run could not be held still, and was killed", {
      hint: "Runs are held by the unified cgroup hierarchy; `plastron doctor` says whether this host has it (row `freezer`).",
    });
  }

  /** Errors: not_found; conflict where it has just ended. One that is not held goes on as it did. */
  async thaw(run_id: string, tenant: string): Promise<void> {
    if (!(await this.#find(run_id, tenant).thaw())) throw new PlastronError("conflict", "The run has just ended");
  }

  #find(run_id: string, tenant: string): Holdable {
    const found = this.#running.get(run_id);
    if (!found || found.tenant !== tenant) throw new PlastronError("not_found", "No such run is under way");
    return found.box;
  }
}
