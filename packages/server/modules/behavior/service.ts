import { PlastronError, type Telemetry } from "@plastron/contracts";
import { type BehaviorProfile, mergeProfiles, profileOf } from "@plastron/policy";
import type { RunPolicy } from "../policies/compiled.ts";
import type { BehaviorRow, BehaviorStore } from "./store.ts";

export interface Behavior extends BehaviorRow {
  state: "learning" | "completed";
}

/** What is looked up while runs go on: policies whose time to learn is over, so that their runs are not looked at for nothing. */
const MOST_ENDED = 1_000;

/** Profiles of policies in mode BehaviorModeling: every run under one is looked at and taken in, until its duration is over. */
export class BehaviorService {
  readonly #store: BehaviorStore;
  readonly #ended = new Set<string>();

  constructor(store: BehaviorStore) {
    this.#store = store;
  }

  /** Whether a run under this policy is to be learnt from. Known without a look-up: this is on the path of every run. */
  learnsFrom(tenant: string, policy: RunPolicy): boolean {
    return policy.learning !== undefined && policy.version !== null && !this.#ended.has(keyOf(tenant, policy));
  }

  /** Takes one run in. What was not recorded completely is counted and left out; that is no fault of the run. */
  async take(tenant: string, policy: RunPolicy, runtime: string, telemetry: Telemetry): Promise<void> {
    if (policy.learning === undefined || policy.version === null) return;
    const seen = profileFrom(telemetry, runtime);
    const row = await this.#store.change(tenant, policy.name, { version: policy.version, minutes: policy.learning.minutes }, (row) => {
      const merged = typeof seen === "string" ? seen : joined(row.profile, seen);
      return typeof merged === "string" ? { skipped: row.skipped + 1, skipped_why: merged } : { profile: merged };
    });
    if (row) return;
    if (this.#ended.size >= MOST_ENDED) this.#ended.clear();
    this.#ended.add(keyOf(tenant, policy));
  }

  /** @throws PlastronError not_found */
  async get(tenant: string, name: string): Promise<Behavior> {
    const row = await this.#store.find(tenant, name);
    if (!row) {
      throw new PlastronError("not_found", "Nothing was learnt under a policy of that name", {
        hint: "Store one in mode BehaviorModeling and run the workload under it.",
      });
    }
    return { ...row, state: row.until && row.until.getTime() <= Date.now() ? "completed" : "learning" };
  }

  /** What a policy of that name that asks for its behaviour model is made of. */
  async profile(tenant: string, name: string): Promise<BehaviorProfile | null> {
    const row = await this.#store.find(tenant, name);
    return row && row.profile.runs > 0 ? row.profile : null;
  }
}

const keyOf = (tenant: string, { name, version }: RunPolicy): string => `${tenant} ${name} ${version}`;

/** Why nothing of it can be taken in, where that is so. */
function profileFrom({ model, reason, denials, network }: Telemetry, runtime: string): BehaviorProfile | string {
  if (!model) return `nothing was seen of it: ${reason ?? "the sensor told nothing"}`;
  return said(() => profileOf(model, { runtime, denials, flows: network.flows }));
}

const joined = (known: BehaviorProfile, seen: BehaviorProfile): BehaviorProfile | string => said(() => mergeProfiles(known, seen));

function said(make: () => BehaviorProfile): BehaviorProfile | string {
  try {
    return make();
  } catch (error) {
    if (error instanceof PlastronError) return error.message;
    throw error;
  }
}
