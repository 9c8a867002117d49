import type { Severity } from "@plastron/contracts";
import { SEVERITIES } from "@plastron/contracts";
import { CHECKS, type Judgement } from "./checks/index.ts";
import { entropyOf } from "./entropy.ts";
import { KeywordScanner } from "./keywords.ts";
import { longest } from "./pattern.ts";
import { isPlaceholder } from "./placeholder.ts";
import type { Detector } from "./rule.ts";
import { type Value, valueAfter } from "./value.ts";

/** A secret where it stands in one text. */
export interface Hit {
  readonly detector: Detector;
  readonly start: number;
  readonly end: number;
  readonly secret: string;
  readonly severity: Severity;
  readonly confidence: "high" | "medium" | "low";
  readonly proved: boolean;
  readonly notes: readonly string[];
}

/** What may still be spent on one file, in characters looked at; shared by all its layers. Below zero: it was not looked at to its end. */
export interface Budget {
  left: number;
  hits: number;
}

interface Ready {
  readonly detector: Detector;
  readonly pattern: RegExp;
  readonly cost: number;
  /** What each keyword is without `_`, for the rest of its name. */
  readonly nears: readonly string[];
}

/** All detectors, made ready to look through texts in one pass. */
export class Detection {
  private readonly scanner: KeywordScanner;
  private readonly words: string[] = [];
  private readonly wanted: Ready[][] = [];

  constructor(detectors: readonly Detector[]) {
    const places = new Map<string, number>();
    for (const detector of detectors) {
      const ready = readyFor(detector);
      for (const word of new Set(detector.keywords.flatMap((keyword) => spellings(keyword.toLowerCase(), detector)))) {
        if (!places.has(word)) places.set(word, this.words.push(word) - 1);
        const place = places.get(word)!;
        this.wanted[place] ??= [];
        this.wanted[place].push(ready);
      }
    }
    this.scanner = new KeywordScanner(this.words);
  }

  /** Everything that any detector says of this text, overlapping ones included; `path` is for what checks say of places. */
  find(text: string, path: string, now: number, budget: Budget): Hit[] {
    const hits: Hit[] = [];
    const past = new Map<Detector, number>();
    this.scanner.scan(text, (word, start) => {
      for (const ready of this.wanted[word]!) {
        if ((past.get(ready.detector) ?? -1) > start) continue;
        budget.left -= ready.cost;
        if (budget.left < 0 || hits.length >= budget.hits) return false;
        const hit = attempt(ready, { text, path, now, start, length: this.words[word]!.length });
        if (hit === null) continue;
        past.set(ready.detector, hit.end);
        hits.push(hit);
      }
      return true;
    });
    budget.hits -= hits.length;
    if (budget.hits <= 0) budget.left = Math.min(budget.left, -1);
    return hits;
  }
}

interface Spot {
  readonly text: string;
  readonly path: string;
  readonly now: number;
  readonly start: number;
  readonly length: number;
}

function readyFor(detector: Detector): Ready {
  const flags = `d${detector.ignore_case ? "i" : ""}${detector.form === "around" ? "g" : "y"}`;
  return {
    detector,
    pattern: new RegExp(detector.pattern, flags),
    cost: (longest(detector.pattern) ?? 0) + detector.reach + 8 + (detector.checks.includes("pem") ? 2000 : 0),
    nears: detector.near.map((word) => word.toLowerCase()),
  };
}

/** `api_key` as names have it; other forms' keywords are text. */
function spellings(keyword: string, { form }: Detector): string[] {
  return form === "assigned" && keyword.includes("_") ? ["_", "-", "", ".", " "].map((joint) => keyword.replaceAll("_", joint)) : [keyword];
}

function attempt(ready: Ready, spot: Spot): Hit | null {
  const { detector } = ready;
  const value = detector.form === "assigned" ? valueAfter(spot.text, spot.start, spot.length) : null;
  if (detector.form === "assigned" && (value === null || detector.not_names.some((word) => value.name.toLowerCase().includes(word)))) return null;
  const span = value === null ? spanOf(ready, spot) : spanOfValue(ready, spot.text, value);
  if (span === null || !isNear(ready, spot)) return null;
  return judge(detector, spot, span, value);
}

