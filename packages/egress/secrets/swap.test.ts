import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Swapper, swapText } from "./swap.ts";

const swaps = (...pairs: [string, string][]) => pairs.map(([find, put]) => ({ find: Buffer.from(find), put: Buffer.from(put) }));

describe("a swapper", () => {
  it("takes what begins first, and of those the longest, also where a shorter one is complete before", () => {
    const all = swaps(["abcdef", "1"], ["cd", "2"], ["ab", "3"]);
    expect(swapText("abcdef abcde cd ab", all)).toBe("1 32e 2 3");
    const cut = new Swapper(all);
    expect([cut.push(Buffer.from("xab")), cut.push(Buffer.from("cde")), cut.push(Buffer.from("f")), cut.end()].map(String)).toEqual(["x", "", "1", ""]);
  });

  it("finds the same however a stream is cut, and keeps no more than could be a beginning", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 60 });
    const needle = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 6 });
    const input = fc.record({ text, needles: fc.uniqueArray(needle, { minLength: 1, maxLength: 4 }), cuts: fc.array(fc.nat(60), { maxLength: 10 }) });
    fc.assert(
      fc.property(input, ({ text, needles, cuts }) => {
        const all = swaps(...needles.map((find, i): [string, string] => [find, `<${i}>`]));
        const places = [0, ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b), text.length];
        const swapper = new Swapper(all);
        let out = "";
        for (let i = 1; i < places.length; i++) {
          out += swapper.push(Buffer.from(text.slice(places[i - 1], places[i])));
        }
        expect(out + swapper.end()).toBe(naive(text, needles));
      }),
      { numRuns: 2000 },
    );
  });
});

/** Leftmost, then longest, one character at a time. */
function naive(text: string, needles: string[]): string {
  let out = "";
  for (let at = 0; at < text.length; ) {
    const found = needles.filter((needle) => text.startsWith(needle, at)).sort((a, b) => b.length - a.length)[0];
    out += found === undefined ? text[at] : `<${needles.indexOf(found)}>`;
    at += found?.length ?? 1;
  }
  return out;
}
