import { type Approvals, approvalsSchema, PlastronError } from "@plastron/contracts";
import { APPROVALS_FILE } from "../agentware/index.ts";

export { APPROVALS_FILE } from "../agentware/index.ts";

/** JSON text → approvals. Throws PlastronError invalid_document: one that is not valid must not pass for one that approves nothing, under which less is reported. */
export function parseApprovals(text: string, where = APPROVALS_FILE): Approvals {
  try {
    return approvalsSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new PlastronError("invalid_document", `${where} is no file of approvals`, {
      hint: '`plastron scan DIR --approve` writes one: {"version": 1, "offers": {"PATH#NAME": "sha256"}}.',
      cause: error,
    });
  }
}
