import { type Denial, newId, runSpecSchema } from "@plastron/contracts";
import { compileDefault, isTold, seenViolation } from "@plastron/policy";
import { hostFacts } from "@plastron/sandbox";
import type { FuzzSandbox } from "@plastron/scan";
import { withOwnDriver } from "../run/own-driver.ts";

const MIB = 1024 * 1024;
/** Enough for an interpreter and its threads; a fork bomb ends at it. */
const LIMITS = { memory_bytes: 768 * MIB, pids: 48, workspace_bytes: 256 * MIB, output_bytes: 48 * MIB };

/** Lends sandboxes for fuzzing, of a driver of this command's own, under the built-in policy and with no way out. Nothing of them is left behind. */
export async function withFuzzSandbox<T>(use: (sandbox: FuzzSandbox) => Promise<T>, look: "seen" | "unseen" = "seen"): Promise<T> {
  const { confinement, explain } = compileDefault(await hostFacts(1));
  const rulesHit = (denials: readonly Denial[]) =>
    denials.flatMap((denial) => {
      const found = explain(denial);
      return found && !found.isProbe ? [seenViolation(denial, found, new Date().toISOString())] : [];
    });
  return withOwnDriver(
    (driver) =>
      use({
        async run({ runtime, code, files, stdin, collect, wallMs }, onOutput, signal) {
          const limits = { ...LIMITS, wall_ms: Math.min(600_000, wallMs), rates: { forks_per_s: null, denied_per_s: null } };
          const spec = runSpecSchema.parse({ run_id: newId("run"), tenant: "fuzz", confinement, runtime, code, files, stdin, collect, limits });
          const result = await driver.run(spec, { stdout: onOutput, stderr: () => {} }, signal ? { signal } : {});
          const seen = rulesHit(result.telemetry.denials).filter((one) => !isTold(one, result.violations));
          return { ...result, violations: [...result.violations, ...seen] };
        },
      }),
    look,
  );
}
