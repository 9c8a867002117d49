import { Duplex } from "node:stream";
import { DEFAULT_LIMITS, encodeFrame, MAX_VIOLATIONS, runSpecSchema, UNSEEN, type Violation } from "@plastron/contracts";
import { expect, it } from "vitest";
import { Box } from "./box.ts";
import { describeEnd } from "./result.ts";

const violation = (pid: number): Violation => ({
  ...UNSEEN,
  rule_id: "disable-x",
  rule_path: "spec",
  enforcer: "BPF",
  action: "DENIED",
  event: { operation: "Capability", capability: "net_raw" },
  pid,
  comm: "x",
  mnt_ns_id: null,
  at: "2026-01-01T00:00:00.000Z",
});

/** A box whose supervisor is this test. */
function fakeBox() {
  const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const box = new Box(stream, () => {});
  const say = async (type: string, payload: string | Uint8Array = "") => {
    stream.push(encodeFrame(type, payload));
    await new Promise((later) => setImmediate(later));
  };
  return { box, say };
}

it("tells violations as they happen, keeps the first hundred of each run, counts the rest, and drops those of no run", async () => {
  const { box, say } = fakeBox();
  await say("R");
  box.record(violation(0));
  for (const flood of [MAX_VIOLATIONS + 7, 2]) {
    const told: number[] = [];
    const ended = box.run(
      runSpecSchema.omit({ confinement: true, run_id: true, tenant: true }).parse({ runtime: "bash", code: "" }),
      {},
      { stdout() {}, stderr() {}, violation: ({ pid }) => void told.push(pid) },
    );
    await say("S");
    for (let pid = 1; pid <= flood; pid++) box.record(violation(pid));
    await say("X", "over 0\nstatus 0\n");
    const result = describeEnd(await ended, DEFAULT_LIMITS);
    expect(told).toEqual(Array.from({ length: Math.min(flood, MAX_VIOLATIONS) }, (_, i) => i + 1));
    expect(result.violations.map(({ pid }) => pid)).toEqual(told);
    expect(result.violations_dropped).toBe(Math.max(0, flood - MAX_VIOLATIONS));
    box.record(violation(99));
  }
  box.destroy();
  await box.gone;
});
