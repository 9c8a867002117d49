import type { Block } from "../document/model.ts";
import type { Pack } from "../pack.ts";
import { type Signal, signalAt } from "../signal.ts";
import type { Deed } from "./deed.ts";
import { commandsOf, MAX_COMMANDS } from "./lex.ts";
import { powershellDeeds } from "./powershell.ts";
import { deedsOf } from "./recognise.ts";

const MAX_TEXT = 2_000_000;
const MAX_NESTED = 4;

/** What the commands of a text would do, those that it decodes to or hands to another shell included. */
export function deedsIn(text: string, pack: Pack, depth = 0): (Deed & { readonly layers: readonly string[] })[] {
  const own = text.slice(0, MAX_TEXT);
  const deeds = [...deedsOf(commandsOf(own), pack.lists), ...powershellDeeds(own, pack.lists)];
  return deeds.flatMap((deed) => {
    const itself = deed.name === "" ? [] : [{ ...deed, layers: [] as string[] }];
    if (!deed.inner || depth >= MAX_NESTED) return itself;
    const { text: inner, layer } = deed.inner;
    const nested = deedsIn(inner, pack, depth + 1).map((each) => ({
      ...each,
      start: deed.start,
      end: deed.end,
      layers: layer === "" ? each.layers : [layer, ...each.layers],
    }));
    return [...itself, ...nested];
  });
}

/** Whether all of a script is read: a long one that does nothing of note may have a tail that does. */
export function isWhole(text: string): boolean {
  if (text.length > MAX_TEXT) return false;
  let parts = 0;
  for (const _ of text.matchAll(/[\n;&|]/g)) if (++parts >= MAX_COMMANDS) return commandsOf(text).length < MAX_COMMANDS;
  return true;
}

export function shellSignals(block: Block, number: number, text: string, offset: number, pack: Pack, more: Partial<Signal>): Signal[] {
  return deedsIn(text, pack).map((deed) =>
    signalAt(
      deed.name,
      block,
      number,
      { start: offset + deed.start, end: offset + deed.end },
      { detail: deed.detail, traits: deed.traits, ...more, layers: [...block.layers, ...deed.layers] },
    ),
  );
}
