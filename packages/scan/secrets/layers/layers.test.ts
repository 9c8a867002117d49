import { describe, expect, test } from "vitest";
import { fileOf, lookAt } from "../../testing/look.ts";
import { createSecrets } from "../index.ts";
import { DOCUMENTS } from "../testing/rules.ts";
import { fill } from "../testing/template.ts";

const analyser = createSecrets(DOCUMENTS);
const token = fill("ghp_{{crc62}}", "layers");
const rule = "secrets/github-personal-token";
const found = (text: string | Uint8Array, path = "src/a.js") => lookAt(analyser, [fileOf(path, text)]).matches.filter((match) => match.rule === rule);
const base64 = (text: string): string => Buffer.from(text).toString("base64");
const half = (text: string): [string, string] => [text.slice(0, 13), text.slice(13)];
const every = (text: string, how: (code: number) => string): string => [...text].map((letter) => how(letter.charCodeAt(0))).join("");
const hex = (code: number): string => code.toString(16).padStart(2, "0");

describe("a secret is found through", () => {
  const [left, right] = half(token);
  const ways: Record<string, [string, string[], string?]> = {
    base64: [`const x = "${base64(`token=${token}`)}";`, ["base64"]],
    "base64 for URLs": [`const x = "${Buffer.from(`>>>???token=${token}`).toString("base64url")}";`, ["base64"]],
    "base64 in lines": [
      `x = """\n${base64(`${"a line that is long enough to be broken. ".repeat(3)}${token} and more of it`)
        .match(/.{1,76}/g)!
        .join("\n")}\n"""`,
      ["base64"],
    ],
    "PowerShell's base64": [`powershell -enc ${Buffer.from(`$t = '${token}'`, "utf16le").toString("base64")}`, ["base64"]],
    hexadecimal: [`x = "${Buffer.from(token).toString("hex")}"`, ["hex"]],
    "base64 three times": [`x = "${base64(base64(base64(token)))}"`, ["base64", "base64", "base64"]],
    "hexadecimal in base64": [`x = "${base64(Buffer.from(token).toString("hex"))}"`, ["base64", "hex"]],
    "\\x": [`x = "${every(token, (code) => `\\x${hex(code)}`)}"`, ["escapes"]],
    "a single \\x": [`x = "gh\\x70_${token.slice(4)}"`, ["escapes"]],
    "\\u": [`x = "${every(token, (code) => `\\u00${hex(code)}`)}"`, ["escapes"]],
    "\\u{}": [`x = "${every(token, (code) => `\\u{${hex(code)}}`)}"`, ["escapes"]],
    percent: [`x = "${every(token, (code) => `%${hex(code)}`)}"`, ["percent"]],
    entities: [`<b>${every(token, (code) => `&#${code};`)}</b>`, ["entities"], "a.html"],
    "+ in JavaScript": [`x = "${left}" + "${right}"`, ["joined"]],
    "+ over lines": [`x = "${left}" +\n  '${right}'`, ["joined"]],
    "neighbours in Python": [`x = ("${left}"\n     "${right}")`, ["joined"], "a.py"],
    "join in JavaScript": [`x = ["${left}", "${right}"].join("")`, ["joined"]],
    "join in Python": [`x = "".join(["${left}", "${right}"])`, ["joined"], "a.py"],
    "character codes": [`x = String.fromCharCode(${[...token].map((letter) => letter.charCodeAt(0)).join(", ")})`, ["character codes"]],
    "bytes in Python": [`x = bytes([${[...token].map((letter) => `0x${hex(letter.charCodeAt(0))}`).join(",")}])`, ["character codes"], "a.py"],
    "pieces of base64": [`x = "${base64(token).slice(0, 20)}" + "${base64(token).slice(20)}"`, ["joined", "base64"]],
  };

  test.each(Object.entries(ways))("%s", (_, [text, layers, path]) => {
    const [match, ...more] = found(text, path);
    expect(match?.place).toMatchObject({ layers, line: 1 + (layers[0] === "base64" && text.includes("\n") ? 1 : 0) });
    expect(more).toEqual([]);
    const said = JSON.stringify(match);
    expect(said).not.toContain(token.slice(8, 20));
    expect(said).not.toContain(base64(token).slice(8, 28));
  });

  test("UTF-16 in a binary", () => {
    const bytes = Buffer.concat([Buffer.from([0, 1, 2, 0, 255]), Buffer.from(`key ${token} end`, "utf16le"), Buffer.from([0, 0, 9])]);
    expect(found(bytes, "app.dll")).toHaveLength(1);
  });

  test("one line of a bundle", () => {
    expect(found(`${"var a=1;".repeat(20_000)}t="${token}";${"b(2);".repeat(20_000)}`, "dist/app.min.js")).toHaveLength(1);
  });
});

test("the value of a name is judged by its name: a password of a Kubernetes secret", () => {
  const text = `kind: Secret\ndata:\n  password: ${base64("Kx7!pq9Lw2vZr5Tn8")}\n`;
  expect(lookAt(analyser, [fileOf("secret.yaml", text)]).matches.map(({ rule, place }) => [rule, place.layers])).toEqual([
    ["secrets/generic-password", ["base64"]],
  ]);
});

test("what is four deep, is a picture, or is a hash is left alone", () => {
  const image = Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]), Buffer.alloc(3000, 7)]).toString("base64");
  expect(found(`x = "${base64(base64(base64(base64(token))))}"`)).toEqual([]);
  expect(found(`x = "data:image/png;base64,${image}"`)).toEqual([]);
});
