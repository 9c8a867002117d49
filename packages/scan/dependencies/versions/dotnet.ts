import type { VersionScheme } from "./scheme.ts";

/** NuGet: SemVer 2.0 with an optional fourth number, absent numbers are 0, labels without regard to case. https://learn.microsoft.com/nuget/concepts/package-versioning */
export const dotnet: VersionScheme = {
  valid: (version) => version.length <= 128 && PATTERN.test(version),
  compare,
};

const PATTERN = /^v?(\d{1,10}(?:\.\d{1,10}){0,3})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;

function parse(version: string): { numbers: number[]; labels: string[] } {
  const [, numbers = "0", labels] = PATTERN.exec(version) ?? [];
  const four = [...numbers.split(".").map(Number), 0, 0, 0].slice(0, 4);
  return { numbers: four, labels: labels === undefined ? [] : labels.toLowerCase().split(".") };
}

function compare(a: string, b: string): number {
  const left = parse(a);
  const right = parse(b);
  for (const [i, number] of left.numbers.entries()) {
    const other = right.numbers[i] ?? 0;
    if (number !== other) return number - other;
  }
  if (left.labels.length === 0 || right.labels.length === 0) return Number(right.labels.length > 0) - Number(left.labels.length > 0);
  for (let i = 0; i < Math.max(left.labels.length, right.labels.length); i++) {
    const l = left.labels[i];
    const r = right.labels[i];
    if (l === undefined || r === undefined) return l === undefined ? -1 : 1;
    if (l === r) continue;
    const numeric = [/^\d+$/.test(l), /^\d+$/.test(r)];
    if (numeric[0] && numeric[1]) return Number(l) - Number(r) || 0;
    if (numeric[0] !== numeric[1]) return numeric[0] ? -1 : 1;
    return l < r ? -1 : 1;
  }
  return 0;
}
