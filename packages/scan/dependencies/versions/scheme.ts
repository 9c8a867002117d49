/** How one ecosystem orders its versions. */
export interface VersionScheme {
  valid(version: string): boolean;
  /** Of two valid ones: below, at or above 0. */
  compare(a: string, b: string): number;
  /** Equal versions have one spelling: `1.0` and `1.0.0` of PyPI. */
  canonical(version: string): string;
}
