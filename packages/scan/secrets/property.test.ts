import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fileOf, lookAt } from "../testing/look.ts";
import { createSecrets, detectorsOf, redactSecrets, revealSecrets } from "./index.ts";
import { DOCUMENTS } from "./testing/rules.ts";
import { fill } from "./testing/template.ts";

const analyser = createSecrets(DOCUMENTS);
const detectors = detectorsOf(DOCUMENTS);
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** Anything of a text that is longer than what its owner needs to know it by. */
function leaks(said: string, secret: string, most = 9): boolean {
  const hidden = secret.replace(/^[A-Za-z]{2,12}[_.-](?:[A-Za-z0-9]{1,8}[_.-])?(?:[a-z]{1,12}[$])?/, "");
  for (let at = 0; at + most < hidden.length; at += 1) {
    const part = hidden.slice(at, at + most + 1);
    if (/^[\w+/]+$/.test(part) && /\d/.test(part) && /[A-Za-z]/.test(part) && said.includes(part)) return true;
  }
  return said.includes(secret);
}

describe("no secret is in what is said of it", () => {
  const wraps: ((text: string) => string)[] = [
    (text) => text,
    (text) => `a = [${text}, ${text}];`,
    (text) => `x = "${base64(text)}"`,
    (text) => `before it ${"-".repeat(300)} ${text} ${"-".repeat(300)}`,
    (text) => `{"a":"${text.replaceAll('"', '\\"').replaceAll("\n", "\\n")}"}`,
  ];

  test("of any detector, in any place, beside any other", () => {
    const example = fc.record({ detector: fc.constantFrom(...detectors), which: fc.nat(3), seed: fc.string({ minLength: 1, maxLength: 6 }) });
    fc.assert(
      fc.property(example, example, fc.nat(wraps.length - 1), (one, other, wrap) => {
        const [a, b] = [one, other].map(({ detector, which, seed }) => fill(detector.bad[which % detector.bad.length]!, seed));
        const text = wraps[wrap]!(`${a} ; ${b}`);
        const file = fileOf("src/settings.conf", text);
        const said = JSON.stringify(analyser.file(file));
        for (const { secret } of [...revealed(text)]) expect(leaks(said, secret), `${one.detector.id} beside ${other.detector.id}`).toBe(false);
      }),
      { numRuns: 400 },
    );
  });

  function revealed(text: string): { secret: string }[] {
    return revealSecrets(DOCUMENTS, fileOf("src/settings.conf", text), { all: true });
  }

  test.each(detectors.map(({ id, bad }) => [id, bad] as const))("redactSecrets hides it: %s", (id, bad) => {
    for (const [index, template] of bad.entries()) {
      const text = fill(template, `${id}:redact:${index}`);
      const hidden = redactSecrets(text);
      for (const { secret } of revealed(text)) expect(leaks(hidden, secret, 12), hidden).toBe(false);
    }
  });
});

describe("what anybody may write", () => {
  test("never throws, and says only what fits the contract", () => {
    const words = fc.constantFrom(
      "password",
      "eyJ",
      "=",
      '"',
      "'",
      "\\x67",
      "%67",
      "ghp_",
      "-----BEGIN RSA PRIVATE KEY-----",
      "+",
      "[",
      ".join(",
      "\n",
      "\0",
      "\ud800",
      "__proto__",
      "://a:",
      "@",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(words, fc.string({ unit: "binary", maxLength: 12 })), { maxLength: 60 }), (parts) => {
        lookAt(analyser, [fileOf("a.js", parts.join("")), fileOf("b.py", parts.join(" "))]);
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4000 }), (bytes) => void lookAt(analyser, [fileOf("a.bin", bytes)])),
      { numRuns: 200 },
    );
  });

  const MEGA = 4_000_000;
  test.each([
    ['token="', "names without an end"],
    ["eyJa.-", "beginnings of tokens"],
    ["-eyJ", "beginnings of tokens that dashes join"],
    ["-----BEGIN RSA PRIVATE KEY-----", "headers of keys"],
    ["postgres://a:", "addresses without an end"],
    ["https://a:b", "addresses without a host"],
    ["%67", "percent"],
    ["\\x67", "escapes"],
    ["&#x67;", "entities"],
    ['"a"+', "sums"],
    ["'a' ", "neighbours"],
    ['].join("")', "lists without a beginning"],
    ['["a",', "lists"],
    [".join([", "joins"],
    ["fromCharCode(10,", "codes"],
    ["QUFBQUFBQUFBQUFB", "base64 of base64"],
    ["61", "hexadecimal"],
    ["machine a login b password ", "logins"],
    ["sk-proj-a-", "prefixes"],
    ["bearer authorization ", "headers"],
  ])("%j over and over takes time that grows as the text does", (piece) => {
    const text = piece.repeat(Math.ceil(MEGA / piece.length));
    const started = performance.now();
    for (const path of ["a.js", "b.py"]) lookAt(analyser, [fileOf(path, text)]);
    redactSecrets(text.slice(0, 200_000));
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});
