/**
 * What people write where a secret would stand: words that say so, characters in order, the same again and again, and references to where the
 * secret really is. Four letters at least: shorter words stand in random text by chance.
 */
export function isPlaceholder(value: string): boolean {
  return (
    WORDS.test(value) || REFERENCE.test(value) || MASK.test(value) || hasSequence(value) || isRepeated(value) || PUBLISHED.has(value) || WALLETS.test(value)
  );
}

const WORDS =
  /example|sample|placeholder|change[-_. ]?(?:me|this|it)|dummy|fake|your[-_. ]?(?:api|key|token|secret|pass|access|app|client|account|own|user|host|pw|db)|insert[-_. ]?|replace|redacted|xxxx|deadbeef|cafebabe|foobar|foo[-_]?bar|lorem|ipsum|qwerty|asdfgh|zxcvb|hunter2|correct.?horse|swordfish|passw(?:or)?d1|password|p@ssw|letmein|abc123|notasecret|not[-_]?(?:a[-_]?)?(?:real|secret)|supersecret|super[-_]secret|my[-_]?(?:secret|pass|token|key|api)|some[-_]?(?:secret|pass|token|key|api|random)|test[-_]?(?:secret|pass|token|key|api|user)|secret[-_]?(?:key|token|value|here|pass)|invalid|undefined|unknown|nothing|todo|fixme|goes[-_ ]?here|here[-_]?is|mock|stub|s[e3]cr[e3]t(?![A-Za-z0-9]{12})/i;

/** `${X}`, `{{ x }}`, `%(x)s`, `$(x)`, `<x>`, `process.env.X`, `os.environ`, `!ref`, `vault:`, `ENC[`. */
const REFERENCE =
  /^\$|\$\{|\{\{|\}\}|%\(|\$\(|^<.{0,200}>$|^%.{0,60}%$|^@|^\{.{0,60}\}$|^\[.{0,60}\]$|process\.env|environ|getenv|^env[.:(]|^(?:vault|secret|ref|op|arn|ssm|kms|file|sops|keyring|gcp|aws-sm):|^ENC\[|^__.{1,60}__$|^#\{|^&|^!/i;

/** `****`, `....`, `----`. */
const MASK = /\*{3}|\.{3}|\u2026|x{4}|X{4}|_{4}|-{6}|0{6}|#{3}|\?{3}/;

/** What documents of providers print for everybody. Halves: no whole one stands here. */
const PUBLISHED = new Set([
  ["wJalrXUtnFEMI/K7MDENG", "/bPxRfiCYEXAMPLEKEY"].join(""),
  ["4eC39HqLyjWDarj", "tT1zdp7dc"].join(""),
  ["BQokikJOvBiI", "2HlWgH4olfQ2"].join(""),
  ["tR3PYbcVNZZ7", "96tH88S4VQ2u"].join(""),
  ["Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq", "/K1SZFPTOtr/KBHBeksoGMGw=="].join(""),
  // RFC 6749 and RFC 5849.
  ...[
    "2YotnFZFEjr1zCsicMWpAA",
    "tGzv3JOkF0XG5Qx2TlKWIA",
    "SplxlOBeZQQYbYS6WxSbIA",
    "czZCaGRSa3F0MzpnWDFmQmF0M2JW",
    "ad180jjd733klru7",
    "hh5s93j4hdidpola",
    "gX1fBat3bV",
    "7Fjfp0ZBr1KtDRbnfVdmIw",
    "mF_9.B5f-4.1JqM",
    "j49sk3j29djd",
    "dh893hdasih9",
  ],
  ["C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPM", "bIZnqyMsEcaGQy67XIw/Jw=="].join(""),
]);

/** The wallets that every local test chain begins with. */
const WALLETS = /^(?:0x)?(?:ac0974bec39a17e3|59c6995e998f97a5|5de4111afa1a4b94|7c852118294e51e6|47e179ec19748859|4f3edf983ac636a6|c87509a1c067bbde)/i;

/** Six or more characters each one after (or before) the other: abcdef, 654321, 0123456789. */
function hasSequence(value: string): boolean {
  let up = 1;
  let down = 1;
  for (let at = 1; at < value.length; at += 1) {
    const step = value.charCodeAt(at) - value.charCodeAt(at - 1);
    up = step === 1 ? up + 1 : 1;
    down = step === -1 ? down + 1 : 1;
    if (up >= 6 || down >= 6) return true;
  }
  return false;
}

/** One character five times on end, a short piece over and over, or few characters in all. */
function isRepeated(value: string): boolean {
  if (/([\s\S])\1{4}/.test(value)) return true;
  if (value.length >= 12) {
    for (let period = 1; period <= value.length / 3 && period <= 16; period += 1) {
      let same = 0;
      for (let at = period; at < value.length; at += 1) if (value.charCodeAt(at) === value.charCodeAt(at - period)) same += 1;
      if (same >= (value.length - period) * 0.85) return true;
    }
  }
  return value.length >= 16 && new Set(value).size <= Math.max(4, Math.min(8, value.length / 8));
}
