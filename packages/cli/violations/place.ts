/** A policy whose text the person has: a file's, or a stored one's. */
export interface PolicySource {
  name: string;
  text: string;
}

/** Where each of these paths stands in the policy: `strict.yaml:14`. Paths that are not in it (the floor's) are left out. */
export async function placesIn(source: PolicySource, paths: Iterable<string>): Promise<Map<string, string>> {
  const { parsePolicy } = await import("@plastron/policy");
  const found = new Map<string, string>();
  try {
    const { positions } = parsePolicy(source.text, { upstreamCompat: true });
    for (const path of paths) {
      const place = positions.get(path);
      if (place) found.set(path, `${source.name}:${place.line}`);
    }
  } catch {
    // It ran, so the server reads it; this command line may be older.
  }
  return found;
}
