import type { Listed, Listing, Reading, Root } from "../facts.ts";
import { refuseConflict } from "./json.ts";

const LONGEST = 8 * 2 ** 20;

/**
 * pom.xml: dependencies with a version, and properties of the same file put in. What a parent or a bill of materials sets is not in the file, and what
 * others bring is known to Maven alone: that is said.
 */
export function readPom(source: string): Reading {
  refuseConflict(source);
  const text = withoutComments(source.slice(0, LONGEST));
  const properties = propertiesOf(text);
  const packages: Listed[] = [];
  const roots: Root[] = [];
  let open = 0;
  for (const { block, line } of blocks(text, "dependency")) {
    const [group, artifact, version] = ["groupId", "artifactId", "version"].map((tag) => filled(inner(block, tag), properties));
    if (!group || !artifact) continue;
    if (!version || /[${}[\](),\s]/.test(version)) {
      open++;
      continue;
    }
    const scope = inner(block, "scope") === "test" ? ("development" as const) : ("production" as const);
    roots.push({ ecosystem: "Maven", name: `${group}:${artifact}`, range: version, group: scope, target: packages.length, line });
    packages.push({ ecosystem: "Maven", name: `${group}:${artifact}`, version, line, group: scope });
  }
  const detail = `${open === 0 ? "" : `${open} dependencies have versions that are set elsewhere, and `}what its dependencies bring is not in the file; give a bill of materials of the build`;
  const listing: Listing = { format: "pom.xml", tool: "maven", role: "manifest", subject: null, packages, roots };
  return { listings: [listing], gaps: packages.length + open === 0 ? [] : [{ reason: "declared_only", detail, matters: false }] };
}

function* blocks(text: string, tag: string): Iterable<{ block: string; line: number }> {
  let line = 1;
  let counted = 0;
  for (let at = text.indexOf(`<${tag}>`); at >= 0; ) {
    const end = text.indexOf(`</${tag}>`, at);
    if (end < 0) return;
    for (let next = text.indexOf("\n", counted); next >= 0 && next < at; next = text.indexOf("\n", counted)) {
      line++;
      counted = next + 1;
    }
    yield { block: text.slice(at, Math.min(end, at + 10_000)), line };
    at = text.indexOf(`<${tag}>`, end);
  }
}

function inner(block: string, tag: string): string {
  // Exclusions name packages that are left out.
  const start = block.indexOf(`<${tag}>`);
  const exclusions = block.indexOf("<exclusions>");
  if (start < 0 || (exclusions >= 0 && start > exclusions && start < block.indexOf("</exclusions>"))) return "";
  const end = block.indexOf(`</${tag}>`, start);
  return end < 0
    ? ""
    : block
        .slice(start + tag.length + 2, end)
        .trim()
        .slice(0, 300);
}

function propertiesOf(text: string): ReadonlyMap<string, string> {
  const start = text.indexOf("<properties>");
  const end = text.indexOf("</properties>", start);
  if (start < 0 || end < 0) return new Map();
  const found = new Map<string, string>();
  for (const [, name = "", value = ""] of text.slice(start, end).matchAll(/<([\w.-]{1,100})>([^<]{0,200})<\//g)) found.set(name, value.trim());
  return found;
}

/** One step: a property that is made of others stays open. */
function filled(text: string, properties: ReadonlyMap<string, string>): string {
  return text.replace(/\$\{([\w.-]{1,100})\}/g, (whole, name: string) => properties.get(name) ?? whole);
}

function withoutComments(text: string): string {
  const parts: string[] = [];
  let from = 0;
  for (let start = text.indexOf("<!--"); start >= 0; start = text.indexOf("<!--", from)) {
    const end = text.indexOf("-->", start);
    const stop = end < 0 ? text.length : end + 3;
    parts.push(text.slice(from, start), text.slice(start, stop).replace(/[^\n]/g, " "));
    from = stop;
  }
  return [...parts, text.slice(from)].join("");
}
