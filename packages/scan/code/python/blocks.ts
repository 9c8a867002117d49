import type { SyntaxNode } from "@lezer/common";
import type { Expression, Pattern, Statement } from "../ir.ts";
import { type Lowering, opaque } from "./context.ts";
import { lowerCase } from "./patterns.ts";
import { bind } from "./scope.ts";
import { cutAt, indexOf, kids } from "./tree.ts";

/** The statements of the body at this place among a statement's parts. */
function block(l: Lowering, node: SyntaxNode | undefined): Statement[] {
  return node ? l.parts.statements(l, kids(node)) : [];
}

/** `if … elif … else`: each question stands in the other branch of the one before. */
export function lowerIf(l: Lowering, node: SyntaxNode, into: Statement[]): void {
  const all = kids(node);
  const branches: { test: Expression; body: Statement[]; from: number }[] = [];
  let otherwise: Statement[] = [];
  for (let i = 0; i < all.length; i++) {
    const word = all[i] as SyntaxNode;
    if (word.name === "else") otherwise = block(l, all[i + 1]);
    if (word.name !== "if" && word.name !== "elif") continue;
    const end = indexOf(all, "Body", i);
    const asked = all.slice(i + 1, end < 0 ? undefined : end);
    const test = l.parts.listed(l, asked, asked[0]?.from ?? word.from, asked.at(-1)?.to ?? word.to);
    branches.push({ test, body: end < 0 ? [] : block(l, all[end]), from: word.from });
  }
  // A long chain of `elif` is flat in the source and deep here: past this many the branches stand side by side.
  const nested = branches.slice(0, MAX_CHAIN);
  const aside = branches.slice(MAX_CHAIN).map(({ test, body, from }): Statement => ({ kind: "if", test, body, otherwise: [], at: from, end: node.to }));
  otherwise = [...aside, ...otherwise];
  for (const { test, body, from } of nested.reverse()) otherwise = [{ kind: "if", test, body, otherwise, at: from, end: node.to }];
  for (const each of otherwise) into.push(each);
}
const MAX_CHAIN = 60;

export function lowerWhile(l: Lowering, node: SyntaxNode, into: Statement[]): void {
  const all = kids(node);
  const end = indexOf(all, "Body");
  const asked = all.slice(1, end < 0 ? undefined : end);
  const test = asked.length === 0 ? null : l.parts.listed(l, asked, asked[0]?.from ?? node.from, asked.at(-1)?.to ?? node.to);
  into.push({ kind: "loop", test, each: null, body: block(l, all[end]), at: node.from, end: node.to });
  for (const each of otherwiseOf(l, all)) into.push(each);
}

export function lowerFor(l: Lowering, node: SyntaxNode, into: Statement[]): void {
  const all = kids(node);
  const [begin, middle, end] = [indexOf(all, "for"), indexOf(all, "in"), indexOf(all, "Body")];
  const over = all.slice(middle + 1, end < 0 ? undefined : end);
  if (middle < 0 || over.length === 0) {
    for (const each of block(l, all[end])) into.push(each);
    return;
  }
  const through = l.parts.listed(l, over, over[0]?.from ?? node.from, over.at(-1)?.to ?? node.to);
  const target = l.parts.pattern(l, all.slice(begin + 1, middle));
  into.push({ kind: "loop", test: null, each: { target, over: through, keys: false }, body: block(l, all[end]), at: node.from, end: node.to });
  for (const each of otherwiseOf(l, all)) into.push(each);
}

function otherwiseOf(l: Lowering, all: readonly SyntaxNode[]): Statement[] {
  const at = indexOf(all, "else");
  return at < 0 ? [] : block(l, all[at + 1]);
}

