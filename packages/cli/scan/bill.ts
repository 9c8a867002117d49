import { closeSync, openSync, readSync, statSync } from "node:fs";
import { isSbom } from "@plastron/scan";
import { usage } from "../failure.ts";

const HEAD = 4096;

/** The file that --sbom names, to be scanned like any other: what is no bill of materials would be found clean, and is refused instead. */
export function billOf(file: string, what: string | undefined, analysers: string | undefined): string {
  if (what !== undefined) throw usage("--sbom stands instead of what to scan", `Leave out ${what}, or scan it without --sbom.`);
  if (analysers !== undefined) throw usage("--sbom asks for dependencies alone", "Leave out --analysers.");
  if (!isSbom(file, headOf(file))) throw usage(`${file} is no bill of materials that is read`, FORMS);
  return file;
}

const FORMS = "CycloneDX as JSON or XML, SPDX 2 as JSON or tags and SPDX 3 as JSON are, in files that are called *.json, *.xml or *.spdx.";

function headOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat?.isFile()) throw usage(`${file} is no file`, "Name a bill of materials that is there.");
  const fd = openSync(file, "r");
  try {
    const head = Buffer.alloc(HEAD);
    return head.subarray(0, readSync(fd, head)).toString("utf8");
  } finally {
    closeSync(fd);
  }
}
