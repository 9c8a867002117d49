import { z } from "zod";
import { harnessSchema, oracleSchema, pumpSchema } from "./harness.ts";

const found = z.object({ ms: z.number(), executions: z.number() });
const inputSchema = z.array(z.unknown()).max(16);
export type Input = z.infer<typeof inputSchema>;

const outcomeSchema = z.object({ oracle: oracleSchema, key: z.string().max(1000), message: z.string().max(5000), stack: z.string().max(20_000) });
export type Outcome = z.infer<typeof outcomeSchema>;

/** What an engine says. The target is in the same process: a message is a hint where to look, until another sandbox has shown the same. */
export const messageSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready"), standins: z.array(z.string().max(200)).max(50), means: z.string().max(200).default("") }),
  z.object({ type: z.literal("stat"), executions: z.number(), ms: z.number(), edges: z.number(), corpus: z.number(), found: found.nullable() }),
  outcomeSchema.extend({ type: z.literal("candidate"), input: inputSchema, pump: pumpSchema.optional(), ...found.shape }),
  z.object({
    type: z.literal("harnesses"),
    harnesses: z.array(harnessSchema).max(2000),
    dictionary: z.array(z.string().max(128)).max(4096),
    notes: z.array(z.string().max(500)).max(200),
  }),
  z.object({ type: z.literal("hang") }),
  z.object({ type: z.literal("start"), index: z.number() }),
  z.object({ type: z.literal("outcome"), index: z.number(), ms: z.number(), outcome: outcomeSchema.nullable() }),
  z.object({ type: z.literal("time"), length: z.number(), times: z.number(), ms: z.number() }),
  z.object({ type: z.literal("broken"), message: z.string() }),
  z.object({ type: z.literal("done"), corpus: z.array(inputSchema).max(256).default([]) }),
]);
export type Message = z.infer<typeof messageSchema>;
export type Candidate = Extract<Message, { type: "candidate" }>;

const LONGEST_LINE = 2 * 1024 * 1024;
const MOST_MESSAGES = 20_000;

/** Lines of a stream that begin with the word of this run; all else is the target's own output, and dropped. */
export class Listener {
  readonly messages: Message[] = [];
  readonly #word: Buffer;
  #rest: Buffer[] = [];
  #held = 0;
  #skipping = false;

  constructor(word: string) {
    this.#word = Buffer.from(word);
  }

  take(chunk: Uint8Array): void {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      this.#add(chunk.subarray(from, at));
      this.#line();
      from = at + 1;
    }
    this.#add(chunk.subarray(from));
  }

  #add(part: Uint8Array): void {
    this.#held += part.length;
    if (this.#held > LONGEST_LINE) this.#skipping = true;
    if (!this.#skipping && part.length > 0) this.#rest.push(Buffer.from(part));
  }

  #line(): void {
    const line = this.#skipping ? Buffer.alloc(0) : Buffer.concat(this.#rest);
    this.#rest = [];
    this.#held = 0;
    this.#skipping = false;
    if (this.messages.length >= MOST_MESSAGES || !line.subarray(0, this.#word.length).equals(this.#word)) return;
    try {
      const message = messageSchema.safeParse(JSON.parse(line.subarray(this.#word.length).toString("utf8")));
      if (message.success) this.messages.push(message.data);
    } catch {} // a line that a dying process did not finish, or the target's own
  }
}
