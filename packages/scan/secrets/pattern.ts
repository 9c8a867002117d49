/**
 * How long a match of a regular expression can get. What cannot be said (an unbounded repetition, a back-reference) is null, and no pattern of a
 * detector: hostile text must not decide how long we look at it.
 */
export function longest(source: string): number | null {
  const reader = { source, at: 0 };
  try {
    const length = alternatives(reader);
    return reader.at === source.length && Number.isFinite(length) ? length : null;
  } catch {
    return null;
  }
}

interface Reader {
  readonly source: string;
  at: number;
}

function alternatives(reader: Reader): number {
  let most = sequence(reader);
  while (reader.source[reader.at] === "|") {
    reader.at += 1;
    most = Math.max(most, sequence(reader));
  }
  return most;
}

function sequence(reader: Reader): number {
  let sum = 0;
  while (reader.at < reader.source.length && reader.source[reader.at] !== "|" && reader.source[reader.at] !== ")") {
    const one = atom(reader);
    sum += one * times(reader);
  }
  return sum;
}

function atom(reader: Reader): number {
  const rest = reader.source.slice(reader.at);
  if (rest[0] === "(") return group(reader, rest);
  if (rest[0] === "[") return take(reader, /^\[(?:\\.|[^\]\\])*\]/s, rest, 1);
  if (/^\\[1-9k]/.test(rest)) throw new Error("a back-reference");
  if (/^\\[bB]/.test(rest)) return take(reader, /^\\[bB]/, rest, 0);
  if (rest[0] === "\\") return take(reader, /^\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)/s, rest, 1);
  if (rest[0] === "^" || rest[0] === "$") return take(reader, /^[\^$]/, rest, 0);
  if (/^[*+?{}]/.test(rest)) throw new Error("a repetition of nothing");
  return take(reader, /^./s, rest, 1);
}

function group(reader: Reader, rest: string): number {
  const opening = /^\((?:\?(?:[:=!]|<[=!]|<[A-Za-z]\w*>))?/.exec(rest)![0];
  reader.at += opening.length;
  const inner = alternatives(reader);
  if (reader.source[reader.at] !== ")") throw new Error("an open group");
  reader.at += 1;
  return /^\(\?<?[=!]/.test(opening) ? 0 : inner;
}

function times(reader: Reader): number {
  const found = /^(?:\?|\{(\d+)(,(\d*))?\})\??/.exec(reader.source.slice(reader.at));
  if (found === null) {
    if (/^[*+]/.test(reader.source.slice(reader.at))) throw new Error("unbounded");
    return 1;
  }
  reader.at += found[0].length;
  if (found[0].startsWith("?")) return 1;
  if (found[3] === "") throw new Error("unbounded");
  return Number(found[3] ?? found[1]);
}

function take(reader: Reader, what: RegExp, rest: string, length: number): number {
  const found = what.exec(rest);
  if (found === null) throw new Error("not understood");
  reader.at += found[0].length;
  return length;
}
