import type { Order } from "../../orders/order.ts";
import { fieldOf, type Notes, unenforced } from "../notes.ts";
import { type Line, readLine } from "./rule.ts";
import { type Statement, statementsOf } from "./statements.ts";

interface RawText {
  rules: string;
  targets?: string[] | undefined;
}

/** How many rules one text may have, and how many paths they may stand for in all. */
export const MAX_STATEMENTS = 1000;
export const MAX_INTENTS = 4096;

/**
 * appArmorRawRules: text that upstream hands to AppArmor unread. Under a profile that allows by default a line that denies becomes
 * an order, one that only audits is recorded, and one that allows says nothing. What is not of the common subset becomes a row
 * with its own text and the reason.
 */
export function appArmorOrders(texts: readonly RawText[], base: string, notes: Notes): Order[] {
  return texts.flatMap(({ rules, targets = [] }, i) => {
    const path = `${base}[${i}].rules`;
    const note = `it holds for every program of the sandbox, and not only for ${targets.join(", ")}`;
    const orders = ordersOf(statementsOf(rules), path, notes);
    return targets.length === 0 ? orders : orders.map((order) => ({ ...order, notes: [...(order.notes ?? []), note] }));
  });
}

/** Statements that deny or audit, as orders. The others become rows. */
export function ordersOf(statements: readonly Statement[], path: string, notes: Notes): Order[] {
  if (statements.length > MAX_STATEMENTS) {
    notes.wrong(path, `has ${statements.length} rules; it may have ${MAX_STATEMENTS}`);
    return [];
  }
  let intents = 0;
  return statements.flatMap((statement): Order[] => {
    const line = readLine(statement.text);
    const refuse = (why: string) => {
      notes.rows.push(rowOf(statement, path, why));
      return [];
    };
    if (statement.kind === "include") return refuse("there are no files to include from");
    if (statement.kind !== "rule") return refuse("blocks belong into a profile, not among rules");
    if (!line.deny && !line.audit) return refuse(allowing(line));
    if ("unsupported" in line.meaning) return refuse(line.meaning.unsupported);
    intents += line.meaning.intents.length;
    if (intents > MAX_INTENTS) return refuse(`the text stands for more than ${MAX_INTENTS} paths`);
    return [orderOf(line, line.meaning, statement, path)];
  });
}

function orderOf(line: Line, meaning: Exclude<Line["meaning"], { unsupported: string }>, statement: Statement, path: string): Order {
  const said = meaning.notes.length > 0 ? { notes: meaning.notes } : {};
  return { rule: nameOf(statement, path), path, enforcer: "AppArmor", deny: line.deny, audit: line.audit, intents: meaning.intents, ...said };
}

/** A rule that allows takes nothing away, whether or not it was understood. */
function allowing({ meaning }: Line): string {
  const effect = "a rule that allows has no effect where everything is allowed that no rule denies";
  return "unsupported" in meaning ? `${meaning.unsupported}; and ${effect}` : effect;
}

/** `appArmorRawRules[0].rules:2`, the line within the text. */
function nameOf({ line }: Statement, path: string): string {
  return `${fieldOf(path)}:${line}`;
}

export function rowOf(statement: Statement, path: string, why: string) {
  const text = statement.text.length > 200 ? `${statement.text.slice(0, 200)}…` : statement.text;
  return unenforced(nameOf(statement, path), path, `${JSON.stringify(text)}: ${why}`);
}
