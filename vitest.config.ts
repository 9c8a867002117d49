import { defineConfig } from "vitest/config";
import { Tally } from "./test/reporter.ts";

export default defineConfig({
  test: {
    include: ["packages/**/*.test.ts", "test/**/*.test.ts", "bench/**/*.test.ts"],
    // Tests start real sandboxes, servers and databases: own processes, and no more of them than a small machine carries.
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: ["default", new Tally(process.env.PLASTRON_TALLY)],
  },
});
