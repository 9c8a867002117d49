/**
 * What commits added, out of the text of `git log -p`: one piece for each file of each commit, oldest first, in which every added line has its own
 * number. Pure: bytes in, pieces out; who runs git is intake's.
 *
 * The text is the committers': their lines may look like headers. So hunks are read by the counts that their heads say, and nothing in them is
 * taken for anything but content.
 */
export interface HistoryPiece {
  readonly commit: string;
  readonly path: string;
  /** The added lines; empty ones stand for those between. */
  readonly bytes: Buffer;
}

/** Whether a file is such a piece: what was added once, and may be gone. Only secrets in it still count. */
export const ofHistory = (file: { readonly layers: readonly string[] }): boolean => file.layers.some((layer) => layer.startsWith("commit:"));

/** What git has to be asked for, so that no attribute, rename or colour of the repository's hides a line. Which commits is said besides. */
export const HISTORY_ARGUMENTS: readonly string[] = [
  "log",
  "--reverse",
  "--format=commit %H",
  "--patch",
  "--unified=0",
  "--text",
  "--no-color",
  "--no-ext-diff",
  "--no-textconv",
  "--no-renames",
  "--no-relative",
  "--diff-merges=first-parent",
  "--src-prefix=a/",
  "--dst-prefix=b/",
];

const PADDING_MOST = 200_000;
const PIECE_MOST = 16 * 2 ** 20;

/** Takes the text in whatever portions it comes. */
export class HistoryParser {
  #rest: Buffer = Buffer.alloc(0);
  /** How many commits were told of so far. */
  commits = 0;
  #commit = "";
  #path = "";
  #parts: Buffer[] = [];
  #size = 0;
  #lines = 0;
  #padded = 0;
  /** Lines still to come of the hunk that is being read. */
  #added = 0;
  #removed = 0;
  readonly #emit: (piece: HistoryPiece) => void;

  constructor(emit: (piece: HistoryPiece) => void) {
    this.#emit = emit;
  }

  feed(chunk: Uint8Array): void {
    const bytes = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, at)) {
      this.#line(bytes.subarray(at, end));
      at = end + 1;
    }
    this.#rest = bytes.subarray(at);
    // Nobody's line may fill the memory: of one without an end the beginning counts.
    if (this.#rest.length > 2 * PIECE_MOST) this.#rest = Buffer.from(this.#rest.subarray(0, PIECE_MOST));
  }

  end(): void {
    if (this.#rest.length > 0) this.#line(this.#rest);
    this.#flush();
  }

  #line(line: Buffer): void {
    const sign = line[0];
    if (this.#removed > 0 && sign === MINUS) this.#removed -= 1;
    else if (this.#added > 0 && sign === PLUS) this.#add(line.subarray(1));
    else if (sign !== BACKSLASH) this.#header(line.length > 8192 ? "" : line.toString("utf8"));
  }

  #header(line: string): void {
    const commit = /^commit ([0-9a-f]{40,64})$/.exec(line)?.[1];
    if (commit !== undefined) {
      this.#flush();
      this.#commit = commit;
      this.commits += 1;
    } else if (line.startsWith("diff --git ")) {
      this.#flush();
      this.#path = "";
    } else if (line.startsWith("+++ ")) this.#path = pathOf(line.slice(4));
    else if (line.startsWith("@@ ")) this.#hunk(line);
  }

  #hunk(line: string): void {
    const found = /^@@ -\d{1,10}(?:,(\d{1,10}))? \+(\d{1,10})(?:,(\d{1,10}))? @@/.exec(line);
    if (found === null) return;
    this.#removed = Number(found[1] ?? 1);
    this.#added = Number(found[3] ?? 1);
    const missing = Math.min(Number(found[2]) - 1 - this.#lines, PADDING_MOST - this.#padded);
    if (this.#added === 0 || missing <= 0) return;
    this.#parts.push(Buffer.alloc(missing, 10));
    this.#lines += missing;
    this.#padded += missing;
    this.#size += missing;
  }

  #add(line: Buffer): void {
    this.#added -= 1;
    if (this.#size + line.length > PIECE_MOST) this.#flush();
    this.#parts.push(Buffer.from(line), NEWLINE);
    this.#size += line.length + 1;
    this.#lines += 1;
  }

  #flush(): void {
    if (this.#size > this.#padded && this.#path !== "" && this.#commit !== "")
      this.#emit({ commit: this.#commit, path: this.#path, bytes: Buffer.concat(this.#parts) });
    this.#parts = [];
    [this.#size, this.#lines, this.#padded] = [0, 0, 0];
  }
}

const [PLUS, MINUS, BACKSLASH] = [43, 45, 92];
const NEWLINE = Buffer.from("\n");

/** `b/path`, or in quotes with escapes where the name has what git quotes. Nothing for what was deleted. */
function pathOf(text: string): string {
  const named = text.replace(/\t$/, "");
  const plain = named.startsWith('"') ? unquoted(named.slice(1, -1)) : named;
  return plain.startsWith("b/") ? plain.slice(2) : "";
}

function unquoted(text: string): string {
  const bytes: number[] = [];
  for (const part of text.match(/\\[0-7]{3}|\\.|[^\\]+/gs) ?? []) {
    if (/^\\[0-7]{3}$/.test(part)) bytes.push(Number.parseInt(part.slice(1), 8) & 255);
    else bytes.push(...Buffer.from(part[0] === "\\" ? (ESCAPES[part[1]!] ?? part[1]!) : part));
  }
  return Buffer.from(bytes).toString("utf8");
}
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", a: "\x07", b: "\b", f: "\f", v: "\v" };
