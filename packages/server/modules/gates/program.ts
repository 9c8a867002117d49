import { isUtf8 } from "node:buffer";
import { fileInSchema, PlastronError } from "@plastron/contracts";
import { type Artifact, isQuietPlace } from "@plastron/scan";
import type { z } from "zod";

/** What a run may be given (packages/contracts/run.ts). */
const MOST_FILES = 256;
const MOST_BYTES = 16 * 2 ** 20;
const MOST_CODE = 4 * 2 ** 20;

/** A program out of an artifact: the text of its entry, and all files for its workspace. */
export interface Loaded {
  code: string;
  files: z.output<typeof fileInSchema>[];
}

/** @throws PlastronError invalid_request where there is no such entry, or the artifact is larger than a run's workspace takes */
export async function loadProgram(artifact: Artifact, entry: string): Promise<Loaded> {
  const own = artifact.files.filter(({ layers }) => layers.length === 0);
  const main = own.find(({ path }) => path === entry);
  if (!main) throw refused(`The artifact has no file ${JSON.stringify(entry)}`, "entry is the path of one of its files, as reports name it.");
  if (isQuietPlace(entry)) {
    throw refused(`${entry} lies where scans take code for tests and examples, and look less closely`, "Put what runs elsewhere, scan that, and run it.");
  }
  const bytes = own.reduce((sum, { size }) => sum + size, 0);
  if (own.length > MOST_FILES || bytes > MOST_BYTES || main.size > MOST_CODE) {
    throw refused(
      `The artifact has ${own.length} files and ${bytes} bytes; a run takes ${MOST_FILES} files, ${MOST_BYTES} bytes, and ${MOST_CODE} of its entry`,
      "Upload what runs, without what it does not need.",
    );
  }
  const text = Buffer.from(await artifact.read(main));
  if (!isUtf8(text) || text.includes(0)) throw refused(`${entry} is no text`, "An interpreter reads UTF-8 without NUL.");
  const files = await Promise.all(
    own.map(async (file) => {
      const content = Buffer.from(await artifact.read(file)).toString("base64");
      const parsed = fileInSchema.safeParse({ path: file.path, content, encoding: "base64", executable: file.executable });
      if (!parsed.success) throw refused(`${JSON.stringify(file.path)} cannot be a file of a workspace`, "Paths are relative and stay inside.");
      return parsed.data;
    }),
  );
  return { code: text.toString("utf8"), files };
}

const refused = (why: string, hint: string) => new PlastronError("invalid_request", why, { hint });
