/** One event of a text/event-stream (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream). */
export interface ServerEvent {
  event: string;
  data: string;
  id: string | null;
}

/** An event longer than this is a broken or hostile server: memory is not given for it. */
const MAX_EVENT = 400 * 1024 * 1024;
const LINE_END = /[\r\n]/g;

/**
 * Feed text chunks in, get whole events out. Lines end in \n, \r\n or \r, also when a chunk ends between \r and \n; comments
 * and unknown fields are skipped, an event without data is none, and what lacks its blank line at the end is dropped.
 */
export class SseParser {
  #rest = "";
  #scanned = 0;
  #event = "";
  #data: string[] = [];
  #id: string | null = null;
  #size = 0;
  readonly #max: number;

  constructor(max: number = MAX_EVENT) {
    this.#max = max;
  }

  push(chunk: string): ServerEvent[] {
    this.#rest += chunk;
    const events: ServerEvent[] = [];
    for (let line = this.#line(); line !== null; line = this.#line()) {
      const event = this.#take(line);
      if (event) events.push(event);
    }
    if (this.#rest.length + this.#size > this.#max) throw new RangeError("an event of the stream is too long");
    return events;
  }

  #line(): string | null {
    const at = this.#endOfLine();
    if (at < 0) {
      this.#scanned = Math.max(0, this.#rest.length - 1);
      return null;
    }
    const line = this.#rest.slice(0, at);
    this.#rest = this.#rest.slice(at + (this.#rest[at] === "\r" && this.#rest[at + 1] === "\n" ? 2 : 1));
    this.#scanned = 0;
    return line;
  }

  /** -1 where no line is whole yet; a \r that ends the chunk may be half of a \r\n and waits. */
  #endOfLine(): number {
    LINE_END.lastIndex = this.#scanned;
    const at = LINE_END.exec(this.#rest)?.index ?? -1;
    const waits = this.#rest[at] === "\r" && at + 1 === this.#rest.length;
    return waits ? -1 : at;
  }

  #take(line: string): ServerEvent | null {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    if (field === "event") this.#event = value;
    else if (field === "data") {
      this.#data.push(value);
      this.#size += value.length;
    } else if (field === "id" && !value.includes("\0")) this.#id = value;
    return null;
  }

  #dispatch(): ServerEvent | null {
    const event = this.#data.length === 0 ? null : { event: this.#event || "message", data: this.#data.join("\n"), id: this.#id };
    this.#event = "";
    this.#data = [];
    this.#size = 0;
    return event;
  }
}
