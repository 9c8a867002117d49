import { judgeChange, type ScanOptions } from "@plastron/scan";
import type { Database } from "../../database/pool.ts";
import { JobWorker } from "../../jobs/worker.ts";
import { type GithubConfig, openGithubApp } from "./app.ts";
import { Github } from "./github.ts";
import { ChangeJobs } from "./jobs.ts";
import { judgeForgeChange } from "./judge.ts";
import { ForgeService } from "./service.ts";
import { ForgeStore } from "./store.ts";

/** How often waiting changes are looked for, how often one says that it is worked on, and how long one waits before a forge is asked again. */
export interface ForgePace {
  readonly pollMs: number;
  readonly beatMs: number;
  readonly pauseMs: number;
}

const PACE: ForgePace = { pollMs: 2_000, beatMs: 5_000, pauseMs: 1_000 };

/** The module's parts over one database. Without an app in the configuration nothing is judged, and the routes say how to set it up. */
export function composeForges(parts: {
  config: GithubConfig;
  db: Database;
  server: string;
  projects: { get(tenant: string, name: string): Promise<{ gate: string | null; environment: string | null; exemptions: string | null }> };
  scan: ScanOptions;
  /** Changes at once on this server. */
  concurrency: number;
  onError: (error: Error) => void;
  pace?: ForgePace | undefined;
  judge?: typeof judgeChange | undefined;
}) {
  const { config, db, server, projects, scan, concurrency, onError, pace = PACE, judge = judgeChange } = parts;
  const app = openGithubApp(config);
  const github = app && new Github(app, { pauseMs: pace.pauseMs });
  const [store, jobs] = [new ForgeStore(db), new ChangeJobs(db)];
  const judging = { jobs, server, scan, judge, lookMs: pace.beatMs, projectOf: (tenant: string, name: string) => projects.get(tenant, name) };
  const worker =
    github &&
    new JobWorker({
      ...{ jobs, server, onError, atFirst: null, options: { concurrency, ...pace } },
      perform: (job, hand) => judgeForgeChange(job, hand, { github, ...judging }),
    });
  return {
    service: new ForgeService({ store, app, github, projects, worker: { wake: () => worker?.wake() } }),
    expire: (days: number) => store.expire(days),
    close: async () => worker?.close(),
  };
}
