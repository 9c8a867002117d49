/** Whether every name that `inner` stands for is one of `outer`: `*.example.com` is every name below example.com. */
export function coversHost(outer: string, inner: string): boolean {
  if (outer === "*" || outer === inner) return true;
  return outer.startsWith("*.") && inner.replace(/^\*/, "").endsWith(outer.slice(1)) && inner.length > outer.length - 1;
}

/** Whether there is a name that both stand for. */
export function meetsHost(a: string, b: string): boolean {
  return coversHost(a, b) || coversHost(b, a);
}
