import { z } from "zod";

/** JSON Schema as the engines read it: `bytes` and `function` are types besides its own. Of a hostile artifact; nothing of it is run. */
export const inputSchemaSchema = z.record(z.string(), z.unknown());
export type InputSchema = Record<string, unknown>;

/** Something of an artifact that takes input. */
export const harnessSchema = z.object({
  /** `src/parse.js:parse`: names it among all. */
  id: z.string().max(400),
  language: z.enum(["javascript", "python"]),
  /** function: exported. tool: of an MCP server, called by its handler. request: of an HTTP handler in the manner of fetch, by OpenAPI. */
  kind: z.enum(["function", "tool", "request"]),
  module: z.string().max(1000),
  /** `parse`, `default`, `Parser#feed`; of a tool the empty text. */
  export: z.string().max(200),
  /** Of a tool. */
  name: z.string().max(200).default(""),
  params: z.array(inputSchemaSchema).max(16),
  /** declared: types are written down. inferred: they were read off what is done with the parameters, and may be wrong. */
  types: z.enum(["declared", "inferred"]),
  line: z.int().min(1),
});
export type Harness = z.infer<typeof harnessSchema>;

/** How slowness grows: this part of the input, so often. */
export const pumpSchema = z.object({
  prefix: z.string().max(70_000),
  unit: z.string().min(1).max(70_000),
  suffix: z.string().max(70_000),
  times: z
    .int()
    .min(1)
    .max(1 << 20),
  path: z.array(z.union([z.string(), z.int()])).max(16),
});
export type Pump = z.infer<typeof pumpSchema>;

export const oracleSchema = z.enum([
  "crash",
  "stack-overflow",
  "unhandled-rejection",
  "abort",
  "hang",
  "slow",
  "command-injection",
  "code-injection",
  "sql-injection",
  "path-traversal",
  "prototype-pollution",
  "secret-leak",
  "sandbox-violation",
]);
export type Oracle = z.infer<typeof oracleSchema>;

/** A source as it is run: instrumented where it could be. */
export interface PreparedFile {
  readonly path: string;
  readonly text: string;
}

/** All of one language that a sandbox needs to fuzz an artifact. */
export interface Prepared {
  readonly files: readonly PreparedFile[];
  readonly harnesses: readonly Harness[];
  readonly blocks: number;
  readonly dictionary: readonly string[];
  /** What regular expressions of it would be slow on. */
  readonly pumps: readonly Omit<Pump, "times" | "path">[];
  readonly standins: Readonly<Record<string, readonly string[]>>;
  /** What could not be prepared, in words. */
  readonly notes: readonly string[];
}
