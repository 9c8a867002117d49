import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import type { ScanFile } from "../../analyser.ts";
import { exampleFiles } from "./rules.ts";

/** `text` is a SKILL.md; what nobody could review as characters is written out: `tags`, `bits` and `selectors` are hidden behind it. */
const caseSchema = z.strictObject({
  name: z.string(),
  text: z.string().optional(),
  files: z.record(z.string(), z.string()).optional(),
  pad: z.number().optional(),
  tags: z.string().optional(),
  bits: z.string().optional(),
  selectors: z.string().optional(),
  after: z.string().default(""),
});
export interface Case {
  readonly name: string;
  readonly files: readonly ScanFile[];
}

/** hostile, benign: what the rules were made with. rephrased, varied-…: written without a look at them, then used to better them. unseen-…: used to measure alone. */
export type CorpusName = "hostile" | "benign" | "rephrased" | "varied-hostile" | "varied-benign" | "unseen-hostile" | "unseen-benign";

export function corpus(name: CorpusName): Case[] {
  const cases = z.array(caseSchema).parse(parse(readFileSync(join(import.meta.dirname, `../fixtures/${name}.yaml`), "utf8")));
  return cases.map((each) => ({ name: each.name, files: exampleFiles({ files: each.files ?? { "SKILL.md": textOf(each) } }) }));
}

function textOf({ text = "", pad = 0, tags = "", bits = "", selectors = "", after }: z.infer<typeof caseSchema>): string {
  const tagged = [...tags].map((letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))).join("");
  const zeros = [...bits]
    .flatMap((letter) => [...letter.charCodeAt(0).toString(2).padStart(8, "0")].map((bit) => (bit === "1" ? "\u200c" : "\u200b")))
    .join("");
  const chosen = [...Buffer.from(selectors)].map((byte) => String.fromCodePoint(byte < 16 ? 0xfe00 + byte : 0xe0100 + byte - 16)).join("");
  return text + "\n".repeat(pad) + tagged + zeros + chosen + after;
}
