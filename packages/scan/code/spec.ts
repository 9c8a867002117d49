/**
 * What the taint engine knows of languages, libraries and frameworks, as data: in `rules/code/<language>/NAME.yaml` a rule,
 * with what every rule has (id `code/<language>/NAME`, words, `bad` and `ok`) and under `taint` its sinks and checks; in
 * `rules/code/<language>/models/NAME.yaml` a model (`model: NAME`): sources, sanitisers, guards, propagators, abilities. Nothing of a
 * library is written in code.
 *
 * How a function is named (`Target`). The engine knows of each value what it *is*, as a path from a module or a global:
 * `const db = require("mysql").createPool(x)` is `mysql` + `createPool()`, so that `db.query` is `mysql` + `createPool().query`.
 * `await` and `new` leave no trace (`new Pool()` is `Pool()`), `default` is dropped, a parameter of type `Pool` is `Pool()` as well.
 *   {module: [mysql, mysql2], member: [createPool().query, createConnection().query]}
 *   {module: express, member: "Router().*"}       `*`: any one segment; `**`: any number of them, none included
 *   {module: lodash, member: ""}                   the module itself, called
 *   {global: [eval, Object.assign, document.write]}   what no file binds. Python's builtins are globals too
 *   {method: [fileName], receiver: [entry]}       under a `read` source: a member of this name
 *   {method: query, receiver: [db, pool, conn]}    where nothing is known of the receiver but its name (last word of it, any case, as
 *                                                  a whole or its end: `this.userDb`); `receiver` absent: any
 * `node:fs` and `fs` are one. Python: `{module: os, member: [system, popen]}`, `{module: flask, member: request.args}`; however it was imported.
 */
import { confidenceSchema, severitySchema } from "@plastron/contracts";
import { z } from "zod";
import type { RuleKind } from "../rules/read.ts";
import { type RuleHead, ruleFields } from "../rules/schema.ts";
import { KINDS, ORIGINS } from "./kinds.ts";
import { readStructuralRules, type StructuralRule } from "./structural/index.ts";

const oneOrMore = z
  .union([z.string(), z.array(z.string()).min(1)])
  .transform((given) => (typeof given === "string" ? [given] : given))
  .pipe(z.array(z.string()));
const kindsSchema = z.union([z.literal("all"), z.array(z.enum(KINDS)).min(1)]);

export const targetSchema = z.strictObject({
  module: oneOrMore.optional(),
  member: oneOrMore.optional(),
  global: oneOrMore.optional(),
  method: oneOrMore.optional(),
  receiver: oneOrMore.optional(),
});
export type Target = z.infer<typeof targetSchema>;

/** Which argument: a position, `receiver`, `all`, `last`; Python's keyword arguments by `name` beside it. `field`: a dotted path below it. */
export const slotSchema = z.strictObject({
  argument: z.union([z.int().min(0), z.enum(["receiver", "all", "last", "rest"])]),
  name: z.string().optional(),
  field: z.string().optional(),
});
export type Slot = z.infer<typeof slotSchema>;
const slotsSchema = z.array(
  z.union([
    z
      .int()
      .min(0)
      .transform((argument): Slot => ({ argument })),
    slotSchema,
  ]),
);

/** All of what is said must hold of the argument. What is not known holds nothing but `unless_`s. */
export const conditionSchema = z.strictObject({
  argument: z.union([z.int().min(0), z.enum(["receiver", "last"])]).optional(),
  name: z.string().optional(),
  field: z.string().optional(),
  /** Its constant value is one of these (text compared without case). */
  equals: z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])).optional(),
  /** Known, and none of these. */
  differs: z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])).optional(),
  /** The constant text, or the constant parts of a text put together, match. */
  matches: z.string().optional(),
  truthy: z.boolean().optional(),
  /** Not given at all (a spread may give it: then unknown). */
  absent: z.boolean().optional(),
  /** Put together from parts, one of them not constant. */
  built: z.boolean().optional(),
  /** A regular expression that can take exponential time. */
  slow: z.boolean().optional(),
  /** A number below this. */
  below: z.number().optional(),
  /** What the value is named here: the variable, member or key that it is assigned to, or the function around it. */
  context: z.string().optional(),
  /** What the values of the arguments are called: `createHash("md5").update(password)`. */
  mentions: z.string().optional(),
});
export type Condition = z.infer<typeof conditionSchema>;

