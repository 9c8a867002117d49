/** How one ecosystem orders its versions. */
export interface VersionScheme {
  valid(version: string): boolean;
  /** Of two valid ones: below, at or above 0. */
  compare(a: string, b: string): number;
}
