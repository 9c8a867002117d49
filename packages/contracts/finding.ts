import { z } from "zod";

export const analyserSchema = z.enum(["secrets", "code", "dependencies", "agentware", "fuzz"]);
export type AnalyserName = z.infer<typeof analyserSchema>;
export const ANALYSERS: readonly AnalyserName[] = analyserSchema.options;

export const severitySchema = z.enum(["critical", "high", "medium", "low", "info"]);
export type Severity = z.infer<typeof severitySchema>;
/** Gravest first: the index orders. */
export const SEVERITIES: readonly Severity[] = severitySchema.options;

export const confidenceSchema = z.enum(["high", "medium", "low"]);

/**
 * What a finding says of the artifact. weakness: somebody could abuse it. secret: a credential lies open. malice: it is made to do harm.
 * authority: it may do much, as it says of itself; nobody's fault, but for a person to know.
 */
export const verdictSchema = z.enum(["weakness", "secret", "malice", "authority"]);

/**
 * A place in an artifact. Lines and columns count from 1, columns in UTF-16 units, ends are exclusive. `path` is relative, with forward
 * slashes; what lies inside something else is told by `layers`, outermost first: `["archive:vendor.zip", "base64"]`, `["commit:SHA"]`.
 * All text is the artifact's: data, never to be trusted.
 */
export const placeSchema = z.object({
  path: z.string(),
  line: z.int().min(1),
  column: z.int().min(1),
  end_line: z.int().min(1),
  end_column: z.int().min(1),
  snippet: z.string().max(2000).default("").describe("the line or lines, secrets redacted, cut to what can be read"),
  layers: z.array(z.string()).default([]),
  /** The column at which the snippet's first line begins, where it is the line as it stands from there on; absent: nobody knows any more. */
  snippet_column: z.int().min(1).optional(),
});
export type Place = z.infer<typeof placeSchema>;

/** One step on the way from where data comes in to where it does harm. */
export const flowStepSchema = placeSchema.extend({
  kind: z.enum(["source", "step", "call", "return", "sink"]),
  message: z.string().describe("what happens here, in words"),
});
export type FlowStep = z.infer<typeof flowStepSchema>;

export const reachabilitySchema = z.enum(["function_used", "imported", "installed", "unknown"]);

/** What a finding of a dependency is about. */
export const affectedPackageSchema = z.object({
  purl: z.string().describe("https://github.com/package-url/purl-spec"),
  ecosystem: z.string().describe("as OSV names it: npm, PyPI, …"),
  name: z.string(),
  version: z.string(),
  /** From a direct dependency down to this one; empty where the lock file does not tell. */
  path: z.array(z.string()),
  direct: z.boolean(),
  development: z.boolean(),
  fixed: z.array(z.string()).describe("versions that are not affected, lowest first"),
  reachability: reachabilitySchema,
  kev: z.boolean().describe("in CISA's list of what is exploited"),
  epss: z.number().min(0).max(1).nullable().describe("chance of exploitation within 30 days"),
});

/** What a finding of a secret is about. The secret itself is nowhere. */
export const foundSecretSchema = z.object({
  detector: z.string(),
  provider: z.string(),
  redacted: z.string().describe("a few characters that let its owner know which one it is"),
  /** sha256 of the secret, salted with the detector's name, hexadecimal, first 32: equal secrets in several places are one to revoke. */
  digest: z.string(),
  state: z.enum(["live", "dead", "unverified"]),
});

export const cvssSchema = z.object({ version: z.enum(["4.0", "3.1"]), vector: z.string(), score: z.number().min(0).max(10) });

/** What to do. `edits` replace text of the file itself, where that is all there is to do. */
export const fixSchema = z.object({
  text: z.string(),
  edits: z.array(z.object({ path: z.string(), start: z.int(), end: z.int(), text: z.string() })).default([]),
});

/** What an analyser says: a finding before it has a name that lasts, a priority and a state. */
export const matchSchema = z.object({
  rule: z.string().describe("analyser/…/name, as in rules/: `secrets/github-token`, `code/javascript/command-injection`"),
  analyser: analyserSchema,
  verdict: verdictSchema,
  title: z.string().max(200),
  message: z.string().max(4000).describe("what is wrong here and what could happen, in plain words"),
  severity: severitySchema,
  confidence: confidenceSchema,
  cwe: z.array(z.int().positive()).default([]),
  place: placeSchema,
  flow: z.array(flowStepSchema).max(64).default([]).describe("first the source, last the sink"),
  cvss: z.array(cvssSchema).default([]).describe("as published, or of the rule"),
  aliases: z.array(z.string()).default([]).describe("CVE, GHSA and other names of the same weakness"),
  package: affectedPackageSchema.nullable().default(null),
  secret: foundSecretSchema.nullable().default(null),
  fix: fixSchema,
  references: z.array(z.string()).default([]),
  /**
   * What makes this finding itself, without its line: text that stays when lines move (a normalised snippet, a function's name, a
   * package and an advisory). Equal anchors under one rule and path are told apart by their order.
   */
  anchor: z.string(),
});
export type Match = z.infer<typeof matchSchema>;
/** As analysers write it: what has a default may be left out. */
export type MatchInput = z.input<typeof matchSchema>;

export const prioritySchema = z.object({
  level: z.enum(["now", "soon", "plan", "note"]),
  score: z.number().min(0).max(100),
  words: z.string().describe("why: severity, exploitation, reachability, exposure"),
});

/** Why somebody says that a weakness does no harm here, in the words of OpenVEX (https://github.com/openvex/spec). */
export const vexJustificationSchema = z.enum([
  "component_not_present",
  "vulnerable_code_not_present",
  "vulnerable_code_not_in_execute_path",
  "vulnerable_code_cannot_be_controlled_by_adversary",
  "inline_mitigations_already_exist",
]);

export const exemptedSchema = z.object({
  id: z.string(),
  reason: z.string(),
  approver: z.string(),
  expires: z.iso.date(),
  /** accepted: the harm is possible and borne until then. not_affected: it cannot happen here. false_positive: there is no weakness. */
  status: z.enum(["accepted", "not_affected", "false_positive"]).default("accepted"),
  /** Of not_affected. */
  justification: vexJustificationSchema.nullable().default(null),
});

export const findingSchema = matchSchema.omit({ anchor: true }).extend({
  /** 32 hexadecimal characters; the same weakness has the same one in the next commit, wherever its lines went. */
  fingerprint: z.string().regex(/^[0-9a-f]{32}$/),
  priority: prioritySchema,
  state: z.enum(["open", "exempted"]),
  exemption: exemptedSchema.nullable(),
  /** Other rules that said the same of the same place. */
  also: z.array(z.object({ rule: z.string(), analyser: analyserSchema })),
});
export type Finding = z.infer<typeof findingSchema>;
