import { z } from "zod";
import { analyserSchema, findingSchema } from "./finding.ts";

/**
 * Something that was not looked at as it should have been. skipped: not read at all (too large, a device). degraded: read in part, or
 * by weaker means (a syntax error, a limit of depth). failed: an analyser crashed or ran out of time. None of these is "clean".
 */
export const gapSchema = z.object({
  kind: z.enum(["skipped", "degraded", "failed"]),
  analyser: analyserSchema.or(z.literal("intake")),
  path: z.string(),
  reason: z.string().describe("a word for programs: too_large, timeout, crash, syntax_error, bomb, symlink, device, encoding, depth, encrypted, unreadable, …"),
  detail: z.string().describe("the same in words"),
  /** False: what was lost is beside the point (a picture, a cyclic link). True: the scan is incomplete because of it. */
  matters: z.boolean(),
});
export type Gap = z.infer<typeof gapSchema>;

export const coverageSchema = z.object({
  files: z.int().describe("files of the artifact, archives' members included"),
  bytes: z.number(),
  analysers: z.partialRecord(
    analyserSchema,
    z.object({
      files: z.int().describe("files that it looked at"),
      bytes: z.number(),
      cached: z.int().describe("of these, known from an earlier scan"),
      ms: z.number().describe("processor time over all workers"),
      version: z.string().describe("of its rules and its code: equal versions say equal things of equal files"),
    }),
  ),
  gaps: z.array(gapSchema).max(2000),
  gaps_total: z.int(),
  /** How old the advisories were that dependencies were held against; null where none were. */
  advisories: z
    .object({ as_of: z.iso.datetime().describe("newest change in any of their sources"), seed: z.boolean().describe("only the few that come with Plastron") })
    .nullable()
    .default(null),
  notes: z.array(z.string()).describe("what a reader must know: the advisories are a seed, or N days old"),
});
export type Coverage = z.infer<typeof coverageSchema>;

export const artifactKindSchema = z.enum(["tree", "archive", "git", "npm", "skill", "mcp", "dify-plugin"]);
export type ArtifactKind = z.infer<typeof artifactKindSchema>;

export const artifactRefSchema = z.object({
  kind: artifactKindSchema,
  /** sha256 over the sorted list of (path, mode, sha256 of content), hexadecimal: names the content, whatever it came in. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  name: z.string().describe("what the user called it: a path, a URL without credentials, npm:NAME@VERSION"),
  revision: z.string().nullable().describe("commit, or version of a package"),
});
export type ArtifactRef = z.infer<typeof artifactRefSchema>;

/**
 * What a person has read and let stand of what is offered to assistants: the sha256 of all that a model is told of each tool and skill, by `PATH#NAME`
 * (`server/tools.json#search`). Whoever can change a description can change a file beside it, so who judges takes it from elsewhere.
 */
export const offersSchema = z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/));
export const approvalsSchema = z.strictObject({ version: z.literal(1), offers: offersSchema });
export type Approvals = z.infer<typeof approvalsSchema>;

/** complete: every asked analyser saw all that matters. incomplete: something that matters was not seen; such a scan is never clean. */
export const scanStatusSchema = z.enum(["complete", "incomplete"]);

export const scanResultSchema = z.object({
  version: z.literal(1),
  artifact: artifactRefSchema,
  status: scanStatusSchema,
  started_at: z.iso.datetime(),
  ms: z.number(),
  findings: z.array(findingSchema),
  coverage: coverageSchema,
  /** CycloneDX 1.6 bill of materials of what the artifact depends on; null where no manifest or lock file was found. */
  sbom: z.unknown().nullable(),
  /** Tools and skills that it offers to assistants, as approvals name them; absent where it offers none. */
  offers: offersSchema.optional(),
});
export type ScanResult = z.infer<typeof scanResultSchema>;

/** What a scan says while it works. */
export const scanProgressSchema = z.object({
  phase: z.enum(["intake", "files", "project", "fuzz", "report"]),
  done: z.int(),
  total: z.int(),
  bytes: z.number(),
  findings: z.int(),
  current: z.string().describe("a path: the artifact's text"),
});
export type ScanProgress = z.infer<typeof scanProgressSchema>;

export const gateReasonSchema = z.object({
  rule: z.string().describe("of the gate policy: `thresholds.new`, `live_secrets`, `required_analysers`, …"),
  effect: z.enum(["deny", "hold"]),
  message: z.string(),
  hint: z.string(),
  fingerprints: z.array(z.string()),
});

/** pass: nothing stands against it. deny: a rule of the gate is broken. hold: it cannot be said, as something is incomplete; never a pass. */
export const gateDecisionSchema = z.object({
  decision: z.enum(["pass", "deny", "hold"]),
  reasons: z.array(gateReasonSchema),
  counted: z.array(z.string()).describe("fingerprints of the findings that counted: new ones, live secrets, malice"),
  exempted: z.int(),
  known: z.int().describe("findings that stood at the base already"),
});
export type GateDecision = z.infer<typeof gateDecisionSchema>;
