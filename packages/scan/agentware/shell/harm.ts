import { traitsOf } from "../hosts.ts";
import type { Lists } from "../lists.ts";
import type { Deed } from "./deed.ts";
import type { Command } from "./lex.ts";
import { program } from "./program.ts";
import { secretOf, secretTraits } from "./secret.ts";

/** A key that opens the way there is used, not sent. */
const KEY_ARGUMENT = /(?:^|\s)(?:-i|--key|--cert|--cacert|--identity(?:-file)?|--private-key|-o\s+IdentityFile|--env-file|--kubeconfig)[=\s]+\S+/g;
const USES_SECRETS = new Set([
  "ssh",
  "ssh-add",
  "ssh-keygen",
  "ssh-copy-id",
  "chmod",
  "chown",
  "mkdir",
  "touch",
  "test",
  "[",
  "[[",
  "ls",
  "echo",
  "printf",
  "source",
  ".",
  "git",
  "kubectl",
  "aws",
  "gcloud",
  "export",
  "rm",
  "vim",
  "vi",
  "nano",
  "code",
  "ssh-keyscan",
]);

/** So that nobody can see later what was done. */
const WIPES =
  /^(?:history\s+-c|unset\s+histfile|export\s+histfile=\/dev\/null|(?:rm|shred|truncate|ln|cat)\s.{0,80}_history\b|wevtutil\s+cl|journalctl\s+--vacuum|auditctl\s+-D)/i;

/** What one command does that is of note by itself. Lists are in rules/agentware/lexicon/. */
export function harmsOf(command: Command, lists: Lists): Deed[] {
  const { name, rest } = program(command);
  const whole = [name, ...rest].join(" ").slice(0, 8192);
  const all = `${whole} ${[...command.writes, ...command.reads].join(" ")}`;
  const deeds: Deed[] = [];
  const add = (deed: string, detail: string, traits: readonly string[] = []): void => {
    deeds.push({ name: deed, start: command.start, end: command.end, detail: detail.slice(0, 300), traits });
  };
  if (isReverseShell(name, rest, all)) add("reverse-shell", whole);
  if (lists.pattern("miners").test(all)) add("miner", whole);
  const kept = persistenceOf(command, name, rest, lists);
  if (kept) add("persistence", kept, /authorized_keys|ld\.so\.preload|sudoers/.test(kept) ? ["key-of-entry"] : []);
  if (lists.pattern("disabling_commands").test(whole)) add("disable-security", whole);
  if (WIPES.test(whole)) add("wipe-traces", whole);
  if (lists.pattern("skipping_commands").test(whole)) add("skip-confirmation", whole);
  if (/\bNOPASSWD\s*:\s*ALL/i.test(all) && !/^(?:grep|rg|cat)$/.test(name)) add("wildcard-sudo", whole);
  const unpinned = unpinnedRun(name, rest, lists);
  if (unpinned) add("remote-code", unpinned.detail, unpinned.traits);
  const archive = openedWithPassword(name, rest);
  if (archive) add("locked-archive", archive);
  const secret = USES_SECRETS.has(name) ? null : secretOf(all.replace(KEY_ARGUMENT, " "), lists);
  const sends = sendsOf(name, rest, all, lists);
  if (secret) add("secret-read", secret, secretTraits(all));
  if (sends) add(secret || sends.traits.includes("takes-input") ? "send" : "contact", sends.url, secret ? [...sends.traits, "sends-secret"] : sends.traits);
  if (/^(?:python3?|perl|node)$/.test(name) && takesOwnText(command) && /\bexec\b|\beval\b/.test(all)) add("runs-document", whole);
  return deeds;
}

