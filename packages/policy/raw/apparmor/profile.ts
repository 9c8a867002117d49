import type { Intent, Listed, Order, Permission } from "../../orders/order.ts";
import { CAPABILITIES } from "../capabilities.ts";
import { MOUNTS } from "../mounts.ts";
import type { Notes } from "../notes.ts";
import { PTRACE } from "../ptrace.ts";
import { DOMAINS, TYPES } from "../socket-names.ts";
import { BASE_FILES } from "./base.ts";
import { MAX_STATEMENTS, ordersOf, rowOf } from "./index.ts";
import { readLine } from "./rule.ts";
import { type Statement, statementsOf } from "./statements.ts";

interface Given {
  customProfile: string;
  /** appArmorRawRules of defenseInDepth: upstream appends them to the profile. */
  added: readonly { rules: string; targets?: string[] | undefined }[];
  /** Complain mode: what is not allowed passes and is recorded. */
  allowViolations: boolean;
}

/**
 * A whole AppArmor profile, which denies what it does not allow. Of that, capabilities, families of sockets, mounts, tracing,
 * files and programs become orders: whatever the profile leaves out is denied. Signals and other profiles are not enforced without
 * AppArmor, and rows say so. Its own `deny` lines hold as they are. `path` is that of defenseInDepth.appArmor.
 */
export function profileOrders({ customProfile, added, allowViolations }: Given, path: string, notes: Notes): Order[] {
  const at = `${path}.customProfile`;
  const statements = statementsOf(customProfile);
  const body = bodyOf(statements, at, notes);
  const more = added.flatMap(({ rules }, i) => statementsOf(rules).map((statement) => ({ statement, path: `${path}.appArmorRawRules[${i}].rules` })));
  const own = body.map((statement) => ({ statement, path: at }));
  if (own.length + more.length > MAX_STATEMENTS) {
    notes.wrong(at, `has ${own.length + more.length} rules; it may have ${MAX_STATEMENTS}`);
    return [];
  }
  const all = [...own, ...more].filter(({ statement }) => statement.kind === "rule");
  const denying = all.filter(({ statement }) => readLine(statement.text).deny);
  const allowed = all
    .filter(({ statement }) => !readLine(statement.text).deny)
    .map(({ statement, path }) => ({ statement, path, line: readLine(statement.text) }));
  for (const { statement, path, line } of allowed) if ("unsupported" in line.meaning) notes.rows.push(rowOf(statement, path, line.meaning.unsupported));
  for (const { statement, path } of [...own, ...more]) if (statement.kind === "include" && !isBase(statement)) notes.rows.push(rowOf(statement, path, UNREAD));
  const foreign = [...own, ...more].some(({ statement }) => statement.kind === "include" && !isBase(statement));
  const base = body.some((statement) => statement.kind === "include" && isBase(statement) && statement.text.includes("abstractions/base"));
  const files = listed(allowed.map(({ line }) => line));
  if (files.length === 0) notes.row(at, "names no file, and AppArmor itself would let none be opened: here files stay open, since nothing would start");
  const rest = foreign
    ? []
    : [
        ...complements(
          allowed.map(({ line }) => line),
          silenced(denying.map(({ statement }) => readLine(statement.text))),
        ),
        ...(files.length > 0 ? LISTS.map(({ name, permissions }) => ({ name, intents: listOf(permissions, [...files, ...(base ? BASE_FILES : [])]) })) : []),
      ];
  const orders = rest.map(
    ({ name, intents }): Order => ({ rule: `defenseInDepth.appArmor:${name}`, path: at, enforcer: "AppArmor", deny: !allowViolations, audit: true, intents }),
  );
  return [...orders, ...denying.flatMap(({ statement, path }) => ordersOf([statement], path, notes))];
}

const UNREAD = "what it includes is not read, so what the profile leaves out is not known, and only its deny lines are enforced";

/** They allow reading of libraries, signals and being traced, and neither capabilities, the network nor mounts. */
const isBase = ({ text }: Statement): boolean => /^include\s+(if exists\s+)?<(tunables\/[a-z/]+|abstractions\/base)>$/.test(text);

