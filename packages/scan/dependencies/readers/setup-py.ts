import type { SyntaxNode } from "@lezer/common";
import { parsePython } from "../../code/python/parse.ts";
import { parseable } from "../../code/python/text.ts";
import { cutAt, kids } from "../../code/python/tree.ts";
import { type Group, type Listing, type Reading, type ReadingGap, type Root, Unreadable } from "../facts.ts";
import { refuseConflict } from "./json.ts";
import { parseRequirement, rootOf } from "./requirement.ts";

const LONGEST = 2 ** 20;
const ASKED: ReadonlyMap<string, Group> = new Map([
  ["install_requires", "production"],
  ["extras_require", "optional"],
  ["setup_requires", "development"],
  ["tests_require", "development"],
]);

/** setup.py is a program, and none of it is run: what `setup()` is given as literals, or by names that a literal is bound to once, is read; the rest is said. */
export function readSetupPy(source: string): Reading {
  refuseConflict(source);
  if (!/\b(setuptools|distutils|skbuild)\b/.test(source.slice(0, LONGEST))) return { listings: [], gaps: [] };
  if (source.length > LONGEST) throw new Unreadable("too_large", "no honest setup.py is longer than a million characters");
  const text = parseable(source);
  const tree = parsePython(text);
  if (tree === null) throw new Unreadable("syntax_error", "this is not Python: the parser gave up on it");
  const script = new Script(text, tree.topNode);
  const call = script.setupCall();
  const roots = call === null ? [] : script.rootsOf(call);
  const gaps: ReadingGap[] = call === null || script.open > 0 ? [{ reason: "dynamic", detail: COMPUTED, matters: false }] : [];
  const listing: Listing = { format: "setup.py", tool: "pip", role: "manifest", subject: null, packages: [], roots };
  return { listings: roots.length === 0 ? [] : [listing], gaps };
}

const COMPUTED = "some of its dependencies are computed when it is run, which nobody does here: give a lock file, or `pip freeze` of an installation";
const DEEPEST = 40;

interface Written {
  readonly text: string;
  readonly at: number;
}

class Script {
  /** How often something stood there that is no literal. */
  open = 0;
  readonly #text: string;
  readonly #top: SyntaxNode;
  readonly #bound: ReadonlyMap<string, SyntaxNode | null>;

  constructor(text: string, top: SyntaxNode) {
    this.#text = text;
    this.#top = top;
    this.#bound = this.#bindings();
  }

  /** The first call of something named `setup`, wherever it stands. */
  setupCall(): SyntaxNode | null {
    const cursor = this.#top.cursor();
    do {
      if (cursor.name === "CallExpression" && /(^|\.)\s*setup$/.test(this.#of(cursor.node.firstChild).slice(-200))) return cursor.node;
    } while (cursor.next());
    return null;
  }

  rootsOf(call: SyntaxNode): Root[] {
    const list = kids(call.getChild("ArgList") ?? call).slice(1, -1);
    return cutAt(list, ",").flatMap((argument): Root[] => {
      const [name, equals, value] = argument;
      if (name?.name === "**") this.open++;
      const group = equals?.name === "AssignOp" && value ? ASKED.get(this.#of(name ?? null)) : undefined;
      return group === undefined || value === undefined ? [] : this.#strings(value, 0).flatMap((each) => this.#root(each, group));
    });
  }

  #root({ text, at }: Written, group: Group): Root[] {
    return text.split("\n").flatMap((one) => {
      const requirement = parseRequirement(one);
      if (requirement === null && one.trim() !== "" && !one.trim().startsWith("#")) this.open++;
      return requirement === null ? [] : [rootOf(requirement, group, this.#line(at))];
    });
  }

  /** All strings that a literal holds; of a dictionary its values. */
  #strings(node: SyntaxNode, depth: number): Written[] {
    if (depth > DEEPEST) return this.#unknown();
    const below = (nodes: readonly SyntaxNode[]) => nodes.flatMap((each) => this.#strings(each, depth + 1));
    const inner = () => kids(node).slice(1, -1);
    switch (node.name) {
      case "String":
      case "ContinuedString":
        return this.#string(node);
      case "ArrayExpression":
      case "TupleExpression":
      case "SetExpression":
      case "ParenthesizedExpression":
        return cutAt(inner(), ",").flatMap((part) => (part.length === 1 ? below(part) : this.#unknown()));
      case "DictionaryExpression":
        return cutAt(inner(), ",").flatMap((part) => (part[1]?.name === ":" && part[2] ? below([part[2]]) : this.#unknown()));
      case "BinaryExpression": {
        const [left, sign, right] = kids(node);
        return left && right && this.#of(sign ?? null) === "+" ? below([left, right]) : this.#unknown();
      }
      case "VariableName": {
        const value = this.#bound.get(this.#of(node));
        return value ? below([value]) : this.#unknown();
      }
      default:
        return this.#unknown();
    }
  }

  #string(node: SyntaxNode): Written[] {
    const parts = node.name === "ContinuedString" ? kids(node) : [node];
    let text = "";
    for (const part of parts) {
      const [, prefix = "", quote = "", inside = ""] = /^([a-zA-Z]{0,2})("""|'''|"|')([\s\S]*)\2$/.exec(this.#of(part)) ?? [];
      if (quote === "" || /[bf]/i.test(prefix) || inside.includes("\\")) return this.#unknown();
      text += inside;
    }
    return [{ text, at: node.from }];
  }

  #unknown(): Written[] {
    this.open++;
    return [];
  }

  /** Names of the module that are given a value once, and never changed by what we can see; null for others. */
  #bindings(): Map<string, SyntaxNode | null> {
    const bound = new Map<string, SyntaxNode | null>();
    for (const statement of kids(this.#top)) {
      if (statement.name !== "AssignStatement") continue;
      const [target, equals, value, more] = kids(statement);
      const name = this.#of(target ?? null);
      if (target?.name !== "VariableName" || equals?.name !== "AssignOp" || value === undefined || more !== undefined) continue;
      bound.set(name, bound.has(name) ? null : value);
    }
    const changed =
      /(?:^|[^\w.])([A-Za-z_]\w{0,80})(?:\.(?:append|extend|insert|remove|pop|clear|update|setdefault)\s*\(|\s*(?:\+=|\[[^\]\n]{0,200}\]\s*=[^=]))/g;
    for (const [, name = ""] of this.#text.matchAll(changed)) bound.set(name, null);
    return bound;
  }

  #of(node: SyntaxNode | null): string {
    return node === null ? "" : this.#text.slice(node.from, node.to);
  }

  #line(at: number): number {
    let line = 1;
    for (let next = this.#text.indexOf("\n"); next >= 0 && next < at; next = this.#text.indexOf("\n", next + 1)) line++;
    return line;
  }
}