function isReverseShell(name: string, rest: readonly string[], all: string): boolean {
  // A port that is only opened, to see whether it answers, carries nothing; nor does this machine's own.
  const socket = /\/dev\/(?:tcp|udp)\/(?!localhost|127\.)[^\s/]+\/[^\s]+/.test(all) && /[<>]&|\d<>|\s-i\b|\d[<>]\s?\/dev|\b(?:cat|read)\b/.test(all);
  if (socket && (/^(?:ba|z|k|da)?sh$/.test(name) || name === "exec" || /\b(?:ba)?sh\s+-i\b/.test(all) || name === "" || /^\d/.test(name))) return true;
  if (/^(?:nc|ncat|netcat|nc\.traditional)$/.test(name))
    return rest.some((word, i) => /^-\w*[ec]$|^--(?:exec|sh-exec)$/.test(word) && /sh\b|cmd|powershell/i.test(rest[i + 1] ?? ""));
  if (name === "socat") return /exec:["']?(?:\/bin\/)?(?:ba)?sh/i.test(all) && /tcp/i.test(all);
  if (/^(?:python[23]?|perl|ruby|php|node)$/.test(name))
    return (
      /socket|TCPSocket|fsockopen|net\.connect/i.test(all) &&
      /dup2|pty\.spawn|\/bin\/(?:ba)?sh|exec\s*\(/i.test(all) &&
      /connect|fsockopen|TCPSocket/i.test(all)
    );
  return /^(?:powershell|pwsh)$/.test(name) && /Net\.Sockets\.TCPClient/i.test(all) && /GetStream/i.test(all);
}

/** What would run again without being asked: its place. */
function persistenceOf({ writes }: Command, name: string, rest: readonly string[], lists: Lists): string | null {
  const places = lists.pattern("persistence_paths");
  const written = [...writes, ...(/^(?:tee|cp|mv|install|ln|sed|dd)$/.test(name) ? rest.slice(-1) : [])].find((path) => places.test(path));
  if (written) return written;
  if (name === "crontab" && rest.some((word) => word === "-" || (!word.startsWith("-") && word !== ""))) return "crontab";
  if (name === "schtasks" && rest.some((word) => /^\/create$/i.test(word))) return "a scheduled task";
  if (name === "reg" && /\\currentversion\\run/i.test(rest.join(" "))) return "the registry's Run key";
  return null;
}

/** Code from somewhere that may be another tomorrow: `npx -y https://…`, `pip install git+https://…` without a commit. */
function unpinnedRun(name: string, rest: readonly string[], lists: Lists): { detail: string; traits: readonly string[] } | null {
  if (/^(?:npx|bunx|pnpx|uvx|pipx|pip3?|npm|pnpm|yarn|uv|go|cargo|gem)$/.test(name) === false) return null;
  const source = rest.find((word) => /^(?:git\+)?(?:https?|ssh):\/\/|^git@|^github:/.test(word));
  if (!source || /--?(?:index-url|extra-index-url|registry|find-links|proxy)$/.test(rest[rest.indexOf(source) - 1] ?? "")) return null;
  if (/@[0-9a-f]{7,40}(?:#|$)|#[0-9a-f]{7,40}$|@v?\d+\.\d+/i.test(source) || /--hash|sha256=/.test(rest.join(" "))) return null;
  return { detail: source, traits: traitsOf(source.replace(/^git\+/, ""), lists) };
}

function openedWithPassword(name: string, rest: readonly string[]): string | null {
  const text = rest.join(" ");
  if (name === "unzip" && /(?:^|\s)-P\s*\S+/.test(text)) return text;
  if (/^(?:7z|7za|7zz|7zr|unrar|rar)$/.test(name) && /(?:^|\s)[xe]\s/.test(`${text} `) && /(?:^|\s)-p\S+/.test(text)) return text;
  return null;
}

function sendsOf(name: string, rest: readonly string[], all: string, lists: Lists): { url: string; traits: readonly string[] } | null {
  const text = rest.join(" ");
  const url = /(?:https?|ftp|wss?):\/\/[^\s"')]+/i.exec(text)?.[0] ?? "";
  const body = /(?:^|\s)(?:-d|--data(?:-\w+)?|--json|-F|--form|-T|--upload-file|--post-(?:data|file)|--body-(?:data|file)|-Body|-InFile)(?:[\s=@]|$)/i.test(
    text,
  );
  if (lists.set("downloaders").has(name) && url) {
    const carries = body || /\$\(|\$\{?\w|`/.test(url);
    const traits = traitsOf(url, lists);
    const stdin = /(?:-d|--data(?:-\w+)?|-T|--upload-file|-F)\s*(?:\S*@-|-(?:\s|$)|\S*@)/.test(text) || /\$\(/.test(text);
    return carries || traits.includes("drop-host") ? { url, traits: stdin ? [...traits, "takes-input"] : traits } : null;
  }
  if (/^(?:nc|ncat|netcat|telnet)$/.test(name) && rest.length >= 2 && !rest.some((word) => /^-\w*[lz]/.test(word)))
    return { url: text, traits: ["takes-input"] };
  if (/^(?:scp|rsync|rclone|sftp)$/.test(name) && /\S+@?[\w.-]+:/.test(text)) return { url: text, traits: [] };
  if (/^(?:dig|nslookup|host|ping)$/.test(name) && /\$\(|`|\$\{?\w+\}?\.[\w.-]+\.[a-z]/i.test(all)) return { url: text, traits: ["takes-input"] };
  return null;
}

/** Takes lines out of its own skill's text: harmless, until somebody runs them. */
export function takesOwnText(command: Command): boolean {
  const { name, rest } = program(command);
  const all = `${name} ${[...rest, ...command.reads].join(" ")}`;
  return /^(?:sed|awk|gawk|grep|python3?|perl|node|cat|tail|head|cut)$/.test(name) && /\b(?:SKILL|README|AGENTS|CLAUDE)\.md\b/.test(all);
}
