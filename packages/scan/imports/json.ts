/** JSON from anyone, looked at without trust: what is of another kind is as if it were absent. */
export interface Json {
  readonly [key: string]: unknown;
}

export function objectOf(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

export function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** A number that a line or a column can be; anything else is `otherwise`. */
export function positiveOf(value: unknown, otherwise: number): number {
  return Number.isSafeInteger(value) && (value as number) > 0 && (value as number) < 2 ** 31 ? (value as number) : otherwise;
}
