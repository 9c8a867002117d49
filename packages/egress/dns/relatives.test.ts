import { expect, it } from "vitest";
import { Relatives } from "./relatives.ts";

it("tells the first names below a parent, then the parent once, then nothing; and each kind of record by itself", () => {
  const names = new Relatives();
  const told = Array.from({ length: 9 }, (_, i) => names.add("DENIED a", `n${i}.evil.test`));
  expect(told).toEqual(["n0.evil.test", "n1.evil.test", "n2.evil.test", "n3.evil.test", "n4.evil.test", "*.evil.test", null, null, null]);
  expect(names.add("DENIED a", "n0.evil.test")).toBe("n0.evil.test");
  expect(names.add("AUDIT a", "n7.evil.test")).toBe("n7.evil.test");
  expect(names.add("DENIED a", "other.test")).toBe("other.test");
});

it("holds no more than it keeps of made-up parents", () => {
  const names = new Relatives();
  for (let i = 0; i < 10_000; i++) expect(names.add("DENIED a", `x.p${i}.test`)).toBe(`x.p${i}.test`);
});
