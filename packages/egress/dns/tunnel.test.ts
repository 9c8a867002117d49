import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { entropy, looksCoded, TunnelWatch } from "./tunnel.ts";

/** Asks for names, so many a second, and tells the worst that was said. */
function worst(names: readonly string[], perSecond: number): string {
  const watch = new TunnelWatch();
  const said = new Set(names.map((name, i) => watch.ask(name, (i * 1000) / perSecond)));
  return ["too-much", "suspicious", "nothing"].find((what) => said.has(what as never)) as string;
}
const many = (count: number, name: (i: number) => string) => Array.from({ length: count }, (_, i) => name(i));
const hex = (bytes: number) => randomBytes(bytes).toString("hex");
const base32 = (length: number) => [...randomBytes(length)].map((byte) => "abcdefghijklmnopqrstuvwxyz234567"[byte & 31]).join("");
const WORDS = "static images media assets customer upload invoice payment account session report london frankfurt production staging".split(" ");
const word = (i: number) => WORDS[i % WORDS.length] as string;

describe("names that carry data", () => {
  it.each([
    ["as iodine does: long labels of base32, many a second", many(300, () => `${base32(60)}.${base32(60)}.${base32(60)}.t.evil.test`), 50],
    ["as dnscat2 does: hexadecimal, one a second", many(300, () => `${hex(30)}.${hex(20)}.evil.test`), 1],
    ["as base64 that was made of letters, a few a second", many(200, () => `${base32(40)}.evil.test`), 3],
    ["with a constant label in front", many(200, () => `data.${hex(24)}.x.evil.test`), 5],
    ["split into labels of sixteen", many(200, () => `${hex(8)}.${hex(8)}.${hex(8)}.evil.test`), 5],
    ["said to be in another script", many(200, () => `xn--${base32(40)}.evil.test`), 5],
    ["below many names of one owner", many(300, (i) => `${base32(50)}.n${i % 40}.evil.test`), 20],
    ["in short labels, but thousands of them", many(3000, (i) => `${i.toString(36)}.evil.test`), 100],
    ["below many domains, until there are too many to tell apart", many(2000, (i) => `${base32(50)}.evil${i}.test`), 100],
  ])("%s are refused in the end", (_, names, rate) => {
    expect(worst(names, rate)).toBe("too-much");
  });

  it("slowly are noticed before they are refused, and refused only as long as they do not slow down", () => {
    const watch = new TunnelWatch();
    const ask = (i: number, now: number) => watch.ask(`${i}${base32(50)}.evil.test`, now);
    const said = many(200, () => "").map((_, i) => ask(i, i * 100));
    expect(said.indexOf("suspicious")).toBeGreaterThan(15);
    expect(said.indexOf("suspicious")).toBeLessThan(40);
    expect(said.indexOf("too-much")).toBeGreaterThan(said.indexOf("suspicious") + 50);
    expect(ask(1000, 3_600_000)).toBe("nothing");
  });
});

describe("names that carry nothing", () => {
  it.each([
    ["a content network's, of a page with sixty hosts", many(60, () => `d${hex(6)}.cloudfront.test`), 20],
    ["video hosts", many(60, (i) => `r${i}---sn-4g5e${hex(2)}.googlevideo.test`), 10],
    ["a long name, again and again", many(2000, () => "a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6a7b8c9d0.evil.test"), 100],
    ["ten long names", many(1000, (i) => `${"0123456789abcdef".repeat(3)}${i % 10}.service.test`), 50],
    ["words, a thousand of them in ten minutes", many(1000, (i) => `${word(i)}-${word(i >> 2)}-${word(i >> 4)}.api.test`), 1.6],
    ["buckets in three regions", many(30, (i) => `${word(i)}-${word(i * 7)}-${hex(4)}.s3.eu-west-${i % 3}.amazonaws.test`), 10],
    [
      "names of other scripts",
      many(150, (i) =>
        new URL(`http://${"пример-магазин-книг".slice(i % 8)}${"абвгд".repeat(i % 3)}x${"эюя".slice(i % 3)}.test`).hostname.replace(".test", ".shop.test"),
      ),
      50,
    ],
    ["a registry, host by host, many times", many(5000, (i) => `${["registry", "files", "cdn", "index"][i % 4]}.pypi.test`), 200],
  ])("%s are answered", (_, names, rate) => {
    expect(worst(names, rate)).toBe("nothing");
  });
});

it("a label looks coded by what it is made of", () => {
  for (const label of ["9f86d081884c7d659a2feaa0c55ad015", "mzxw6ytboi2gk3tdn5sgkztvnzxw6ytb", "d2h5dghpc2lzyxrlc3q", "xn--q7h4k2m9x3zvbnrtwp8s5"])
    expect(looksCoded(label), label).toBe(true);
  const plain = ["www", "api-gateway-production", "thisisaverylongbutreadablename", "aaaaaaaaaaaaaaaaaaaaaaaa", "xn--bcher-kva", "xn--e1afmkfd0a4a1d"];
  for (const label of plain) expect(looksCoded(label), label).toBe(false);
  expect(entropy("aaaa")).toBe(0);
  expect(entropy("abcd")).toBe(2);
});
