import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { Tally } from "./test/reporter.ts";

export default defineConfig({
  test: {
    include: ["packages/**/*.test.ts", "test/**/*.test.ts", "bench/**/*.test.ts"],
    // Tests start real sandboxes, servers and databases: own processes, and no more of them than a small machine carries.
    pool: "forks",
    maxWorkers: 2,
    // What scans keep goes where it may stay, and never into the home of whoever runs the tests.
    env: { XDG_CACHE_HOME: join(import.meta.dirname, "node_modules/.cache/tests") },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: ["default", new Tally(process.env.PLASTRON_TALLY)],
  },
});
