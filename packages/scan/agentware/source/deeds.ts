import type { ScanFile } from "../../analyser.ts";
import type { Block } from "../document/model.ts";
import { traitsOf, urlsOf } from "../hosts.ts";
import type { Pack } from "../pack.ts";
import { secretOf, secretTraits } from "../shell/secret.ts";
import { type Signal, signalAt } from "../signal.ts";
import { decodedCode } from "./decoded.ts";
import { fetchedAndRun } from "./fetched.ts";
import { environmentSent, startHooks } from "./starts.ts";

const WORTH =
  /ssh|id_rsa|id_ed|aws|solana|electrum|ethereum|exodus|nkbih|kube|docker|gnupg|netrc|npmrc|pypirc|_history|Local State|openclaw|clawdbot|credential|cookie|Login Data|keychain|wallet|\.env|mcp\.json|shadow|webhook|telegram|discord|socket|net\.|pty|dup2|b64decode|atob|base64|fromCharCode|exec|eval|cmdclass|environ|process\.env|subprocess|os\.system|https?:\/\//i;
const READS =
  /(?:\bopen|read\w*|expanduser|join|Path|resolve|glob\w*|copy\w*|createReadStream|homedir|\bcat|exists\w*|load\w*)\s*\(?[^()\n]{0,120}(?:\([^()\n]{0,80}\)[^()\n]{0,80})?$/i;
const LISTED = /[[,(]\s*$/;
/** Who keeps such a list to forbid what is on it says so. */
const GUARDING =
  /deny|block|sensitive|forbid|danger|pattern|suspicious|protect|detect|ignore|exclude|redact|scan|guard|rule|check|secret_?(?:path|file)|malicious|ioc|test|fixture|expect|assert/i;
const SENDS =
  /\b(?:requests|httpx|session|client|axios|got|ky|superagent|http|aiohttp)\s*\.\s*(?:post|put|patch|request)\s*\(|\burlopen\s*\([^)\n]*(?:data\s*=|Request)|\bfetch\s*\(|\bsendBeacon\s*\(|\.sendall\s*\(|\bsend_?(?:message|document|photo)\s*\(|\bnew\s+WebSocket\s*\(|https?\.request\s*\(|\bXMLHttpRequest\b|urllib\.request\.Request\s*\(/i;
const SETTINGS = /(?:^|[/\\])(?:\.?claude_desktop_config\.json|\.cursor[/\\]mcp\.json)$/i;
const SHELL_OUT = /socket|TCPSocket/;

/** What source code does that is of note: which secrets it opens, where it sends, what it decodes and runs. */
export function sourceSignals(file: Pick<ScanFile, "path">, blocks: readonly Block[], text: string, pack: Pack): Signal[] {
  if (!WORTH.test(text)) return [];
  const whole: Block = { kind: "code", text, start: 0, exact: true, surface: "program", section: [], lang: "", lead: "", hidden: null, layers: [] };
  const signals = [
    ...secretsOpened(blocks, text, pack),
    ...reverseShells(whole, text),
    ...decodedCode(whole, text, pack),
    ...fetchedAndRun(whole, text, pack),
    ...environmentSent(whole, text),
    ...installHooks(whole, text),
    ...startHooks(file, whole, text),
  ];
  const send = SENDS.exec(text);
  if (send) signals.push(...sent(blocks, whole, send.index, pack));
  return signals;
}

function secretsOpened(blocks: readonly Block[], text: string, { lists }: Pack): Signal[] {
  const signals: Signal[] = [];
  for (const [number, each] of blocks.entries()) {
    if (each.kind !== "string" || each.text.length > 400 || signals.length > 40) continue;
    const secret = secretOf(each.text, lists);
    if (!secret || /\\[.sbw]|\.\*/.test(each.text)) continue;
    const before = text.slice(Math.max(0, each.start - 260), each.start - 1);
    const line = before.slice(before.lastIndexOf("\n") + 1);
    const listed = LISTED.test(before);
    if (!READS.test(line) && !listed) continue;
    if (listed && GUARDING.test(before.replace(/https?:\/\/[^\s"'`]+/g, ""))) continue;
    // Whoever installs a server for an assistant writes it into these: read by many, and a theft only with a drop for what was read.
    const name = SETTINGS.test(each.text) ? "settings-read" : "secret-read";
    signals.push(signalAt(name, each, number, { start: 0, end: each.text.length }, { stance: "told", detail: secret, traits: secretTraits(each.text) }));
  }
  return signals;
}

/** Where data goes: the URLs of a file that sends. */
function sent(blocks: readonly Block[], whole: Block, at: number, { lists }: Pack): Signal[] {
  const urls = blocks
    .flatMap((each, number) => (each.kind === "string" ? urlsOf(each.text, lists).map((url) => ({ ...url, each, number })) : []))
    .slice(0, 100);
  const foreign = urls.filter(({ traits }) => !traits.includes("local"));
  const signals = foreign.map(({ url, each, number }) =>
    signalAt("send-foreign", each, number, { start: 0, end: each.text.length }, { stance: "told", detail: url, traits: traitsOf(url, lists) }),
  );
  const drops = signals.filter(({ traits }) => traits.some((trait) => trait === "drop-host" || trait === "paste-host" || trait === "raw-host"));
  return [
    ...signals.slice(0, 20),
    ...drops.slice(0, 20).map((signal) => ({ ...signal, name: "send-drop" })),
    ...(signals.length === 0 && urls.length === 0
      ? [signalAt("send-foreign", whole, -1, { start: at, end: at + 8 }, { detail: "an address that is put together", traits: ["unknown-host"] })]
      : []),
  ];
}

function reverseShells(whole: Block, text: string): Signal[] {
  const python =
    SHELL_OUT.test(text) &&
    /\.connect\s*\(/.test(text) &&
    /dup2\s*\([^)\n]{0,60}fileno|pty\.spawn\s*\(/.test(text) &&
    /\/bin\/(?:ba|z|da)?sh|["']sh["']|["']cmd(?:\.exe)?["']/.test(text);
  const node =
    /\bnet\b[^\n]{0,40}(?:connect|Socket)|createConnection/.test(text) &&
    /spawn\s*\(\s*["'`](?:\/bin\/)?(?:ba|z)?sh\b|spawn\s*\(\s*["'`]cmd/.test(text) &&
    /\.pipe\s*\(\s*\w+\.stdin/.test(text);
  if (!python && !node) return [];
  const at = Math.max(0, text.search(/\.connect\s*\(|createConnection|net\.Socket/));
  return [signalAt("reverse-shell", whole, -1, { start: at, end: at + 10 }, { detail: text.slice(at, at + 80) })];
}

/** setup.py runs as it is installed; a command class of its own says that it means to. */
function installHooks(whole: Block, text: string): Signal[] {
  const at = text.search(/\bcmdclass\s*=/);
  if (at < 0 || !/\b(?:setup|install|develop|egg_info)\b/.test(text)) return [];
  const acts = /\b(?:urlopen|requests\.|socket\.|os\.system|subprocess\.|exec\s*\()/.exec(text);
  return acts ? [signalAt("install-hook", whole, -1, { start: at, end: at + 8 }, { detail: acts[0], traits: ["acts"] })] : [];
}
