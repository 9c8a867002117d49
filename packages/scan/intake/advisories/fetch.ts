import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

const MOST_BYTES = 4 * 2 ** 30;
const LONGEST_MS = 30 * 60_000;

/** Fetches to a file of its own and hands its path over; the file is gone afterwards. Only `plastron advisories update` comes here: never a scan. */
export async function withDownload<Result>(url: string, use: (path: string) => Promise<Result>): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), "plastron-advisories-"));
  try {
    const path = join(
      directory,
      new URL(url).pathname
        .split("/")
        .at(-1)
        ?.replace(/[^\w.-]/g, "_") || "download",
    );
    const body = await request(url);
    let size = 0;
    const bounded = new Transform({
      transform(chunk: Buffer, _, done) {
        size += chunk.length;
        done(size > MOST_BYTES ? new Error(`it gives more than ${MOST_BYTES} bytes`) : null, chunk);
      },
    });
    await pipeline(Readable.fromWeb(body as never), bounded, createWriteStream(path, { mode: 0o600 }));
    return await use(path);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A small answer as bytes. */
export async function download(url: string, most: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of (await request(url)) as unknown as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > most) throw new Error(`${withoutCredentials(url)} gives more than ${most} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

async function request(url: string): Promise<unknown> {
  const address = new URL(url);
  const headers: Record<string, string> = { "user-agent": "plastron" };
  if (address.username !== "") {
    headers.authorization = `Basic ${Buffer.from(`${decodeURIComponent(address.username)}:${decodeURIComponent(address.password)}`).toString("base64")}`;
    address.username = "";
    address.password = "";
  }
  // Loaded here: no scan pays for it.
  const { EnvHttpProxyAgent, fetch } = await import("undici");
  const response = await fetch(address, { dispatcher: new EnvHttpProxyAgent(), signal: AbortSignal.timeout(LONGEST_MS), headers });
  if (response.status !== 200 || response.body === null) throw new Error(`${withoutCredentials(url)} answers ${response.status}`);
  return response.body;
}

/** An address as it may be shown and kept. */
export function withoutCredentials(url: string): string {
  if (!URL.canParse(url)) return url;
  const parsed = new URL(url);
  parsed.username = "";
  parsed.password = "";
  parsed.search = "";
  return parsed.href;
}
