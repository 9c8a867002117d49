import { type ProblemEntry, pathOf, type SourceDocument } from "@plastron/document";
import { meaningFaults } from "./check.ts";
import { policySchema } from "./schema.ts";

type Path = readonly PropertyKey[];
interface Issue {
  code: string;
  path: PropertyKey[];
  keys?: string[] | undefined;
}

/** Each round takes away at least one field; a value is in at most so many fields, one within the other. */
const ROUNDS = 12;

/**
 * What is wrong with the meaning of a document whose shape is wrong elsewhere: one who corrects it is told everything at once. The
 * fields that are at fault are taken away, and what is said of their neighbours or of what they were in is not said: it may be
 * true only because they are missing. Nothing, where too little is left to be a policy.
 */
export function faultsOfTheRest(
  value: unknown,
  issues: readonly Issue[],
  more: { positions: SourceDocument["positions"]; upstreamCompat: boolean },
): ProblemEntry[] {
  const rest = structuredClone(value);
  const taken = new Set<string>();
  let left = issues;
  for (let round = 0; round < ROUNDS; round++) {
    for (const place of left.flatMap(placesOf)) takeAway(rest, place, taken);
    const result = policySchema.safeParse(rest);
    if (result.success) {
      const leans = leansOn(taken);
      return meaningFaults({ ...result.data, ...more }).filter(({ path }) => !leans(path));
    }
    left = result.error.issues;
  }
  return [];
}

function placesOf({ code, path, keys }: Issue): Path[] {
  return code === "unrecognized_keys" && keys ? keys.map((key) => [...path, key]) : [path];
}

/** The innermost field that holds the place and is there. Items of a list stay: those after them would have other numbers. */
function takeAway(document: unknown, place: Path, taken: Set<string>): void {
  for (let length = place.length; length > 0; length--) {
    const field = place[length - 1];
    const holder = place.slice(0, length - 1).reduce<unknown>((at, part) => (isHolder(at) && Object.hasOwn(at, part) ? at[part] : undefined), document);
    if (typeof field !== "string" || !isHolder(holder) || Array.isArray(holder) || !Object.hasOwn(holder, field)) continue;
    delete holder[field];
    taken.add(pathOf(place.slice(0, length)));
    return;
  }
}

const isHolder = (value: unknown): value is Record<PropertyKey, unknown> => typeof value === "object" && value !== null;

/** Whether a fault is of a field that is gone, of what it was taken out of, or of a field that stood beside it. */
function leansOn(taken: ReadonlySet<string>): (path: string) => boolean {
  const around = new Set<string>();
  for (const gone of taken) for (let at = holderOf(gone); at !== "" && !around.has(at); at = holderOf(at)) around.add(at);
  const beside = new Set([...taken].map(holderOf));
  return (path) => taken.has(path) || around.has(path) || beside.has(holderOf(path));
}

const holderOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf("."), path.lastIndexOf("["), 0));
