import { describe, expect, it } from "vitest";
import { Admission } from "./admission.ts";

describe("admission", () => {
  it("lets so many run, queues so many in order, and refuses the rest with a time to retry", async () => {
    const admission = new Admission(1, 2);
    const leave = await admission.enter();
    const order: string[] = [];
    const waitAs = async (name: string) => {
      const next = await admission.enter();
      order.push(name);
      return next;
    };
    const second = waitAs("second");
    const third = waitAs("third");
    await expect(admission.enter()).rejects.toMatchObject({ code: "overloaded", retryAfterSeconds: 1 });
    expect([admission.running, admission.queued]).toEqual([1, 2]);
    leave();
    leave(); // a second call gives nothing back
    (await second)();
    (await third)();
    expect(order).toEqual(["second", "third"]);
    expect([admission.running, admission.queued]).toEqual([0, 0]);
  });

  it("lets go of one who gives up in the line", async () => {
    const admission = new Admission(1, 5);
    const leave = await admission.enter();
    const abort = new AbortController();
    const waiting = admission.enter(abort.signal);
    abort.abort("client gone");
    await expect(waiting).rejects.toMatchObject({ code: "conflict" });
    expect(admission.queued).toBe(0);
    leave();
    expect(admission.running).toBe(0);
  });

  it("refuses the line when it closes", async () => {
    const admission = new Admission(1, 5);
    await admission.enter();
    const waiting = admission.enter();
    admission.close();
    await expect(waiting).rejects.toMatchObject({ code: "agent_unavailable" });
  });
});
