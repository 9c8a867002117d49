import { confidenceSchema, severitySchema, verdictSchema } from "@plastron/contracts";
import { z } from "zod";

const surface = z.enum(["agent", "people", "program"]);
const stance = z.enum(["told", "described", "warned", "quoted"]);

/** A thought that a rule looks for in sentences: see language/frames.ts. */
const frameSchema = z.strictObject({
  signal: z.string(),
  ideas: z.array(z.string()).min(1).max(6),
  within: z.int().min(1).max(60).optional(),
  ordered: z.boolean().optional(),
  unless: z.array(z.string()).optional(),
  not_english: z.boolean().optional(),
});

/** Frames that no rule owns: what refers to another place of the text. */
export const sharedFramesSchema = z.strictObject({ shared_frames: z.array(frameSchema) });

/** What must stand beside a signal, and how near: of one block, one file, or one unit (a skill, a plugin, a package). */
const nearSchema = z.strictObject({
  any: z.array(z.string()).default([]),
  all: z.array(z.string()).default([]),
  none: z.array(z.string()).default([]),
  within: z.enum(["block", "section", "file", "unit"]),
});
export type Near = z.infer<typeof nearSchema>;

/** When a signal is a finding, and how grave. The first grade that fits counts; no stated verdict is the rule's own. */
const gradeSchema = z.strictObject({
  signal: z.union([z.string(), z.array(z.string())]),
  surface: z.array(surface).optional(),
  stance: z.array(stance).default(["told"]),
  hidden: z.boolean().optional(),
  traits: z.array(z.string()).optional().describe("one of these"),
  not_traits: z.array(z.string()).optional(),
  near: z.array(nearSchema).default([]),
  not: z.boolean().default(false).describe("such a signal is no finding, whatever grade follows"),
  verdict: verdictSchema.optional(),
  severity: severitySchema.optional(),
  confidence: confidenceSchema.optional(),
  message: z.string().optional(),
});
export type Grade = z.infer<typeof gradeSchema>;

const example = z.union([z.string(), z.strictObject({ name: z.string().optional(), files: z.record(z.string(), z.string()) })]);

/**
 * One rule of rules/agentware/. In `message`, `{detail}` stands for what the signal is about, `{hidden}` for why nobody sees it, `{beside}` for what stands beside it, with its place. An example
 * that is a plain text is the text of a SKILL.md; `\u{…}` in its files stand for the characters they name.
 */
export const agentRuleSchema = z.strictObject({
  id: z.string().regex(/^agentware\/[a-z0-9-]+$/),
  title: z.string().max(120),
  message: z.string().max(2000),
  verdict: verdictSchema,
  severity: severitySchema,
  confidence: confidenceSchema,
  cwe: z.array(z.int().positive()),
  fix: z.string(),
  references: z.array(z.url()),
  frames: z.array(frameSchema).default([]),
  /** None: it is about what several files offer, which config/offers.ts compares. */
  grades: z.array(gradeSchema),
  bad: z.array(example).min(1),
  ok: z.array(example).min(1),
});
export type AgentRule = z.infer<typeof agentRuleSchema>;
export type AgentExample = z.infer<typeof example>;

/** A rule whose grades look over a whole unit can only be judged when all files were seen. */
export function isOfUnit(rule: AgentRule): boolean {
  return rule.grades.some((grade) => grade.near.some((near) => near.within === "unit"));
}
