import { createHash } from "node:crypto";
import { type Frame, frameOf } from "./language/frames.ts";
import { Lexicon, lexiconSchema } from "./language/lexicon.ts";
import { Stances } from "./language/stance.ts";
import { Lists, listsSchema } from "./lists.ts";
import { Names } from "./names/lookalike.ts";
import { type AgentRule, agentRuleSchema, sharedFramesSchema } from "./rule.ts";

/** Everything of rules/agentware/ as values, made ready. */
export interface Pack {
  readonly rules: readonly AgentRule[];
  readonly frames: readonly Frame[];
  readonly lexicon: Lexicon;
  /** Ideas that are verbs: an order has one of them where orders have theirs. */
  readonly acts: ReadonlySet<number>;
  /** The idea of names of programs that commands of note begin with. */
  readonly commandWord: number;
  readonly stances: Stances;
  readonly lists: Lists;
  /** Letters of other alphabets that look like Latin ones. */
  readonly lookalikes: ReadonlyMap<string, string>;
  readonly npmNames: Names;
  readonly pypiNames: Names;
  readonly hostNames: Names;
  readonly digest: string;
}

/**
 * Documents of rules/agentware/ and rules/agentware/lexicon/, parsed from YAML, in any order: rules have an `id`, lexica a `lexicon`,
 * lists `lists`.
 * @throws ZodError where one of them is malformed; Error where a rule speaks of an idea that no lexicon has.
 */
export function packOf(documents: readonly unknown[]): Pack {
  const has = (key: string) => documents.filter((document) => typeof document === "object" && document !== null && key in document);
  const lists = new Lists(has("lists").map((document) => listsSchema.parse(document)));
  const lexicon = new Lexicon(
    has("lexicon").map((document) => lexiconSchema.parse(document)),
    new Set(lists.of("acts")),
  );
  const rules = has("id").map((document) => agentRuleSchema.parse(document));
  for (const rule of rules)
    for (const frame of rule.frames)
      for (const idea of [...frame.ideas, ...(frame.unless ?? [])].flatMap((text) => text.split("|")))
        if (!lexicon.has(idea.trim())) throw new Error(`${rule.id}: no lexicon has the idea ${idea}`);
  const shared = has("shared_frames").flatMap((document) => sharedFramesSchema.parse(document).shared_frames);
  const frames = [
    ...shared.map((frame) => frameOf(frame.signal, frame, lexicon)),
    ...rules.flatMap((rule) => rule.frames.map((frame) => frameOf(frame.signal, frame, lexicon))),
  ];
  const lookalikes = new Map(lists.of("lookalikes").flatMap((entry) => [...entry.slice(2)].map((letter) => [letter, entry[0] as string] as const)));
  const names = (kind: string) => new Names(lists.of(`popular_${kind}`), lists.of(`known_${kind}`), lookalikes);
  const digest = createHash("sha256").update(JSON.stringify(documents)).digest("hex").slice(0, 16);
  const acts = new Set(lists.of("acts").map((idea) => lexicon.id(idea)));
  return {
    rules,
    frames,
    lexicon,
    acts,
    commandWord: lexicon.id("command-word"),
    stances: new Stances(lexicon),
    lists,
    lookalikes,
    npmNames: names("npm"),
    pypiNames: names("pypi"),
    hostNames: names("hosts"),
    digest,
  };
}
