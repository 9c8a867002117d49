import { invalidBy, type ProblemEntry, parseAs, readDocument, suggestion } from "@plastron/document";
import { z } from "zod";
import { type RuleHead, ruleFields } from "./schema.ts";

/** What a rule looks for is said in fields of its kind's own; `key` is the one that tells the kinds apart, and every rule of the kind has it. */
export interface RuleKind {
  readonly name: string;
  readonly key: string;
  readonly fields: z.ZodRawShape;
  /** What runs its regular expressions. A linear engine is fast whatever they are; for a backtracking one each is looked into (`slowRegex`). */
  readonly expressions: "linear" | "backtracking";
  /** What the schema cannot say of a rule's body: a pattern that the matcher refuses. Each is a fault of the rule. */
  check?(body: Readonly<Record<string, unknown>>, head: RuleHead): readonly { path: string; message: string }[];
}

export interface Rule<Body = Readonly<Record<string, unknown>>> extends RuleHead {
  readonly kind: string;
  /** Where it stands, below the root of its pack. */
  readonly file: string;
  /** The fields of its kind. */
  readonly body: Body;
}

export const RULE_DOCUMENT = { noun: "rule", code: "invalid_rule" } as const;

/**
 * The text of one rule's file → the rule. `file` is its path below the root of the pack, which its id must equal. Throws PlastronError
 * invalid_rule, whose `errors` name path, line and column of all that is wrong, and for a misspelt field the one that was meant.
 */
export function readRule(file: string, text: string, kinds: readonly RuleKind[]): Rule {
  const kind = kindOf(text, kinds);
  const { value, source } = parseAs(text, schemaOf(kind), RULE_DOCUMENT);
  const { head, body } = parted(value, kind);
  const faults: ProblemEntry[] = [...idFaults(head.id, file), ...exampleFaults(head), ...(kind.check?.(body, head) ?? [])].map((fault) => ({
    ...fault,
    ...placeOf(fault.path, source.positions),
  }));
  if (faults.length > 0) throw invalidBy(RULE_DOCUMENT)(faults);
  return { ...head, kind: kind.name, file, body };
}

const schemas = new WeakMap<RuleKind, z.ZodType<Record<string, unknown>>>();
function schemaOf(kind: RuleKind): z.ZodType<Record<string, unknown>> {
  const known = schemas.get(kind);
  if (known) return known;
  const schema = z.strictObject({ ...ruleFields, ...kind.fields });
  schemas.set(kind, schema);
  return schema;
}

function kindOf(text: string, kinds: readonly RuleKind[]): RuleKind {
  const { value } = readDocument(text, RULE_DOCUMENT);
  const keys = typeof value === "object" && value !== null ? Object.keys(value) : [];
  const fitting = kinds.filter(({ key }) => keys.includes(key));
  if (fitting.length === 1) return fitting[0] as RuleKind;
  const known = kinds.map(({ key }) => key);
  const stranger = keys.find((key) => !(key in ruleFields));
  const meant = stranger === undefined ? "" : suggestion(stranger, known);
  const message =
    fitting.length === 0
      ? `says nothing that it looks for: give it one of ${known.join(", ")}${meant}`
      : `looks in several ways: keep one of ${fitting.map(({ key }) => key).join(", ")}`;
  throw invalidBy(RULE_DOCUMENT)([{ path: "", message, line: 1, column: 1 }]);
}

function parted(value: Record<string, unknown>, kind: RuleKind): { head: RuleHead; body: Record<string, unknown> } {
  const entries = Object.entries(value);
  const body = Object.fromEntries(entries.filter(([key]) => key in kind.fields));
  const head = Object.fromEntries(entries.filter(([key]) => !(key in kind.fields)));
  return { head: head as unknown as RuleHead, body };
}

/** A rule is found by its id: `code/python/x` stands in code/python/x.yaml, so that no two have one id. */
function idFaults(id: string, file: string): ProblemEntry[] {
  const expected = file.replace(/\.ya?ml$/, "");
  return id === expected ? [] : [{ path: "id", message: `the id must be ${JSON.stringify(expected)}, as its file is called` }];
}

/** An example that is on both sides proves nothing. */
function exampleFaults({ bad, ok }: RuleHead): ProblemEntry[] {
  const seen = new Set(bad.map((each) => JSON.stringify(each)));
  return ok.flatMap((each, i) => (seen.has(JSON.stringify(each)) ? [{ path: `ok[${i}]`, message: "stands among the bad examples as well" }] : []));
}

function placeOf(path: string, positions: ReadonlyMap<string, { line: number; column: number }>): { line?: number; column?: number } {
  for (let at = path; ; at = at.replace(/(?:\.[^.[]*|\[[^[]*\]|^[^.[]+)$/, "")) {
    const place = positions.get(at);
    if (place || at === "") return place ?? {};
  }
}
