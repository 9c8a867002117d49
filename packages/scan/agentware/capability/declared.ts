import type { Place } from "@plastron/contracts";
import type { ScanFile } from "../../analyser.ts";
import type { Block } from "../document/model.ts";
import { inWords } from "../hidden/visible.ts";
import type { Capability, Claim } from "./claim.ts";

const MANIFESTS = /(?:^|\/)(?:SKILL\.md|(?:[\w.-]+\.)?plugin\.json|skill\.json|manifest\.(?:json|ya?ml)|package\.json)$/i;
/** Below one of these, `network: false` is a promise. */
const PERMISSIONS = /^(?:permissions?|capabilities|sandbox|security|access)$/i;
const NO = /^(?:false|no|none|never|deny|denied|disabled|off|forbidden)$/i;
const READS_ONLY = /^(?:read|ro|read[-_ ]?only)$/i;
const NAMES: readonly (readonly [RegExp, Capability])[] = [
  [/^(?:network|internet|net|http|outbound|egress)$/i, "network"],
  [/^(?:shell|exec|execute|process|processes|subprocess|commands?|child_process|run)$/i, "exec"],
  [/^(?:write|filesystem[-_]?write|write[-_]?files?|file[-_]?write|fs[-_]?write)$/i, "write"],
];
const FILES = /^(?:filesystem|fs|files?|disk)$/i;
const SHELL_TOOLS = /\b(?:Bash|Execute|Shell|Terminal|run_?command|exec|process|computer)\b|\*/i;
const WRITE_TOOLS = /\b(?:Write|Edit|MultiEdit|NotebookEdit|create_?file|str_replace\w*|apply_?patch)\b|\*/i;
const DIFY = ["tool", "model", "node", "endpoint", "app", "storage"];

/** What a manifest or a skill's front matter declares that its code does not do. Silence declares nothing. */
export function declaredIn({ path }: Pick<ScanFile, "path">, blocks: readonly Block[], text: string, placeOf: (start: number, end: number) => Place): Claim[] {
  if (!MANIFESTS.test(path)) return [];
  const values = blocks.filter(({ kind, section }) => (kind === "value" || kind === "description") && section.length > 0).slice(0, 5000);
  const claim = (kind: Claim["kind"], denies: readonly Capability[], at: Block, names: readonly string[] = []): Claim => ({
    ...{ kind, denies, names, detail: `${at.section.filter((key) => !/^\d+$/.test(key)).join(".")}: ${inWords(at.text, 120)}` },
    place: placeOf(at.start, at.start + Math.max(1, at.text.length)),
  });
  return [...refused(values, claim), ...toolsOf(values, claim), ...difyOf(path, values, claim), ...environmentOf(values, text, claim)];
}

type Make = (kind: Claim["kind"], denies: readonly Capability[], at: Block, names?: readonly string[]) => Claim;

/** `permissions: {network: false, filesystem: read}`. */
function refused(values: readonly Block[], claim: Make): Claim[] {
  return values.flatMap((each) => {
    const key = each.section.at(-1) as string;
    if (!each.section.slice(0, -1).some((name) => PERMISSIONS.test(name))) return [];
    const named = NAMES.find(([pattern]) => pattern.test(key))?.[1];
    if (named && NO.test(each.text)) return [claim("refuses", [named], each)];
    return FILES.test(key) && (NO.test(each.text) || READS_ONLY.test(each.text)) ? [claim("refuses", ["write"], each)] : [];
  });
}

/** `allowed-tools: Read, Grep`: what is listed asks for no shell. */
function toolsOf(values: readonly Block[], claim: Make): Claim[] {
  const listed = values.filter(({ section }) => /^allowed[-_]?tools$/i.test(section[0] ?? ""));
  const all = listed.map(({ text }) => text).join(", ");
  const [first] = listed;
  // Tools of a server of its own may do anything.
  if (!first || all.trim() === "" || /\bmcp__|\bTask\b/.test(all) || SHELL_TOOLS.test(all)) return [];
  return [claim("leaves-out", WRITE_TOOLS.test(all) ? ["exec"] : ["exec", "write"], { ...first, text: all })];
}

/** A Dify plugin may use of its host what `resource.permission` enables. */
function difyOf(path: string, values: readonly Block[], claim: Make): Claim[] {
  if (!/(?:^|\/)manifest\.ya?ml$/.test(path)) return [];
  const at = values.find(({ section, text }) => section.length === 1 && section[0] === "type" && text === "plugin");
  if (!at) return [];
  const of = (name: string) => values.filter(({ section }) => section[0] === "resource" && section[1] === "permission" && section[2] === name);
  const denied = DIFY.filter((name) => !of(name).some(({ section, text }) => section[3] === "enabled" && text === "true"));
  return denied.map((name) => claim("leaves-out", [`dify-${name}`], of(name)[0] ?? { ...at, section: ["resource", "permission", name], text: "not enabled" }));
}

/** A skill that lists the variables it needs (`metadata.openclaw.requires.env`) reads no further secret; one that its text names is told as well. */
function environmentOf(values: readonly Block[], text: string, claim: Make): Claim[] {
  const ours = values.filter(({ section }) => section[0] === "metadata" && section.includes("requires"));
  const at = ours.find(({ section }) => section.includes("env")) ?? ours[0];
  return at ? [claim("leaves-out", ["environment"], at, [...new Set(text.match(/\b[A-Z][A-Z0-9_]{3,60}\b/g) ?? [])].slice(0, 500))] : [];
}
