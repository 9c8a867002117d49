import { describe, expect, it } from "vitest";
import { Gate } from "./gate.ts";

const entered = async (place: Promise<void> | undefined) => {
  await place;
};

describe("Gate", () => {
  it("lets in what fits at once, queues up to its bound, then refuses and says when to come back", () => {
    const gate = new Gate({ running: 1, inFlight: 2, tenantInFlight: 2 });
    expect(gate.enter("a")).toBeUndefined();
    expect(gate.enter("a")).toBeInstanceOf(Promise);
    expect({ running: gate.running, waiting: gate.waiting }).toEqual({ running: 1, waiting: 1 });
    expect(() => gate.enter("b")).toThrow(expect.objectContaining({ code: "overloaded", retryAfterSeconds: 1 }));
  });

  it("does not let one tenant fill the queue of all", () => {
    const gate = new Gate({ running: 1, inFlight: 10, tenantInFlight: 2 });
    gate.enter("a");
    gate.enter("a");
    expect(() => gate.enter("a")).toThrow(/of this tenant/);
    expect(gate.enter("b")).toBeInstanceOf(Promise);
  });

  it("lets waiting tenants take turns", async () => {
    const gate = new Gate({ running: 1, inFlight: 10, tenantInFlight: 10 });
    gate.enter("a");
    const order: string[] = [];
    for (const name of ["a1", "a2", "a3", "b1"]) void entered(gate.enter(name[0] as string)).then(() => order.push(name));
    for (let i = 0; i < 4; i++) {
      gate.leave("a");
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
    }
    expect(order).toEqual(["a1", "b1", "a2", "a3"]);
  });

  it("is empty again when all have left", () => {
    const gate = new Gate({ running: 2, inFlight: 4, tenantInFlight: 4 });
    for (let i = 0; i < 4; i++) gate.enter("a");
    for (let i = 0; i < 4; i++) gate.leave("a");
    expect({ running: gate.running, waiting: gate.waiting }).toEqual({ running: 0, waiting: 0 });
    expect(gate.enter("a")).toBeUndefined();
  });
});
