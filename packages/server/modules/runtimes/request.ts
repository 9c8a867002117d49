import { type PackageRequest, PlastronError } from "@plastron/contracts";
import { z } from "zod";
import { runtimeNameSchema } from "./name.ts";

const MAX_TEXT = 256 * 1024;
const isText = (text: string) => !text.includes("\0") && text.isWellFormed();
const text = (most: number) => z.string().max(most).refine(isText, "contains a NUL character or half a surrogate pair");

const packageFields = {
  packages: z
    .array(text(512).refine((line) => !/[\r\n]/.test(line), "is more than one line"))
    .min(1)
    .max(500)
    .optional()
    .describe("numpy==1.26.4 for Python, left-pad@1.3.0 for Node"),
  requirements: text(MAX_TEXT).optional().describe("a requirements.txt"),
  package_json: text(MAX_TEXT).optional().describe("a package.json: its dependencies"),
  package_lock: text(16 * 1024 * 1024)
    .optional()
    .describe("the package-lock.json of package_json, installed as it is"),
};
const buildFields = {
  timeout_ms: z.number().int().min(10_000).max(1_800_000).default(600_000),
  stream: z.boolean().default(false).describe("answer with server-sent events: progress, result"),
};

export const createSchema = z.object({ name: runtimeNameSchema, from: z.enum(["python3", "nodejs"]), ...packageFields, ...buildFields }).strict();
export const updateSchema = z.object({ ...packageFields, ...buildFields }).strict();
type Packages = Pick<z.infer<typeof createSchema>, keyof typeof packageFields>;

/**
 * What a request names, in the one form that the agent reads; null where it names nothing.
 * Errors: invalid_request where it names packages in two ways, or in those of another interpreter.
 */
export function packageRequest(from: "python3" | "nodejs", given: Packages): PackageRequest | null {
  const { packages, requirements, package_json, package_lock } = given;
  const ways = [packages, requirements, package_json].filter((way) => way !== undefined).length;
  if (ways === 0 && package_lock === undefined) return null;
  if (ways !== 1) throw wrong("Name the packages in one way", "Send packages, requirements or package_json (with package_lock where there is one).");
  if (from === "python3") {
    if (package_json !== undefined || package_lock !== undefined) throw wrong("package_json is for nodejs", "Send requirements for python3.");
    return { from, requirements: requirements ?? (packages as string[]).join("\n") };
  }
  if (requirements !== undefined) throw wrong("requirements is for python3", "Send package_json for nodejs.");
  if (package_lock !== undefined && package_json === undefined) throw wrong("package_lock needs its package_json", "Send both.");
  return {
    from,
    package_json: package_json ?? JSON.stringify({ dependencies: Object.fromEntries((packages as string[]).map(dependency)) }),
    package_lock: package_lock ?? null,
  };
}

/** `left-pad@1.3.0`, `@scope/name@^2`, `left-pad`. The agent judges both halves. */
function dependency(words: string): [name: string, range: string] {
  const at = words.indexOf("@", 1);
  return at < 0 ? [words.trim(), "latest"] : [words.slice(0, at).trim(), words.slice(at + 1).trim()];
}

const wrong = (detail: string, hint: string): PlastronError => new PlastronError("invalid_request", detail, { hint });
