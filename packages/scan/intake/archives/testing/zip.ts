import { crc32, deflateRawSync } from "node:zlib";

export interface ZipMember {
  readonly name: string | Buffer;
  readonly content: string | Uint8Array;
  /** Of Unix, type bits included. */
  readonly mode?: number;
  readonly encrypted?: boolean;
  /** What the headers say instead of the true size. */
  readonly saysSize?: number;
}

/** A zip as a test needs it, lies included: honest tools write none of those. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
export function zipOf(members: readonly ZipMember[]): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let at = 0;
  for (const member of members) {
    const content = Buffer.from(member.content as Uint8Array);
    const data = deflateRawSync(content);
    const local = Buffer.concat([localHeader(member, content, data.length), data]);
    locals.push(local);
    centrals.push(centralHeader(member, content, data.length, at));
    at += local.length;
  }
  return Buffer.concat([...locals, ...centrals, endOf(centrals, at)]);
}

/** `count` members that all begin at the same bytes. */
export function overlappingZip(count: number, content: Buffer): Buffer {
  const data = deflateRawSync(content);
  const local = Buffer.concat([localHeader({ name: "a", content }, content, data.length), data]);
  const centrals = Array.from({ length: count }, (_, at) => centralHeader({ name: `a${at}`, content }, content, data.length, 0));
  return Buffer.concat([local, ...centrals, endOf(centrals, local.length)]);
}

function shared({ encrypted, saysSize }: ZipMember, content: Buffer, packed: number): Buffer {
  const head = Buffer.alloc(22);
  head.writeUInt16LE(20, 0);
  head.writeUInt16LE(0x0800 | (encrypted ? 1 : 0), 2);
  head.writeUInt16LE(8, 4);
  head.writeUInt32LE(crc32(content), 10);
  head.writeUInt32LE(packed, 14);
  head.writeUInt32LE(saysSize ?? content.length, 18);
  return head;
}

function localHeader(member: ZipMember, content: Buffer, packed: number): Buffer {
  const name = Buffer.from(member.name as Buffer);
  const lengths = Buffer.alloc(4);
  lengths.writeUInt16LE(name.length, 0);
  return Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), shared(member, content, packed), lengths, name]);
}

function centralHeader(member: ZipMember, content: Buffer, packed: number, at: number): Buffer {
  const name = Buffer.from(member.name as Buffer);
  const rest = Buffer.alloc(18);
  rest.writeUInt16LE(name.length, 0);
  rest.writeUInt32LE(((member.mode ?? 0o100644) << 16) >>> 0, 10);
  rest.writeUInt32LE(at, 14);
  return Buffer.concat([Buffer.from("PK\x01\x02\x14\x03", "latin1"), shared(member, content, packed), rest, name]);
}

function endOf(centrals: readonly Buffer[], at: number): Buffer {
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(centrals.length, 8);
  end.writeUInt16LE(centrals.length, 10);
  end.writeUInt32LE(Buffer.concat(centrals as Buffer[]).length, 12);
  end.writeUInt32LE(at, 16);
  return end;
}