export const sinkSchema = z.strictObject({
  ...targetSchema.shape,
  /** `o.innerHTML = x`: the member written, with `receiver` names or any; and markup's attributes (`dangerouslySetInnerHTML.__html`). */
  write: oneOrMore.optional(),
  attribute: oneOrMore.optional(),
  /** `o[k] = v`, `o[a][b] = v` with a key from outside; `key`: written, `object`: read first and then written into. */
  dynamic: z.enum(["key", "nested"]).optional(),
  /** What a handler gives back: `return {redirect: {destination}}` in Next. Names a source `from: file` of the same language. */
  returned: z.string().optional(),
  arguments: slotsSchema.default([]),
  when: z.array(conditionSchema).default([]),
  /** An object that holds it somewhere counts too. */
  deep: z.boolean().default(false),
  /** text: only data that is a text (a field of what came in, or put together of it); object: only what can be an object. */
  shape: z.enum(["any", "text", "object"]).default("any"),
  /** Its text ahead of the data, if constant, makes it harmless: `https://api.example.com/` before a path. */
  unless_prefix: z.string().optional(),
  /** Lowers the rule's confidence for this sink: a receiver known by its name alone. */
  confidence: confidenceSchema.optional(),
  /** What it is, in words: "a shell". */
  words: z.string().optional(),
});
export type Sink = z.infer<typeof sinkSchema>;

/** A call or a write that is wrong by itself. */
export const checkSchema = z.strictObject({
  ...targetSchema.shape,
  /** The member written, or the property of an object literal (where `receiver` is absent). */
  write: oneOrMore.optional(),
  when: z.array(conditionSchema).default([]),
  /** Not where the file imports one of these. */
  unless_imports: z.array(z.string()).default([]),
  /** What mends it, in place of the value that is written or of the first argument. */
  replace: z.string().optional(),
  words: z.string().optional(),
});
export type Check = z.infer<typeof checkSchema>;

const toldSchema = z.strictObject({ severity: severitySchema, confidence: confidenceSchema });

/** What a rule of this engine looks for, beside what every rule says of itself (`../rules/schema.ts`). */
export const taintSchema = z.strictObject({
  kind: z.enum(KINDS).optional().describe("of the sinks: as what data does harm there"),
  sinks: z.array(sinkSchema).default([]),
  checks: z.array(checkSchema).default([]),
  /**
   * From which origins it is told, and how. An origin that is not named is not told. Absent: request, message, tool and dom, as the
   * rule's own severity and confidence say.
   */
  origins: z.partialRecord(z.enum(ORIGINS), toldSchema.or(z.literal("as-rule"))).optional(),
  /** True: what stands in a test, an example or a build script is not told at all (else one severity lower). */
  quiet_in_tests: z.boolean().default(true),
});
export type Taint = z.infer<typeof taintSchema>;

/** For `readRule`: a rule with the key `taint`. In its `message`, `{source}` and `{sink}` are put in, in words. */
export const taintKind = {
  name: "taint",
  key: "taint",
  expressions: "backtracking",
  fields: { taint: taintSchema },
  check: anywhere,
} as const satisfies RuleKind;

/** Data comes from any file and goes to any: a rule that looked at some paths only would promise what it does not hold. */
function anywhere(_: unknown, { paths, not_paths }: RuleHead): { path: string; message: string }[] {
  const message = "rules on data look at every file: leave it out";
  return [...(paths.length > 0 ? [{ path: "paths", message }] : []), ...(not_paths.length > 0 ? [{ path: "not_paths", message }] : [])];
}

export type TaintRule = RuleHead & { readonly taint: Taint };
export const taintRuleSchema = z.strictObject({ ...ruleFields, taint: taintSchema });

const languagesSchema = z.array(z.enum(["javascript", "typescript", "python"])).min(1);

