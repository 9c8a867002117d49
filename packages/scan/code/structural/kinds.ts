import { z } from "zod";
import { type RULE_LANGUAGES, type RuleHead, type RuleKind, regexesIn } from "../../rules/index.ts";
import { textFault } from "./expression.ts";
import { patternFault, type SyntaxBody } from "./syntax.ts";

const text = z.string().min(1).max(600);
const tree = z.record(z.string(), z.unknown());
/** Words of which one must stand in a file before it is parsed for the rule: most files are spared that. */
const needs = z.array(text).min(1).max(20);

/** ast-grep's own language (https://ast-grep.github.io/reference/rule.html): `rule`, with `constraints` on its variables and `utils`. */
const syntaxFields = {
  needs,
  needs_within: z.enum(["statement", "file"]).optional(),
  rule: tree,
  constraints: tree.optional(),
  utils: tree.optional(),
} as const;
export const syntaxKind: RuleKind = { name: "syntax", key: "rule", expressions: "linear", fields: syntaxFields, check: checkSyntax };

const instructionSchema = z.strictObject({
  /** `FROM`, `RUN`, … */
  instruction: z.array(z.string().regex(/^[A-Z]{2,20}$/, "must be an instruction in capitals")).min(1),
  matches: text.optional(),
  not_matches: text.optional(),
  /** Only the last such instruction of the last stage counts, or that there is none: what the image is left with. */
  last: z.boolean().default(false),
});
const dockerFields = { dockerfile: instructionSchema } as const;
export type DockerBody = z.infer<z.ZodObject<typeof dockerFields>>;
export const dockerKind: RuleKind = {
  name: "dockerfile",
  key: "dockerfile",
  expressions: "linear",
  fields: dockerFields,
  check: ({ dockerfile }) => expressionFaults("dockerfile", dockerfile),
};

const pathSchema = z.string().regex(/^[\w*-]{1,60}(?:\.[\w*-]{1,60}){0,15}$/, "must be names parted by dots: `*` is any one, `**` any number of them");
const placeSchema = z.strictObject({ path: pathSchema, matches: text.optional(), not_matches: text.optional() });
const yamlFields = {
  needs,
  /** Texts at `path` in a YAML document, of which `when` holds as a whole. A key that only stands there has the text "". */
  yaml: placeSchema.extend({ when: z.array(placeSchema).max(8).default([]) }),
} as const;
export type YamlBody = z.infer<z.ZodObject<typeof yamlFields>>;
export const yamlKind: RuleKind = { name: "yaml", key: "yaml", expressions: "linear", fields: yamlFields, check: ({ yaml }) => expressionFaults("yaml", yaml) };

export const STRUCTURAL_KINDS: readonly RuleKind[] = [syntaxKind, dockerKind, yamlKind];

function expressionFaults(path: string, value: unknown): { path: string; message: string }[] {
  return regexesIn(value, path).flatMap(({ path: at, regex }) => {
    const fault = textFault(regex);
    return fault === null ? [] : [{ path: at, message: fault }];
  });
}

function checkSyntax(body: Readonly<Record<string, unknown>>, { languages }: RuleHead): { path: string; message: string }[] {
  const other = languages.find((language) => !PARSED.has(language));
  if (other !== undefined) return [{ path: "languages", message: `${other} has no syntax tree here: ${[...PARSED].join(", ")} have` }];
  const fault = patternFault(body as unknown as SyntaxBody, languages);
  return fault === null ? [] : [{ path: "rule", message: fault }];
}
const PARSED = new Set<(typeof RULE_LANGUAGES)[number]>(["javascript", "typescript", "python", "shell"]);