/** `with f() as a, g() as b:`, its items in brackets or not. What a context manager gives is taken for the manager itself. */
export function lowerWith(l: Lowering, node: SyntaxNode, into: Statement[]): void {
  const all = kids(node);
  const end = indexOf(all, "Body");
  const head = all.slice(indexOf(all, "with") + 1, end < 0 ? undefined : end);
  const body: Statement[] = cutAt(
    head.filter(({ name }) => name !== "⚠"),
    ",",
  ).map((part): Statement => {
    const place = { at: (part[0] as SyntaxNode).from, end: (part.at(-1) as SyntaxNode).to };
    const as = indexOf(part, "as");
    const value = l.parts.expression(l, part[0] as SyntaxNode);
    const bare = part.slice(as + 1).filter(({ name }) => name !== "⚠");
    if (as < 0 || bare.length === 0) return { kind: "expression", value, ...place };
    return { kind: "expression", value: { kind: "assign", target: l.parts.pattern(l, bare.slice(0, 1)), value, op: "=", ...place }, ...place };
  });
  into.push({ kind: "block", body: [...body, ...block(l, all[end])], at: node.from, end: node.to });
}

/** Several `except` are several ways on, of which any may be taken. */
export function lowerTry(l: Lowering, node: SyntaxNode, into: Statement[]): void {
  const all = kids(node);
  const place = { at: node.from, end: node.to };
  const handlers: { error: Pattern | null; body: Statement[] }[] = [];
  let [otherwise, last]: [Statement[], Statement[]] = [[], []];
  const body = block(l, all[indexOf(all, "Body")]);
  for (let i = 2; i < all.length; i++) {
    const word = all[i]?.name;
    const end = indexOf(all, "Body", i);
    if (word === "else") otherwise = block(l, all[end]);
    if (word === "finally") last = block(l, all[end]);
    if (word !== "except") continue;
    const as = indexOf(all.slice(0, end), "as", i);
    handlers.push({ error: as < 0 ? null : l.parts.pattern(l, all.slice(as + 1, as + 2)), body: block(l, all[end]) });
  }
  const ways = handlers.map(({ body }): Statement => ({ kind: "if", test: opaque(node), body, otherwise: [], ...place }));
  const [first] = handlers;
  const handler = handlers.length > 1 ? ways : (first?.body ?? null);
  into.push({ kind: "try", body: [...body, ...otherwise], error: first?.error ?? null, handler, finally: last, ...place });
}

/** The subject is kept, as every case may take it apart; a guard is a question within its case. */
export function lowerMatch(l: Lowering, node: SyntaxNode, into: Statement[]): void {
  const all = kids(node);
  const place = { at: node.from, end: node.to };
  const end = indexOf(all, "MatchBody");
  const subject = all.slice(1, end < 0 ? undefined : end);
  const id = bind(l, l.scope, `match@${node.from}`);
  const kept: Expression = { kind: "variable", id, ...place };
  const value = l.parts.listed(l, subject, subject[0]?.from ?? node.from, subject.at(-1)?.to ?? node.to);
  into.push({ kind: "expression", value: { kind: "assign", target: { kind: "variable", id, ...place }, value, op: "=", ...place }, ...place });
  const clauses = end < 0 ? [] : kids(all[end] as SyntaxNode).filter(({ name }) => name === "MatchClause");
  into.push({ kind: "switch", value: kept, cases: clauses.map((clause) => caseOf(l, clause, kept)), ...place });
}

function caseOf(l: Lowering, clause: SyntaxNode, subject: Expression): { tests: Expression[]; body: Statement[] } {
  const all = kids(clause);
  const place = { at: clause.from, end: clause.to };
  const { tests, binds, wild } = all[1] ? lowerCase(l, all[1]) : { tests: null, binds: null, wild: false };
  const guard = all.find(({ name }) => name === "Guard");
  const asked = guard ? kids(guard).at(-1) : undefined;
  const bound: Statement[] = binds ? [{ kind: "expression", value: { kind: "assign", target: binds, value: subject, op: "=", ...place }, ...place }] : [];
  const test = asked ? l.parts.expression(l, asked) : null;
  const inner = block(l, all[indexOf(all, "Body")]);
  const body: Statement[] = test ? [{ kind: "if", test, body: inner, otherwise: [], ...place }] : inner;
  return { tests: tests ?? (wild && !asked ? [] : [opaque(clause)]), body: [...bound, ...body, { kind: "leave", ...place }] };
}
