import { describe, expect, it } from "vitest";
import { Listener } from "./frames.ts";

const heard = (word: string, ...chunks: (string | Uint8Array)[]) => {
  const listener = new Listener(word);
  for (const chunk of chunks) listener.take(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
  return listener.messages;
};

describe("what a sandbox says", () => {
  it("is heard over the bounds of chunks, between the target's own output", () => {
    expect(heard("@w:", "noise\n@w", ':{"type":"ha', 'ng"}\nmore', ' noise\n@w:{"type":"done"}\n')).toEqual([{ type: "hang" }, { type: "done", corpus: [] }]);
  });

  it("counts only with this run's word, whole and in its shape", () => {
    expect(
      heard("@w:", '@x:{"type":"hang"}\n @w:{"type":"hang"}\n@w:{"type":"root"}\n@w:{"type":"candidate","oracle":"crash"}\n@w:not json\n@w:{"type":"hang"}'),
    ).toEqual([]);
  });

  it("costs little where it is endless", () => {
    const flood = new Uint8Array(1 << 20).fill(120);
    expect(heard("@w:", ...Array.from({ length: 64 }, () => flood), '\n@w:{"type":"hang"}\n')).toEqual([{ type: "hang" }]);
    expect(heard("@w:", '@w:{"type":"hang"}\n'.repeat(50_000)).length).toBe(20_000);
  });
});
