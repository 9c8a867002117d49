import { readFileSync } from "node:fs";
import type { Cluster } from "@plastron/contracts";
import { Failure, usage } from "../failure.ts";

/** The operator's file of cluster addresses. Throws Failure invalid_request that names the file, and each error's line. */
export async function readCluster(path: string, by = "--cluster-addresses"): Promise<Cluster> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw usage(`${by} ${path} ${missing ? "does not exist" : `cannot be read: ${(error as Error).message}`}`, "Check the path.");
  }
  const [{ parseCluster }, { PlastronError }] = await Promise.all([import("@plastron/policy"), import("@plastron/contracts")]);
  try {
    return parseCluster(text);
  } catch (error) {
    if (!(error instanceof PlastronError)) throw error;
    throw new Failure(error.code, `${path}: ${error.message}`, { hint: error.hint, errors: error.errors });
  }
}
