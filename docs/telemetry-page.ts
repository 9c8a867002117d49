/** docs/reference/telemetry.md, from the schemas of the account (packages/contracts/telemetry.ts). */
import { activitySchema, brokenBySchema, stackSchema, TELEMETRY_BOUNDS, telemetrySchema } from "@plastron/contracts";
import { z } from "zod";

/** What of JSON Schema zod writes for these. */
interface Shape {
  type?: string | string[];
  description?: string;
  const?: string;
  enum?: string[];
  anyOf?: Shape[];
  oneOf?: Shape[];
  items?: Shape;
  properties?: Record<string, Shape>;
  additionalProperties?: Shape | boolean;
}

/** Fields that have a table of their own, by the name of that. */
const ELSEWHERE: Record<string, string> = { timeline: "an entry of the timeline", model: "what a behaviour profile is made of", stack: "a stack" };

export function telemetryLines(): string[] {
  return [
    "What the sensor saw of one run: `telemetry` of a run's record, and what `plastron run --trace` shows ([guide](../guides/see-what-a-plugin-does.md)). It is bounded",
    "however much the program did: what is beyond a list is still in the counters, and said in `lost`. All text is the program's. The stored account ends at",
    "256 KiB and its timeline at 1 MiB; `GET /v1/runs/{id}` leaves the timeline out unless it is asked for with `?timeline=true`.",
    "",
    "`level` says how much of it is true: `full`; `limited`, and `reason` says of what (gVisor answers its programs itself); `none`, and `reason` says why.",
    "",
    "| field | | |",
    "| --- | --- | --- |",
    ...rows(shapeOf(telemetrySchema), "", new Set(["timeline", "model", "stack"])),
    "",
    "A denial's `rule` and `hint` are not the sensor's: the server, or the command line with a driver of its own, finds them with the policy at hand. `rule` null:",
    "neither the policy nor the platform denied it, so it was the kernel's own permissions, of the file or of the process.",
    "",
    "## A stack",
    "",
    "The innermost frame first, read out of the program's memory from outside: it is the program's word, and nothing is decided by it.",
    "",
    "| field | | |",
    "| --- | --- | --- |",
    ...rows(shapeOf(stackSchema), "", new Set()),
    "",
    "## An entry of the timeline",
    "",
    "With `trace: true` alone, in the order of the kernel. Each has `t_us`, microseconds since the program began, `pid` (on the host) and `comm`. The path of an open",
    "is that of the file that was opened; of a call that failed it is what was asked for (`asked`), which another thread may have changed since.",
    "",
    "| `kind` | fields |",
    "| --- | --- |",
    ...kinds(shapeOf(activitySchema)),
    "",
    "## Broken by a rate rule",
    "",
    "`broken_by` of a run whose status is `broken_by_rule` ([limits](limits.md)); null otherwise.",
    "",
    "| field | | |",
    "| --- | --- | --- |",
    ...rows(shapeOf(brokenBySchema), "", new Set(["stack"])),
    "",
    "## Bounds",
    "",
    "| list | most |",
    "| --- | --- |",
    ...Object.entries(TELEMETRY_BOUNDS).map(([name, most]) => `| \`${name}\` | ${most} |`),
  ];
}

const shapeOf = (schema: z.ZodType): Shape => z.toJSONSchema(schema, { io: "output", reused: "inline" }) as Shape;

/** A line for each field, and for those below it. */
function rows(shape: Shape, path: string, leaves: ReadonlySet<string>): string[] {
  return Object.entries(inner(shape).properties ?? {}).flatMap(([name, field]) => {
    const here = path === "" ? name : `${path}.${name}`;
    const below = leaves.has(name) ? [] : rows(inner(field), here + suffix(field), leaves);
    return [`| \`${here}${suffix(field)}\` | ${leaves.has(name) ? (ELSEWHERE[name] ?? "") : kindOf(field)} | ${cell(describe(field))} |`, ...below];
  });
}

/** Of a list or a map what it holds, of what may be null what it is otherwise. */
function inner(shape: Shape): Shape {
  const given = solid(shape);
  if (given.items) return inner(given.items);
  if (typeof given.additionalProperties === "object" && !given.properties) return given.additionalProperties;
  return given;
}

const solid = (shape: Shape): Shape => shape.anyOf?.find(({ type }) => type !== "null") ?? shape;
const isNullable = ({ anyOf }: Shape): boolean => anyOf?.some(({ type }) => type === "null") ?? false;
const describe = (shape: Shape): string => shape.description ?? solid(shape).description ?? "";

function suffix(shape: Shape): string {
  const given = solid(shape);
  if (given.items) return "[]";
  return typeof given.additionalProperties === "object" && !given.properties ? "{}" : "";
}

function kindOf(shape: Shape): string {
  const given = inner(shape);
  const names = [given.type ?? []].flat();
  const type = names.find((name) => name !== "null") ?? "";
  const words = given.enum ? given.enum.map((each) => `\`${each}\``).join(", ") : given.const ? `\`${given.const}\`` : type;
  const kind = given.properties ? "" : words === "integer" ? "number" : words === "string" ? "text" : words;
  return isNullable(shape) || names.includes("null") ? (kind === "" ? "or null" : `${kind}, or null`) : kind;
}

function kinds(shape: Shape): string[] {
  return (shape.oneOf ?? shape.anyOf ?? []).map(({ properties = {} }) => {
    const { kind, t_us: _t, pid: _pid, comm: _comm, ...rest } = properties;
    const names = kind?.enum ?? [kind?.const ?? ""];
    const fields = Object.entries(rest).map(([name, field]) => `\`${name}${suffix(field)}\`${isNullable(field) ? " or null" : ""}`);
    return `| ${names.map((name) => `\`${name}\``).join(", ")} | ${cell(fields.join(", "))} |`;
  });
}

const cell = (text: string): string => text.replaceAll("|", "\\|");
