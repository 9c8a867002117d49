import { constants } from "node:fs";
import { type FileHandle, open, readlink, realpath } from "node:fs/promises";
import { join } from "node:path";

/** A secret that a request needs and cannot have. Its message names it and never holds it. */
export class NoSecret extends Error {
  /** Of the answer that the program gets. */
  readonly status: number = 502;
}

/** One that is there, and may not go where it was sent. */
export class Withheld extends NoSecret {
  override readonly status = 403;
}

/** As the server has them. Whoever is called otherwise has no directory, and so no secrets. */
const TENANT = /^[a-z0-9][a-z0-9-]{0,62}$/;
const NAME = /^(?!.*\.\.)[A-Za-z0-9_-][A-Za-z0-9._-]{0,252}$/;
/** More than any server takes in all headers together. */
const MAX_BYTES = 16_384;

/**
 * DIRECTORY/TENANT/NAME/KEY, read anew for each request: a secret that is changed is used at once, and none is kept. The policy
 * says NAME and KEY, and may be the tenant's own: the driver says TENANT, and nothing that is named here leads out of its directory.
 */
export async function readSecret(directory: string | null, tenant: string | null, { name, key }: { name: string; key: string }): Promise<string> {
  const wrong = (why: string) => new NoSecret(`secret ${name}/${key} ${why}`);
  if (directory === null) throw wrong("is needed, and there is no directory of secrets");
  if (tenant === null) throw wrong("is needed, and this sandbox is no tenant's");
  if (!TENANT.test(tenant)) throw wrong("is needed, and this tenant's name can have no secrets");
  if (!NAME.test(name) || !NAME.test(key)) throw wrong("has an impossible name");
  const text = await readWithin(join(await realpath(directory).catch(() => directory), tenant), name, key).catch((error: NodeJS.ErrnoException) => {
    throw wrong(`cannot be read: ${error.code ?? error.message}`);
  });
  const value = text.replace(/\r?\n$/, "");
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) throw wrong("cannot stand in a header");
  return value;
}

/**
 * The file is opened, and then asked where it is: links that stay in the tenant's directory are good (a mounted Kubernetes Secret
 * is made of them), and between a check and a use there is nothing that could be exchanged.
 */
async function readWithin(root: string, name: string, key: string): Promise<string> {
  const file = await open(join(root, name, key), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const place = await readlink(`/proc/self/fd/${file.fd}`);
    if (!place.startsWith(`${root}/`)) throw new Error("it leads out of the tenant's directory");
    if (!(await file.stat()).isFile()) throw new Error("it is no file");
    return await readAll(file);
  } finally {
    await file.close();
  }
}

async function readAll(file: FileHandle): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_BYTES + 1), 0, MAX_BYTES + 1, 0);
  if (bytesRead > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES} bytes`);
  return buffer.toString("utf8", 0, bytesRead);
}
