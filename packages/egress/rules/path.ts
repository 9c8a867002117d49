/**
 * What a request's path may mean to the server behind. Servers differ: some decode before they route, some remove dot segments,
 * some take `//` for `/`, a backslash for a slash, `;x` for nothing. A rule that denies holds if one meaning matches, in any case
 * of the letters; a rule that allows only if all of them do.
 */
export function meaningsOf(target: string): string[] {
  const raw = target.replace(/[?#].*$/s, "");
  const meanings = new Set([raw, withoutDots(raw)]);
  let decoded = raw;
  for (let i = 0; i < 4; i++) {
    const next = decodeOnce(decoded);
    if (next === decoded) break;
    decoded = next;
    meanings.add(withoutDots(decoded));
    meanings.add(flattened(decoded));
  }
  meanings.add(flattened(decoded));
  meanings.add(flattened(decoded.replace(/;[^/\\]*/g, "")));
  /* Decoded, a mark of the query may stand in it: what some servers cut off there. */
  meanings.add(flattened(decoded.replace(/[?#\0].*$/s, "")));
  return [...meanings];
}

function flattened(path: string): string {
  return withoutDots(path.replaceAll("\\", "/").replace(/\/{2,}/g, "/"));
}

/** Never fails: what is no escape stays, and bytes are taken one by one, which is enough to compare with ASCII paths. */
function decodeOnce(path: string): string {
  return path.replace(/%([0-9a-fA-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** RFC 3986, 5.2.4. */
function withoutDots(path: string): string {
  const out: string[] = [];
  const parts = path.split("/");
  parts.forEach((part, i) => {
    const last = i === parts.length - 1;
    if (part === "..") {
      if (out.length > 1) out.pop();
      if (last) out.push("");
    } else if (part === ".") {
      if (last) out.push("");
    } else out.push(part);
  });
  return out.join("/") || "/";
}
