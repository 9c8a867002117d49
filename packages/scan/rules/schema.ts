import { confidenceSchema, severitySchema, verdictSchema } from "@plastron/contracts";
import { z } from "zod";

/** Languages and formats that a rule may ask for: those that files are told apart by. */
export const RULE_LANGUAGES = [
  ...(["javascript", "typescript", "python", "shell", "markdown", "html", "json", "yaml", "toml", "xml", "sql", "dockerfile", "text"] as const),
] as const;

const text = (most: number) => z.string().trim().min(1, "must not be empty").max(most, `must have at most ${most} characters`);
const relativePath = z.string().regex(/^(?!\/)(?!(?:.{0,200}\/)?\.\.(?:\/|$))[^\\\0]{1,200}$/, "must be a relative path");
const id = z
  .string()
  .max(160)
  .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\/[a-z0-9]+(?:-[a-z0-9]+)*)+$/, "must be lower-case words joined by - and parted by /, as the path of its file");

/** One example: a plain text is one file of the rule's first language; several files are told by their paths, and `name` says what they show. */
const exampleSchema = z.union(
  [z.string().min(1), z.strictObject({ name: text(200).optional(), files: z.record(relativePath, z.string()) })],
  "must be text, or `files` with a text for each path",
);
export type ExampleText = z.infer<typeof exampleSchema>;

/** What every rule says of itself, whatever it looks for. */
export const ruleFields = {
  id,
  title: text(120),
  message: text(2000),
  severity: severitySchema,
  confidence: confidenceSchema,
  verdict: verdictSchema.default("weakness"),
  cwe: z.array(z.int().positive()).max(8).default([]),
  cvss: z
    .array(z.string().regex(/^CVSS:(3\.1|4\.0)\/[A-Z0-9:./]{1,200}$/i, "must be a vector, CVSS:4.0/… or CVSS:3.1/…"))
    .max(2)
    .default([]),
  fix: text(2000),
  references: z.array(z.url("must be a URL")).max(10).default([]),
  languages: z.array(z.enum(RULE_LANGUAGES)).min(1, "must name at least one language"),
  /** Milliseconds of processor time that it may take for a megabyte, in a file of nothing but its examples. */
  budget_ms: z.int().min(1).max(10_000).default(3000),
  /** Globs of the paths that it looks at, and of those that it leaves alone; none given: every file of its languages. */
  paths: z.array(text(200)).max(20).default([]),
  not_paths: z.array(text(200)).max(20).default([]),
  bad: z.array(exampleSchema).min(1, "must have at least one example, which it finds"),
  ok: z.array(exampleSchema).min(1, "must have at least one example, which it leaves alone"),
} as const;

const headSchema = z.strictObject(ruleFields);
export type RuleHead = z.infer<typeof headSchema>;