const sourceShape = {
  origin: z.enum(ORIGINS),
  words: z.string().describe("what it is: `the query of a request`"),
  /** Kinds that it cannot do harm as. */
  except: z.array(z.enum(KINDS)).default([]),
  confidence: confidenceSchema.default("high"),
};
export const sourceSchema = z.discriminatedUnion("from", [
  /** Reading it: `process.argv`, `flask.request.args`, `location.hash`. */
  z.strictObject({ from: z.literal("read"), ...targetSchema.shape, ...sourceShape }),
  /** What a call gives: `input()`, `request.get_json()`. */
  z.strictObject({ from: z.literal("result"), ...targetSchema.shape, ...sourceShape }),
  /**
   * A function handed to a call: `app.get(path, handler)`, `server.tool(name, schema, handler)`. `argument`: its position, `last`, or
   * `any` function among them. `parameter` of it, and the fields of that parameter which come from outside ("" the whole).
   */
  z.strictObject({
    from: z.literal("callback"),
    name: z.string().optional(),
    ...targetSchema.shape,
    argument: z.union([z.int().min(0), z.enum(["last", "any"])]),
    /** The function is a member of the argument: `{handler}`, `{execute}`. */
    field: z.string().optional(),
    parameter: z.int().min(0),
    fields: z.array(z.string()).default([""]),
    ...sourceShape,
  }),
  /** A function below a decorator: `@app.route("/x")`, Nest's `@Get()`. `parameters`: which; `all` by default. */
  z.strictObject({
    from: z.literal("decorated"),
    name: z.string().optional(),
    ...targetSchema.shape,
    parameters: z.union([z.literal("all"), z.array(z.int().min(0))]).default("all"),
    fields: z.array(z.string()).default([""]),
    ...sourceShape,
  }),
  /** A parameter below a decorator: Nest's `@Body() dto`. */
  z.strictObject({ from: z.literal("parameter-decorator"), ...targetSchema.shape, fields: z.array(z.string()).default([""]), ...sourceShape }),
  /** A parameter of this type: `req: express.Request`. */
  z.strictObject({ from: z.literal("type"), ...targetSchema.shape, fields: z.array(z.string()).default([""]), ...sourceShape }),
  /** Functions whose first parameters have these names (each a list of spellings): `[[req, request], [res, response]]`. */
  z.strictObject({
    from: z.literal("names"),
    name: z.string().optional(),
    names: z.array(z.array(z.string())),
    parameter: z.int().min(0),
    fields: z.array(z.string()),
    ...sourceShape,
  }),
  /** A method of a class with this base: Dify's `Tool._invoke`, Django's `View.get`. */
  z.strictObject({
    from: z.literal("method"),
    name: z.string().optional(),
    base: targetSchema,
    methods: z.array(z.string()),
    parameters: z.union([z.literal("all"), z.array(z.int().min(0))]),
    fields: z.array(z.string()).default([""]),
    ...sourceShape,
  }),
  /** What a file exports, by the file's path (a regular expression): Next's `pages/api/x.ts`, `app/x/route.ts`. */
  z.strictObject({
    from: z.literal("file"),
    name: z.string().optional(),
    path: z.string(),
    exports: z.array(z.string()),
    parameter: z.int().min(0),
    fields: z.array(z.string()),
    ...sourceShape,
  }),
]);
export type Source = z.infer<typeof sourceSchema>;

/** What it gives back can do no harm as these kinds. Its own effect on data (does it pass it on?) is that of `mode`. */
export const sanitiserSchema = z.strictObject({ ...targetSchema.shape, cleanses: kindsSchema, mode: z.enum(["text", "copy"]).default("text") });

/** A question that, when answered so, makes what was asked of harmless as these kinds. */
export const guardSchema = z.strictObject({
  ...targetSchema.shape,
  /** What is asked of: its arguments, or the receiver. */
  of: slotSchema.default({ argument: 0 }),
  /** The answer that makes it harmless; `returns`: the call throws otherwise. */
  answer: z.union([z.boolean(), z.literal("returns")]),
  cleanses: kindsSchema,
  when: z.array(conditionSchema).default([]),
});

/**
 * Where data goes through a function. text: joined into a text. copy: as it is, fields and all. deep: any part of an object goes into
 * the text (`JSON.stringify`). element: one of a collection. collection: into one.
 */
export const propagatorSchema = z.strictObject({
  ...targetSchema.shape,
  from: slotsSchema,
  /** `result`, a slot that is written into, or a parameter of a function that is handed over. */
  to: z.union([z.literal("result"), z.strictObject({ callback: z.int().min(0), parameter: z.int().min(0) }), slotSchema]),
  mode: z.enum(["text", "copy", "deep", "element", "collection"]),
});

/** What code can do with a function: for `Outline.abilities`. */
export const abilitySchema = z.strictObject({
  ...targetSchema.shape,
  kind: z.enum(["exec", "eval", "network", "listen", "read_file", "write_file", "environment", "native", "dynamic_import"]),
  /** The argument that says what it is done to. */
  target: z.int().min(0).default(0),
});

export const modelSchema = z.strictObject({
  model: z.string(),
  languages: languagesSchema,
  sources: z.array(sourceSchema).default([]),
  sanitisers: z.array(sanitiserSchema).default([]),
  guards: z.array(guardSchema).default([]),
  exits: z.array(targetSchema).default([]).describe("calls behind which nothing is reached: `process.exit()`, Koa's `ctx.throw()`"),
  propagators: z.array(propagatorSchema).default([]),
  abilities: z.array(abilitySchema).default([]),
});
export type Model = z.infer<typeof modelSchema>;

/** All that `createCode` is given: the parsed files of `rules/code/<language>/` and `rules/code/<language>/models/`. */
export interface CodeRules {
  readonly rules: readonly TaintRule[];
  readonly models: readonly Model[];
  /** Rules on the shape of a file alone (`structural/`). */
  readonly structural: readonly StructuralRule[];
}

/** Parsed YAML documents to rules and models; what is neither, and no rule, is passed over. Throws zod's error for what is neither or is broken. */
export function readCodeRules(documents: readonly unknown[]): CodeRules {
  const has = (document: unknown, key: string) => typeof document === "object" && document !== null && key in document;
  return {
    rules: documents.filter((each) => has(each, "taint")).map((each) => taintRuleSchema.parse(each)),
    models: documents.filter((each) => has(each, "model")).map((each) => modelSchema.parse(each)),
    structural: readStructuralRules(documents),
  };
}