/** What stands in the first block; what stands in blocks of that one holds for other programs. */
function bodyOf(statements: readonly Statement[], path: string, notes: Notes): Statement[] {
  if (!statements.some(({ kind }) => kind === "open")) notes.wrong(path, "has no profile: it begins with `profile NAME {`");
  const body: Statement[] = [];
  let [depth, blocks] = [0, 0];
  for (const statement of statements) {
    if (statement.kind === "close") depth = Math.max(0, depth - 1);
    else if (statement.kind === "open") {
      if (depth === 0) blocks++;
      if (depth > 0 || blocks > 1) notes.rows.push(rowOf(statement, path, "a profile for other programs is not enforced: the first one holds for all"));
      depth++;
    } else if (depth === 1 && blocks === 1) body.push(statement);
    else if (depth === 0 && statement.kind === "include" && !isBase(statement)) body.push(statement);
  }
  return body;
}

type Allowed = ReturnType<typeof readLine>;

const LISTS: readonly { name: string; permissions: readonly Permission[] }[] = [
  { name: "file", permissions: ["read", "write", "append"] },
  { name: "exec", permissions: ["exec"] },
];

function listOf(permissions: readonly Permission[], files: readonly Listed[]): Intent[] {
  return [{ kind: "file-list", permissions, allowed: files.filter((file) => file.permissions.some((each) => permissions.includes(each))) }];
}

/** Files and programs that lines name. */
function listed(lines: readonly Allowed[]): Listed[] {
  return lines.flatMap(({ subject, meaning }) =>
    subject === "file" && "intents" in meaning ? meaning.intents.flatMap((intent) => (intent.kind === "file" ? [intent] : [])) : [],
  );
}

/** What is denied by a line of its own without `audit` is no news: nothing else of the profile is to record it. */
const silenced = (lines: readonly Allowed[]): Allowed[] => lines.filter(({ subject, audit }) => !audit && (subject === "network" || subject === "capability"));

/** Everything that no line speaks of, by kind. */
function complements(lines: readonly Allowed[], quiet: readonly Allowed[]): { name: string; intents: Intent[] }[] {
  const intentsOf = (subject: string) =>
    [...lines, ...quiet].filter((line) => line.subject === subject).flatMap(({ meaning }) => ("intents" in meaning ? meaning.intents : []));
  const allows = (subject: string) => lines.some((line) => line.subject === subject);
  const kept = new Set(intentsOf("capability").flatMap((intent) => (intent.kind === "capability" ? intent.names : [])));
  const names = CAPABILITIES.filter((name) => !kept.has(name));
  const mounts = allows("mount") || allows("remount") ? [] : [{ kind: "mount" as const, source: "**", fstype: "*", flags: MOUNTS }];
  const umounts = allows("umount") || allows("unmount") ? [] : [{ kind: "mount" as const, source: "**", fstype: "none", flags: ["umount" as const] }];
  return [
    { name: "capability", intents: names.length > 0 ? [{ kind: "capability" as const, names }] : [] },
    { name: "network", intents: otherSockets(intentsOf("network")) },
    { name: "mount", intents: [...mounts, ...umounts] },
    { name: "ptrace", intents: allows("ptrace") ? [] : [{ kind: "ptrace" as const, permissions: PTRACE, strict: true }] },
  ].filter(({ intents }) => intents.length > 0);
}

/** Families that no line names, and the other types of those named with one. Unix sockets are another kind of rule, which the base allows. */
function otherSockets(allowed: readonly Intent[]): Intent[] {
  const sockets = allowed.filter((intent) => intent.kind === "socket");
  if (sockets.some(({ families, types, protocols }) => families.length + types.length + protocols.length === 0)) return [];
  const families = Object.values(DOMAINS).filter((family) => family !== DOMAINS.unix);
  const typesOf = (family: number) => sockets.filter((each) => each.families.length === 0 || each.families.includes(family));
  const closed = families.filter((family) => typesOf(family).length === 0);
  const partly = families.flatMap((family): Intent[] => {
    const open = typesOf(family);
    if (open.length === 0 || open.some(({ types, protocols }) => types.length + protocols.length === 0)) return [];
    const kept = open.flatMap(({ types, protocols }) => (types.length > 0 ? types : protocols.includes(1) ? [TYPES.raw as number] : []));
    return [{ kind: "socket", families: [family], types: Object.values(TYPES).filter((type) => !kept.includes(type)), protocols: [] }];
  });
  return [...(closed.length > 0 ? [{ kind: "socket" as const, families: closed, types: [], protocols: [] }] : []), ...partly];
}
