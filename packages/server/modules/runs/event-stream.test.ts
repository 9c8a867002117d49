import { Writable } from "node:stream";
import type { FastifyReply } from "fastify";
import { expect, it } from "vitest";
import { EventStream } from "./event-stream.ts";

it("waits once for a slow reader, however much had come before the pause", async () => {
  const taken: (() => void)[] = [];
  const raw = Object.assign(new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => void taken.push(done) }), { writeHead() {} });
  const calls: string[] = [];
  const stream = new EventStream({ raw, hijack() {} } as unknown as FastifyReply);
  stream.follow({ pause: () => void calls.push("pause"), resume: () => void calls.push("resume") });
  for (const turn of [1, 2]) {
    for (let i = 0; i < 20; i++) stream.send("stdout", { text: "x" });
    expect(raw.listenerCount("drain"), `turn ${turn}`).toBe(1);
    for (let done = taken.shift(); done; done = taken.shift()) {
      done();
      await new Promise(setImmediate);
    }
  }
  expect(calls).toEqual(["pause", "resume", "pause", "resume"]);
  stream.end();
});
