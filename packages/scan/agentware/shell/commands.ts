import type { Block } from "../document/model.ts";
import { fold } from "../language/fold.ts";
import { sentencesOf } from "../language/sentences.ts";
import type { Stance } from "../language/stance.ts";
import type { Pack } from "../pack.ts";
import { type Signal, signalAt } from "../signal.ts";
import { isWhole, shellSignals } from "./read.ts";

/** Words without which no command is of note. */
export const TRIGGER =
  /\b(?:curl|wget|iwr|irm|iex|invoke-\w+|certutil|bitsadmin|aria2c|base64|xxd|openssl|eval|powershell|pwsh|n(?:et)?c(?:at)?|socat|crontab|schtasks|launchctl|systemctl|authorized_keys|LaunchAgents|npx|bunx|uvx|pipx?3?|chmod|sudo|NOPASSWD|unzip|7z|xmrig|minerd|setenforce|csrutil|spctl|ufw|iptables|history|dangerously-skip-permissions|yes|scp|rsync|rclone|osascript|mkfifo|bash|sh|python3?|perl|node|printf|tee|cat|dig|nslookup|xattr)\b|\/dev\/(?:tcp|udp)|stratum\+|\.ssh|\.aws|\.env\b|\.(?:bash|zsh)rc|\.z?profile|\.git\/hooks/i;
const SHELLS = /^(?:sh|bash|zsh|shell|console|terminal|shellscript|shell-session|sh-session|powershell|ps1|pwsh|cmd|bat|batch|fish|)$/;
const PROMPT = /^[ \t]*(?:[\w.@:~/-]{0,60}[$#%❯>]|PS [^>\n]{0,60}>)[ \t]+(?=\S)/gm;
/** A command that prose mentions without marks of code. */
const LOOSE = /\b(?:curl|wget|iwr|irm|powershell|base64|eval|nc|ncat|bash|sh|npx|pip3?|python3?|echo|sudo)\b[^\n]{4,2000}/i;
const RUN_KEYS =
  /^(?:scripts?|run|command|cmd|args|shell|exec|entrypoint|hooks|preinstall|install|postinstall|prepare|setup|before_script|after_script|bins?|postCreateCommand|postStartCommand|onCreateCommand|initializeCommand)$/i;

/** What the commands of a block would do: of a fence or a script as a whole, in prose those in marks of code, and those that stand bare. */
export function commandSignals(block: Block, number: number, language: string, pack: Pack): Signal[] {
  switch (block.kind) {
    case "code":
      return TRIGGER.test(block.text) ? inCode(block, number, language, pack) : [];
    case "string":
      return /\s/.test(block.text.trim()) ? shellSignals(block, number, block.text, 0, pack, {}) : [];
    case "value":
      return block.section.some((key) => RUN_KEYS.test(key)) ? shellSignals(block, number, block.text, 0, pack, {}) : [];
    case "remark":
      return [];
    default:
      return block.layers.length > 0 && block.hidden !== null ? shellSignals(block, number, block.text, 0, pack, {}) : inProse(block, number, pack);
  }
}

function inCode(block: Block, number: number, language: string, pack: Pack): Signal[] {
  if (!SHELLS.test(block.lang)) return [];
  const prompts = block.text.replace(PROMPT, (prompt) => " ".repeat(prompt.length));
  const isScript = language === "shell" || language === "dockerfile";
  const text = language === "dockerfile" ? prompts.replace(/^[ \t]*(?:RUN|CMD|ENTRYPOINT)[ \t]/gim, (word) => " ".repeat(word.length)) : prompts;
  const around: Stance = isScript ? "told" : pack.stances.around(block);
  const cut = isWhole(text) ? [] : [signalAt(UNREAD, block, number, { start: 0, end: 1 })];
  const signals = shellSignals(block, number, text, 0, pack, { stance: around }).map((signal) => {
    // "# BAD: never do this" right above a command of a document's fence; a script's comments change nothing of what it does.
    if (isScript || signal.stance !== "told" || !block.exact) return signal;
    const stance = pack.stances.ofRemark(remarkAbove(block.text, signal.start - block.start));
    return stance === "told" ? signal : { ...signal, stance };
  });
  return [...signals, ...cut];
}

/** Commands of which the last were not read. No rule asks for it: it is a gap. */
export const UNREAD = "unread-commands";

function remarkAbove(text: string, at: number): string {
  const lines = text
    .slice(Math.max(0, at - 400), at)
    .split("\n")
    .slice(0, -1)
    .reverse();
  const remarks: string[] = [];
  for (const line of lines) {
    if (!/^\s*(?:#|\/\/|::|REM\b)/i.test(line)) break;
    remarks.unshift(line);
  }
  const newline = text.indexOf("\n", at);
  const own = /\s#\s([^\n]*)$/.exec(text.slice(at, newline < 0 ? text.length : newline))?.[1] ?? "";
  return [...remarks, own].join("\n");
}

function inProse(block: Block, number: number, pack: Pack): Signal[] {
  const signals: Signal[] = [];
  const folded = fold(block.text, pack.lookalikes);
  // Stances are judged on the text itself: commands have no look-alikes that still run.
  for (const sentence of sentencesOf(block.text)) {
    const said = block.text.slice(sentence.start, sentence.end);
    if (!TRIGGER.test(said)) continue;
    const spans = [...said.matchAll(/(`+)([^`]{4,4000})\1/g)].map((match) => ({
      text: match[2] as string,
      at: sentence.start + match.index + (match[1] as string).length,
    }));
    const bare = spans.length === 0 ? LOOSE.exec(block.text.slice(sentence.start, Math.min(block.text.length, sentence.start + 4000))) : null;
    if (bare && bare.index < said.length) spans.push({ text: bare[0], at: sentence.start + bare.index });
    const hits = folded.origin ? pack.lexicon.read(said.toLowerCase()) : pack.lexicon.read(folded.text.slice(sentence.start, sentence.end));
    const moved = hits.map((hit) => ({ ...hit, start: hit.start + sentence.start, end: hit.end + sentence.start }));
    for (const span of spans) {
      const outside = moved.filter((hit) => hit.end <= span.at || hit.start >= span.at + span.text.length);
      const stance = pack.stances.of(block, block.text.toLowerCase(), sentence, outside, { hits: [], start: span.at, end: span.at + span.text.length });
      signals.push(...shellSignals(block, number, span.text, span.at, pack, { stance }));
    }
  }
  return signals;
}
