import { confidenceSchema, severitySchema } from "@plastron/contracts";
import { z } from "zod";
import { CHECKS } from "./checks/index.ts";
import { longest } from "./pattern.ts";

/**
 * Where a secret stands to the keyword that announces it. token: the keyword is its beginning (`ghp_…`). assigned: the keyword is (part of) a
 * name that the secret is the value of (`datadog_api_key = "…"`, `<password>…`). around: the keyword is in or near it, `reach` characters after
 * its beginning at most (a URL with a password in it).
 */
export const formSchema = z.enum(["token", "assigned", "around"]);

/** One kind of secret: how to tell it from everything else, how grave it is, and how its owner makes it worthless. */
export const detectorSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/),
  provider: z.string(),
  title: z.string().max(120),
  form: formSchema.default("token"),
  /** Looked for without regard to case. Of `assigned`, `_` stands for any way to join words: `api_key` is also apiKey, api-key and api.key. */
  keywords: z.array(z.string().min(3)).min(1),
  /** A regular expression in which everything is bounded. The secret is the group `secret` if there is one, else all of it. */
  pattern: z.string().refine((source) => longest(source) !== null, "everything in a pattern is bounded: no *, +, {n,} or back-reference"),
  ignore_case: z.boolean().default(false),
  reach: z.int().min(0).max(400).default(0),
  /** Another word that must stand within 300 characters before or after. */
  near: z.array(z.string().min(3)).default([]),
  /** Names (as written) in which the keyword counts as something else. Of `assigned` alone. */
  not_names: z.array(z.string().min(2)).default([]),
  /** Bits for each character, at least. */
  entropy: z.number().min(0).max(6).default(0),
  checks: z.array(z.string().refine((name) => Object.hasOwn(CHECKS, name), "no such check")).default([]),
  /** generic: what a detector that knows the provider says of the same place stands. */
  generic: z.boolean().default(false),
  /** How much of it may be shown: its ends, or nothing (a password). */
  show: z.enum(["ends", "nothing"]).default("ends"),
  severity: severitySchema,
  confidence: confidenceSchema.default("high"),
  cwe: z.array(z.int().positive()).default([798]),
  /** How it is made worthless at that very provider. */
  fix: z.string(),
  references: z.array(z.url()).default([]),
  verify: z.string().nullable().default(null),
  /** Templates (testing/template.ts): no whole secret stands in the tree. */
  bad: z.array(z.string()).min(1),
  ok: z.array(z.string()).min(1),
});
export type Detector = z.infer<typeof detectorSchema>;

/** One file of rules/secrets. What else stands in it (verifiers) is another's. */
const documentSchema = z.looseObject({ detectors: z.array(detectorSchema).default([]) });

/**
 * The detectors of all files, checked.
 * @throws ZodError for a file that is not as it should be; Error for two detectors of one name.
 */
export function detectorsOf(documents: readonly unknown[]): readonly Detector[] {
  const all = documents.flatMap((document) => documentSchema.parse(document).detectors);
  const names = new Set<string>();
  for (const { id } of all) {
    if (names.has(id)) throw new Error(`two detectors are called ${id}`);
    names.add(id);
  }
  return all;
}
