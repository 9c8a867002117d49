import { statSync } from "node:fs";
import type { Approvals } from "@plastron/contracts";
import { APPROVALS_FILE, parseApprovals } from "@plastron/scan";
import { usage } from "../failure.ts";
import { openNamedFile, openProjectFile, type ProjectFile } from "../project-file/file.ts";

export interface ApprovalFlags {
  approvals?: string;
  approve?: boolean;
  despite?: string[];
}

/** What a scan is held against, and the file that it stands in; a note where there is one that cannot be read. */
export interface ApprovedBefore {
  readonly file: ProjectFile | null;
  readonly approvals: Approvals | null;
  readonly note: string | null;
}

/**
 * A file that the user names, else that of the scanned directory. What a package, an archive or somebody's repository brings counts for nothing. Of a directory's own a broken one is told,
 * and approves nothing; one that is named, or is to be written, must be valid.
 */
export function approvedBefore(what: string, { approvals: named, approve = false }: ApprovalFlags): ApprovedBefore {
  if (named !== undefined) {
    const file = openNamedFile(named);
    if (file.text === null && !approve) throw usage(`there is no file ${named}`, "--approve writes one.");
    return { file, approvals: file.text === null ? null : parseApprovals(file.text, named), note: null };
  }
  if (!statSync(what, { throwIfNoEntry: false })?.isDirectory()) {
    if (approve) throw usage("--approve needs --approvals FILE here", "What is approved is kept beside the code of a directory; of anything else, say where.");
    return { file: null, approvals: null, note: null };
  }
  try {
    const file = openProjectFile(what, APPROVALS_FILE);
    return { file, approvals: file.text === null ? null : parseApprovals(file.text), note: null };
  } catch (error) {
    if (approve) throw error;
    return { file: null, approvals: null, note: `nothing is held against what was approved: ${error instanceof Error ? error.message : error}` };
  }
}
