import { z } from "zod";

/** Words that clients use for an interpreter: a runtime of such a name could be taken for it. */
const TAKEN = ["python3", "python", "nodejs", "node", "javascript", "js", "bash", "sh"];

export const runtimeNameSchema = z
  .string()
  .regex(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/, "lower case letters, digits and hyphens, beginning with a letter")
  .refine((name) => !TAKEN.includes(name), "is the name of an interpreter");

/** NAME, which is its current version, or NAME@VERSION. */
export const runtimeReferenceSchema = z.string().regex(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?(@[1-9][0-9]{0,8})?$/, "NAME or NAME@VERSION of a runtime");

export function readReference(reference: string): { name: string; version: number | undefined } {
  const [name = "", version] = reference.split("@");
  return { name, version: version === undefined ? undefined : Number(version) };
}
