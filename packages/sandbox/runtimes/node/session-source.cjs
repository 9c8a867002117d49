"use strict";
/**
 * Programs for a session may be written as modules, but V8's REPL mode knows scripts only: `import` declarations at the top
 * level become `const … = await load("…")`, and `import(…)` becomes `load(…)`. Everything else is left as it is, and lines
 * keep their numbers. Strings, templates, comments and regular expressions are skipped, so that text is never rewritten.
 */

const TOKEN =
  /\/\/.*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'|\/(?![*/])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*|[A-Za-z_$][\w$]*|\d[\w.]*|\s+|[\s\S]/y;
const DECLARATION = /import\s*(?:([\w$\s{},*"'-]+?)\s*from\s*)?(["'])((?:(?!\2)[^\n\\])+)\2(?:\s*with\s*\{[^}]*\})?[ \t]*;?/y;
const BEFORE_REGEXP = new Set("return typeof case in of delete void throw new instanceof else do await yield".split(" "));

/** `source` with its imports made into calls of the function named `load`. */
function withoutImports(source, load) {
  if (!source.includes("import")) return source;
  const scan = { source, load, at: 0, out: "", last: "", braces: [] };
  while (scan.at < source.length) step(scan);
  return scan.out;
}

function step(scan) {
  const { source, at, last } = scan;
  if (source[at] === "`" || (source[at] === "}" && scan.braces.at(-1) === "`")) return template(scan);
  let token = tokenAt(source, at);
  if (token.length > 1 && /^\/[^*/]/.test(token) && endsValue(last)) token = "/"; // a division
  if (token === "import" && last !== ".") {
    const declaration = scan.braces.length === 0 ? match(DECLARATION, source, at) : null;
    if (declaration) return emit(scan, declaration[0], declare(declaration, scan.load));
    if (/^import\s*\(/.test(source.slice(at, at + 200))) return emit(scan, token, scan.load);
  }
  if ("{([".includes(token)) scan.braces.push(token);
  if ("})]".includes(token)) scan.braces.pop();
  emit(scan, token, token);
}

function emit(scan, token, text) {
  scan.at += token.length;
  scan.out += text;
  if (!/^(\s|\/\/|\/\*)/.test(token)) scan.last = token;
}

/** The characters of a template, up to its end or to `${`, whose expression is then read as code until its `}`. */
function template(scan) {
  const { source, at } = scan;
  if (source[at] === "}") scan.braces.pop();
  let end = at + 1;
  while (end < source.length && source[end] !== "`" && !source.startsWith("${", end)) end += source[end] === "\\" ? 2 : 1;
  const opens = source.startsWith("${", end);
  const text = source.slice(at, end + (opens ? 2 : 1));
  if (opens) scan.braces.push("`");
  emit(scan, text, text);
  scan.last = opens ? "{" : "`";
}

function declare([text, clause, quote, name], load) {
  const call = `await ${load}(${quote}${name}${quote})`;
  const lines = "\n".repeat(text.split("\n").length - 1);
  if (clause === undefined) return `${call};${lines}`;
  const names = /\{([\s\S]*)\}/.exec(clause)?.[1];
  const space = /\*\s*as\s+([\w$]+)/.exec(clause)?.[1];
  const usual = /^\s*([\w$]+)\s*(?:,|$)/.exec(clause)?.[1];
  const parts = [];
  if (space !== undefined) parts.push(`${space} = ${call}`);
  const picked = (names ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean);
  const fields = picked.map((part) => part.replace(/\s+as\s+/, ": ").replaceAll("\n", " "));
  if (usual !== undefined) fields.unshift(`default: ${usual}`);
  if (fields.length > 0 || space === undefined) parts.push(`{ ${fields.join(", ")} } = ${call}`);
  return `const ${parts.join(", ")};${lines}`;
}

function endsValue(last) {
  return last !== "" && !BEFORE_REGEXP.has(last) && /[\w$)\]}"'`]$/.test(last);
}

function tokenAt(source, at) {
  return match(TOKEN, source, at)[0];
}

function match(pattern, source, at) {
  pattern.lastIndex = at;
  return pattern.exec(source);
}

module.exports = { withoutImports };
