import { analyserSchema, confidenceSchema, idSchema, severitySchema, verdictSchema } from "@plastron/contracts";
import { z } from "zod";
import { digestSchema } from "../artifacts/routes.ts";

/** What of findings a reader wants. All given ones must hold. */
export const filterFields = {
  scan: idSchema("scan").optional().describe("of this scan; without it of the newest ended scan of each artifact"),
  artifact: digestSchema.optional(),
  project: z.string().max(100).optional(),
  severity: z
    .string()
    .transform((text) => text.split(","))
    .pipe(z.array(severitySchema))
    .optional()
    .describe("one or more, parted by commas"),
  analyser: analyserSchema.optional(),
  verdict: verdictSchema.optional(),
  confidence: confidenceSchema.optional(),
  state: z.enum(["open", "exempted"]).optional(),
  rule: z.string().max(200).optional().describe("a rule, or the beginning of its path: code/javascript"),
  cve: z.string().max(100).optional().describe("CVE, GHSA or another name of an advisory"),
  package: z.string().max(300).optional(),
  fingerprint: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional(),
  text: z.string().max(200).optional().describe("in the title or the path"),
};
export type FindingFilter = { [Field in keyof typeof filterFields]?: z.output<(typeof filterFields)[Field]> };