/** The secret's first and last place, of a pattern that begins at the keyword, or in its reach. */
function spanOf({ detector, pattern, cost }: Ready, { text, start }: Spot): [number, number] | null {
  if (detector.form === "token") {
    if (wordy(text, start) && isWordUnit(text.charCodeAt(start)) && !isEscape(text, start)) return null;
    pattern.lastIndex = start;
    const found = pattern.exec(text);
    return found === null || wordAt(text, found.index + found[0].length, found[0]) ? null : secretIn(found, 0);
  }
  const from = Math.max(0, start - detector.reach);
  const window = text.slice(from, start + cost);
  pattern.lastIndex = 0;
  for (let found = pattern.exec(window); found !== null; found = pattern.exec(window)) {
    const [begin, end] = [found.index, found.index + found[0].length];
    if (begin + from > start) return null;
    if (end + from > start && !(wordy(text, begin + from) && isWordUnit(window.charCodeAt(begin))) && !wordAt(text, end + from, found[0]))
      return secretIn(found, from);
    if (end === begin) pattern.lastIndex += 1;
  }
  return null;
}

/** The pattern is the whole value: `key = "<that>"`, or all of it up to a blank. */
function spanOfValue({ pattern }: Ready, text: string, { start, end }: Value): [number, number] | null {
  const value = text.slice(start, end);
  pattern.lastIndex = 0;
  const found = pattern.exec(value);
  return found === null || !/^(?:$|[\s\\])/.test(value.slice(found[0].length, found[0].length + 1)) ? null : secretIn(found, start);
}

function secretIn(found: RegExpExecArray, from: number): [number, number] {
  const [start, end] = found.indices?.groups?.secret ?? found.indices![0]!;
  return [start + from, end + from];
}

const isWordUnit = (unit: number): boolean => (unit >= 97 && unit <= 122) || (unit >= 65 && unit <= 90) || (unit >= 48 && unit <= 57) || unit === 95;
/** Whether the character before is a letter: then what begins here begins earlier. */
const wordy = (text: string, at: number): boolean => at > 0 && (isWordUnit(text.charCodeAt(at - 1)) || text.charCodeAt(at - 1) === 45);
/** `\nghp_…`: the letter before belongs to a backslash. `--token=-x` aside, a dash joins words. */
const isEscape = (text: string, at: number): boolean => at > 1 && text[at - 2] === "\\" && /[nrt]/.test(text[at - 1]!);

/** Whether a word goes on where the match ends. */
function wordAt(text: string, end: number, matched: string): boolean {
  return end < text.length && isWordUnit(text.charCodeAt(end)) && isWordUnit(matched.charCodeAt(matched.length - 1));
}

function isNear({ nears }: Ready, { text, start }: Spot): boolean {
  if (nears.length === 0) return true;
  const around = text.slice(Math.max(0, start - 300), start + 300).toLowerCase();
  return nears.some((word) => around.includes(word));
}

function judge(detector: Detector, { text, path, now }: Spot, [start, first]: [number, number], value: Value | null): Hit | null {
  let end = first;
  let { severity, confidence } = detector;
  let proved = false;
  let genuine = false;
  const notes: string[] = [];
  const secret = text.slice(start, end);
  if (detector.entropy > 0 && entropyOf(secret) < detector.entropy) return null;
  for (const name of detector.checks) {
    const { name: of = "", quote = "", operator = "" } = value ?? {};
    const verdict: Judgement = CHECKS[name]!({ secret, text, start, end: first, path, name: of, quote, operator, now });
    if (verdict === "no") return null;
    proved ||= verdict.proved ?? false;
    genuine ||= verdict.genuine ?? false;
    if (verdict.severity !== undefined) severity = lower(severity, verdict.severity);
    if (verdict.confidence !== undefined) confidence = lesser(confidence, verdict.confidence);
    if (verdict.note !== undefined) notes.push(verdict.note);
    end = Math.max(end, verdict.end ?? end);
  }
  if (!proved && !genuine && isPlaceholder(body(secret, detector))) return null;
  return { detector, start, end, secret: text.slice(start, end), severity, confidence, proved, notes };
}

/** Without the prefix that all of its kind have: `secret_` of a provider is no placeholder's word. */
function body(secret: string, { form, keywords }: Detector): string {
  if (form !== "token") return secret;
  const prefix = keywords.find((keyword) => secret.toLowerCase().startsWith(keyword.toLowerCase())) ?? "";
  return prefix.length < secret.length / 2 ? secret.slice(prefix.length) : secret;
}

const CONFIDENCES = ["high", "medium", "low"] as const;
export const lower = (a: Severity, b: Severity): Severity => SEVERITIES[Math.max(SEVERITIES.indexOf(a), SEVERITIES.indexOf(b))]!;
export const lesser = (a: Hit["confidence"], b: Hit["confidence"]): Hit["confidence"] => CONFIDENCES[Math.max(CONFIDENCES.indexOf(a), CONFIDENCES.indexOf(b))]!;
