/** Paths are written as a reader of the YAML would: `spec.target.selector.matchLabels["app.kubernetes.io/name"]`, `rules[0]`. */
export function member(path: string, key: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

export function pathOf(parts: readonly PropertyKey[]): string {
  return parts.reduce<string>((path, part) => (typeof part === "number" ? `${path}[${part}]` : member(path, String(part))), "");
}
