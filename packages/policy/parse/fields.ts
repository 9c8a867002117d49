import { suggestion } from "@plastron/document";
import { z } from "zod";

/** An object that has these fields and no others; an unknown one is answered with the nearest that exists. */
export function fields<Shape extends z.core.$ZodShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== "unrecognized_keys") return undefined;
      return issue.keys.map((key) => `unknown field ${JSON.stringify(key)}${suggestion(key, Object.keys(shape))}`).join("; ");
    },
  });
}

/** One of these words, as upstream's code (not its CRD) demands. */
export function word<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, {
    error: (issue) => `must be one of ${words.join(", ")}${typeof issue.input === "string" ? suggestion(issue.input, words) : ""}`,
  });
}

/** As `word`, where upstream compares without regard to case; the result is in lower case. */
export function wordInAnyCase<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.preprocess((given) => (typeof given === "string" ? given.toLowerCase() : given), word(words));
}

export const strings = z.array(z.string());
export const labels = z.record(z.string(), z.string());

const expression = fields({
  key: z.string().min(1, "must not be empty"),
  operator: word(["In", "NotIn", "Exists", "DoesNotExist"]),
  values: strings.optional(),
}).refine(
  ({ operator, values = [] }) => values.length > 0 === (operator === "In" || operator === "NotIn"),
  "In and NotIn need values; Exists and DoesNotExist have none",
);

export const selector = fields({ matchLabels: labels.optional(), matchExpressions: z.array(expression).optional() });

/** A whole number in these bounds, refused in these words whatever else was given. */
export function whole(least: number, most: number | null, must: string) {
  const error = `must be ${must}`;
  const number = z.int({ error }).min(least, { error });
  return most === null ? number : number.max(most, { error });
}

export const port = whole(1, 65_535, "a port, 1 to 65535");
/** An `endPort` of 0 is none, as upstream. */
export const ports = z.array(fields({ port, endPort: whole(0, 65_535, "a port, 1 to 65535, or 0 for none").optional() }));
