import { type Listed, type Listing, MOST_PACKAGES, type Need, type Reading, type ReadingGap, type Root } from "../facts.ts";
import { hashesOf, originOf } from "../origin.ts";
import { pythonName } from "../versions/python.ts";
import { refuseConflict } from "./json.ts";
import { parseRequirement, type Requirement } from "./requirement.ts";

interface Wish {
  readonly requirement: Requirement;
  readonly line: number;
  readonly hashes: readonly string[];
  /** Who needs it, as pip-compile and uv write behind it: `# via flask`. */
  readonly via: string[];
}

/** requirements.txt as pip reads it (https://pip.pypa.io/en/stable/reference/requirements-file-format/), with what pip-compile and uv write into its comments. */
export function readRequirements(source: string): Reading {
  refuseConflict(source);
  const gaps: ReadingGap[] = [];
  const includes: { path: string; constraint: boolean; line: number }[] = [];
  const wishes: Wish[] = [];
  let strange = 0;
  for (const { text, line } of logicalLines(source)) {
    const comment = text.length > 1000 ? null : /^#\s+(via\s+)?(.{1,200})$/.exec(text);
    if (comment) noteVia(wishes.at(-1), comment[1] !== undefined, comment[2] as string, /^#\s+via\s*$/.test(text));
    if (text.startsWith("#")) continue;
    const include = /^(?:-r|--requirement|-c|--constraint)[\s=]*(\S.*)$/.exec(text);
    if (include) includes.push({ path: (include[1] as string).slice(0, 500), constraint: /^-c|^--con/.test(text), line });
    else if (text.startsWith("-") && !/^(-e|--editable)[\s=]/.test(text)) continue;
    else {
      // The project itself, a directory, an archive beside it.
      if (/^(-e|--editable)?[\s=]*(\.|\/|file:)/.test(text)) continue;
      const wish = wishOf(text, line);
      if (wish && wishes.length < MOST_PACKAGES) wishes.push(wish);
      else strange++;
    }
  }
  if (strange > 0)
    gaps.push({ reason: "syntax_error", detail: `${strange} lines are no requirements, or name a file or an address without a name`, matters: true });
  const { packages, roots } = join(wishes);
  const locked = packages.length > 0 && packages.every(({ hashes }) => hashes !== undefined);
  const listing: Listing = { format: "requirements.txt", tool: "pip", role: locked ? "lock" : "manifest", subject: null, packages, roots, includes };
  return { listings: [listing], gaps };
}

function* logicalLines(source: string): Iterable<{ text: string; line: number }> {
  let begun: string[] = [];
  let start = 0;
  for (const [index, raw] of source.split("\n").entries()) {
    const line = raw.trimEnd();
    if (begun.length === 0) start = index + 1;
    if (line.endsWith("\\") && !line.trimStart().startsWith("#")) {
      begun.push(line.slice(0, -1));
      continue;
    }
    const text = [...begun, line].join(" ").trim();
    begun = [];
    if (text !== "") yield { text, line: start };
  }
  if (begun.length > 0) yield { text: begun.join(" ").trim(), line: start };
}

function wishOf(written: string, line: number): Wish | null {
  const cut = written.search(/\s#/);
  // Thousands of hashes are possible; what stands before them is short.
  const text = (cut < 0 ? written : written.slice(0, cut)).replace(/^(-e|--editable)[\s=]+/, "");
  const options = text.indexOf(" --");
  const bare = options < 0 ? text : text.slice(0, options);
  const hashes = options < 0 ? [] : [...text.slice(options).matchAll(/--hash[=\s]([a-z0-9]{1,10}:[0-9a-fA-F]{1,128})/g)].map(([, hash]) => hash as string);
  const egg = /[#&]egg=([A-Za-z0-9][\w.-]{0,200})/.exec(bare)?.[1];
  const requirement = egg ? { name: egg, range: "", pinned: "", url: bare } : parseRequirement(bare);
  const via = cut < 0 ? [] : (/\s#\s*via\s+(.*)$/.exec(written)?.[1] ?? "").split(/,\s*/).filter((each) => each !== "");
  return requirement && { requirement, line, hashes, via };
}

function noteVia(wish: Wish | undefined, begins: boolean, text: string, alone: boolean): void {
  if (wish === undefined || alone || wish.via.length > 1000) return;
  if (begins || wish.via.length > 0 || /^\s*\S+$/.test(text) || text.startsWith("-r ")) wish.via.push(...text.split(/,\s*/).map((each) => each.trim()));
}

/** What is pinned is a package; who asked for it is told by `via`, or it is what the file itself asks for. */
function join(wishes: readonly Wish[]): { packages: Listed[]; roots: Root[] } {
  const pinned = wishes.filter(({ requirement }) => requirement.pinned !== "" || requirement.url !== "");
  const indexes = new Map(pinned.map(({ requirement }, index) => [pythonName(requirement.name), index]));
  const needs = pinned.map((): Need[] => []);
  for (const [index, { via }] of pinned.entries()) for (const each of via) needs[indexes.get(pythonName(each)) ?? -1]?.push([index, ""]);
  const packages = pinned.map(({ requirement, line, hashes }, index): Listed => {
    const known = hashes.flatMap((hash) => hashesOf(hash)).slice(0, 4);
    const from = requirement.url === "" ? {} : vcsOrUrl(requirement.url);
    return {
      ecosystem: "PyPI",
      name: pythonName(requirement.name),
      version: requirement.pinned,
      line,
      needs: needs[index] ?? [],
      ...from,
      ...(known.length > 0 ? { hashes: known } : {}),
    };
  });
  const roots = wishes.flatMap((wish): Root[] => {
    const name = pythonName(wish.requirement.name);
    const target = indexes.get(name) ?? -1;
    const others = wish.via.filter((each) => indexes.has(pythonName(each)));
    const brought = wish.via.length > 0 && others.length === wish.via.length;
    return brought ? [] : [{ ecosystem: "PyPI", name, range: wish.requirement.range, group: "production", target, line: wish.line }];
  });
  return { packages, roots };
}

function vcsOrUrl(url: string): Pick<Listed, "origin" | "host"> {
  if (/^(git|hg|svn|bzr)\+/.test(url)) return { ...originOf(url), origin: "git" };
  return /^https?:/.test(url) ? { ...originOf(url), origin: "url" } : { origin: "path" };
}
