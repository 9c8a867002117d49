import { type Entry, open, type ZipFile } from "yauzl";

/** A document of OSV longer than this is none. */
const LONGEST = 32 * 2 ** 20;
const MOST_ENTRIES = 2_000_000;

/** Texts of the `.json` members of a zip file, one after another. An archive of advisories comes over the network: it is bounded like any other. */
export async function* jsonMembers(path: string): AsyncIterable<string> {
  const zip = await opened(path);
  try {
    if (zip.entryCount > MOST_ENTRIES) throw new Error(`the archive has more than ${MOST_ENTRIES} members`);
    for (let entry = await nextEntry(zip); entry !== null; entry = await nextEntry(zip)) {
      if (entry.fileName.endsWith(".json")) yield await read(zip, entry);
    }
  } finally {
    zip.close();
  }
}

async function read(zip: ZipFile, entry: Entry): Promise<string> {
  if (entry.uncompressedSize > LONGEST) throw new Error(`a member of the archive has more than ${LONGEST} bytes`);
  const stream = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
    zip.openReadStream(entry, (error, opened) => (error ? reject(error) : resolve(opened)));
  });
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of stream) {
    size += (part as Buffer).length;
    if (size > LONGEST) throw new Error("a member of the archive has more bytes than it says");
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString("utf8");
}

function nextEntry(zip: ZipFile): Promise<Entry | null> {
  if (zip.entriesRead >= zip.entryCount) return Promise.resolve(null);
  return new Promise((resolve, reject) => {
    const onEntry = (entry: Entry) => {
      zip.removeListener("error", onError);
      resolve(entry);
    };
    const onError = (error: Error) => {
      zip.removeListener("entry", onEntry);
      reject(error);
    };
    zip.once("entry", onEntry);
    zip.once("error", onError);
    zip.readEntry();
  });
}

function opened(path: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => open(path, { lazyEntries: true, autoClose: false }, (error, zip) => (error ? reject(error) : resolve(zip))));
}
