/** The questions that programs ask, and answers to them (RFC 1035): one question, no compression in it, no other sections of ours. */
export interface Question {
  id: number;
  recursion: boolean;
  /** Lower case, without the last dot. */
  name: string;
  type: number;
  /** The question's bytes, to be given back as they came. */
  bytes: Uint8Array;
}

export const A = 1;
export const AAAA = 28;
const INTERNET = 1;
export const NO_ERROR = 0;
export const SERVER_FAILURE = 2;
export const NO_SUCH_NAME = 3;
export const REFUSED = 5;
/** Short: what a name stands for may be forgotten when the egress process starts anew. */
const TTL_S = 30;

const TYPES: Record<number, string> = {
  1: "A",
  2: "NS",
  5: "CNAME",
  6: "SOA",
  12: "PTR",
  15: "MX",
  16: "TXT",
  28: "AAAA",
  33: "SRV",
  35: "NAPTR",
  64: "SVCB",
  65: "HTTPS",
  255: "ANY",
};

/** As people write it; RFC 3597 where it has no name here. */
export function typeName(type: number): string {
  return TYPES[type] ?? `TYPE${type}`;
}

/** Undefined for whatever is not a plain question: it gets no answer. Every byte is the program's. */
export function readQuestion(packet: Buffer): Question | undefined {
  if (packet.length < 17) return undefined;
  const flags = packet.readUInt16BE(2);
  const isQuery = (flags & 0xf800) === 0;
  if (!isQuery || packet.readUInt16BE(4) !== 1 || packet.readUInt16BE(6) !== 0 || packet.readUInt16BE(8) !== 0) return undefined;
  const labels: string[] = [];
  let at = 12;
  for (;;) {
    const length = packet[at];
    if (length === undefined || length > 63 || at + length + 5 > packet.length || at - 12 + length > 253) return undefined;
    at++;
    if (length === 0) break;
    const label = packet.toString("latin1", at, at + length).toLowerCase();
    if (!/^[a-z0-9_-]+$/.test(label)) return undefined;
    labels.push(label);
    at += length;
  }
  if (labels.length === 0 || packet.readUInt16BE(at + 2) !== INTERNET) return undefined;
  return {
    id: packet.readUInt16BE(0),
    recursion: (flags & 0x100) !== 0,
    name: labels.join("."),
    type: packet.readUInt16BE(at),
    bytes: packet.subarray(12, at + 4),
  };
}

export function writeAnswer(question: Question, code: number, addresses: readonly Uint8Array[] = []): Uint8Array {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(question.id, 0);
  head.writeUInt16BE(0x8080 | (question.recursion ? 0x100 : 0) | code, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(addresses.length, 6);
  const records = addresses.map((address) => {
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(question.type, 2);
    record.writeUInt16BE(INTERNET, 4);
    record.writeUInt32BE(TTL_S, 6);
    record.writeUInt16BE(address.length, 10);
    return Buffer.concat([record, address]);
  });
  return Buffer.concat([head, question.bytes, ...records]);
}
