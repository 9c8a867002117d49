import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderTable } from "./table.ts";
import { painter, wantsColour } from "./terminal.ts";
import { displayWidth, padEnd, printable, truncate, wrap } from "./width.ts";

const plain = painter(false);

describe("displayWidth", () => {
  it.each([
    ["abc", 3],
    ["漢字", 4],
    ["e\u0301", 1],
    ["👩‍👩‍👧", 2],
    ["✓", 1],
    ["\x1b[31mred\x1b[39m", 3],
    ["ｆｕｌｌ", 8],
    ["", 0],
  ])("measures %j as %d columns", (text, columns) => {
    expect(displayWidth(text)).toBe(columns);
  });
});

describe("wrap and truncate", () => {
  it("never exceed the width and lose no word", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom("a", "b", "漢", "é"), minLength: 1, maxLength: 30 }), { minLength: 1 }),
        fc.integer({ min: 2, max: 40 }),
        (words, width) => {
          const lines = wrap(words.join(" "), width);
          for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
          expect(lines.join("").replaceAll(" ", "")).toBe(words.join(""));
          expect(displayWidth(truncate(words.join(" "), width))).toBeLessThanOrEqual(width);
        },
      ),
    );
  });

  it("pads by columns, not by characters", () => {
    expect(padEnd("漢", 4)).toBe("漢  ");
  });
});

describe("renderTable", () => {
  it("aligns columns also behind wide characters", () => {
    const lines = renderTable(
      ["NAME", "VALUE"],
      [
        ["漢字", "1"],
        ["longer", "2"],
      ],
      { columns: 80, paint: plain },
    );
    expect(lines).toEqual(["NAME    VALUE", "漢字    1", "longer  2"]);
  });

  it("wraps the last column under itself on a terminal, and never in a pipe", () => {
    const rows = [["a", "one two three four five six seven eight nine ten"]];
    expect(renderTable(["N", "TEXT"], rows, { columns: 30, paint: plain })).toEqual(
      ["N  TEXT", "a  one two three four five six", "   seven eight nine ten"].map((line) => line),
    );
    expect(renderTable(["N", "TEXT"], rows, { columns: Number.POSITIVE_INFINITY, paint: plain })[1]).toBe(`a  ${rows[0]?.[1]}`);
  });

  it("makes a block of each row where the last column has no room, and keeps within the terminal", () => {
    const rows = [
      ["bpfRawRules.network.egress.toDestinations[0]", "stricter", "a listener outside of the sandbox opens files in the program's stead"],
      ["disable-shell", "exact", ""],
    ];
    const lines = renderTable(["RULE", "FIDELITY", "HOW"], rows, { columns: 60, paint: plain, indent: 2 });
    expect(lines).toEqual([
      "  bpfRawRules.network.egress.toDestinations[0]  stricter",
      "      a listener outside of the sandbox opens files in the",
      "      program's stead",
      "  disable-shell  exact",
    ]);
  });

  it("colours only where asked", () => {
    const rows = [[{ text: "bad", style: "red" as const }, "x"]];
    expect(renderTable(["", ""], rows, { columns: 80, paint: plain })).toEqual(["bad  x"]);
    expect(renderTable(["", ""], rows, { columns: 80, paint: painter(true) })[0]).toBe("\x1b[31mbad  \x1b[39mx");
  });
});

describe("printable", () => {
  it("shows control characters instead of sending them to the terminal", () => {
    const attack = "\x1b]0;title\x07\x1b[2J\u202egnp.exe";
    expect(/[\x00-\x1f\u202e]/.test(attack)).toBe(true);
    expect(printable(attack)).toBe("\\u001b]0;title\\u0007\\u001b[2J\\u202egnp.exe");
  });
});

describe("wantsColour", () => {
  it.each([
    [{}, true, true],
    [{}, false, false],
    [{ NO_COLOR: "1" }, true, false],
    [{ NO_COLOR: "1", FORCE_COLOR: "1" }, true, false],
    [{ FORCE_COLOR: "1" }, false, true],
    [{ TERM: "dumb" }, true, false],
  ])("with %j and tty %s says %s", (env, tty, expected) => {
    expect(wantsColour(env, tty)).toBe(expected);
  });
});
