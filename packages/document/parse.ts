import type { z } from "zod";
import { entriesOf } from "./issues.ts";
import { suggestion } from "./nearest.ts";
import { member } from "./path.ts";
import { type DocumentKind, inOrder, invalidBy, type ProblemEntry, readDocument, type SourceDocument } from "./read.ts";

/**
 * Text from anyone → a value of the schema, with the places of its parts for what only its meaning tells. Throws PlastronError with the
 * kind's code, whose `errors` have path, message, line and column of all that is wrong; an unknown field with the one that was meant.
 */
export function parseAs<Schema extends z.ZodType>(text: string, schema: Schema, kind: DocumentKind): { value: z.output<Schema>; source: SourceDocument } {
  const source = readDocument(text, kind);
  const parsed = schema.safeParse(source.value);
  if (parsed.success) return { value: parsed.data, source };
  const faults = parsed.error.issues.flatMap((issue) => (issue.code === "unrecognized_keys" ? unknownFields(issue, source, schema) : entriesOf(issue, source)));
  throw invalidBy(kind)(inOrder(faults));
}

function unknownFields({ path, keys }: { path: PropertyKey[]; keys: string[] }, source: SourceDocument, schema: z.ZodType): ProblemEntry[] {
  const known = fieldsAt(schema, path);
  const place = path.reduce<string>((whole, part) => (typeof part === "number" ? `${whole}[${part}]` : member(whole, String(part))), "");
  return keys.map((key) => {
    const at = member(place, key);
    return { path: at, message: `there is no field ${JSON.stringify(key.slice(0, 100))}${suggestion(key, known)}`, ...source.keys.get(at) };
  });
}

/** The fields that may stand at this place: a walk through the schema by its own description; none where it cannot be told. */
function fieldsAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at = schema as unknown as Described | undefined;
  for (const part of [...path, null]) {
    while (at?.def.innerType ?? at?.def.in) at = at?.def.innerType ?? at?.def.in;
    if (part === null) return Object.keys(at?.def.shape ?? {});
    at = typeof part === "number" ? at?.def.element : (at?.def.shape?.[String(part)] ?? at?.def.valueType);
  }
  return [];
}

/** What zod 4 tells of a schema in `def`. */
interface Described {
  def: { innerType?: Described; in?: Described; shape?: Record<string, Described>; element?: Described; valueType?: Described };
}
