import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ServerEvent, SseParser } from "./sse.ts";

function parse(...chunks: string[]): ServerEvent[] {
  const parser = new SseParser();
  return chunks.flatMap((chunk) => parser.push(chunk));
}

describe("SseParser", () => {
  it("reads events, ids and data of several lines", () => {
    expect(parse('id: 7\nevent: stdout\ndata: {"a":1}\n\ndata: one\ndata:two\n\n')).toEqual([
      { event: "stdout", data: '{"a":1}', id: "7" },
      { event: "message", data: "one\ntwo", id: "7" },
    ]);
  });

  it("skips comments, unknown fields and events without data", () => {
    expect(parse(": heartbeat\n\nretry: 5\nevent: nothing\n\nevent: x\ndata\n\n")).toEqual([{ event: "x", data: "", id: null }]);
  });

  it("drops what lacks its end", () => {
    expect(parse("data: whole\n\ndata: half\n")).toHaveLength(1);
  });

  it("gives the same events however the stream is cut, for every kind of line end", () => {
    const data = fc.string({ unit: fc.constantFrom("a", ":", " ", "é", "{", "漢") });
    const events = fc.array(fc.record({ event: fc.constantFrom("stdout", "stderr", "result"), data }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(events, fc.constantFrom("\n", "\r\n", "\r"), fc.array(fc.nat(400), { maxLength: 20 }), (events, end, cuts) => {
        const text = `${events.map(({ event, data }) => `event: ${event}${end}data: ${data}${end}${end}`).join("")}: bye${end}`;
        const at = [0, ...cuts.map((cut) => cut % text.length).sort((a, b) => a - b), text.length];
        const chunks = at.slice(1).map((to, i) => text.slice(at[i], to));
        expect(parse(...chunks)).toEqual(events.map((event) => ({ ...event, id: null })));
      }),
    );
  });

  it("refuses an event that never ends, rather than fill the memory", () => {
    const parser = new SseParser(1000);
    parser.push(`data: ${"x".repeat(500)}\n`);
    expect(() => {
      for (let i = 0; i < 10; i++) parser.push("data: ".padEnd(100, "x"));
    }).toThrow(RangeError);
  });
});
