import { judgeName } from "../rules/judge.ts";
import type { Sandbox } from "../sandbox.ts";
import { A, AAAA, NO_ERROR, NO_SUCH_NAME, REFUSED, readQuestion, SERVER_FAILURE, writeAnswer } from "./message.ts";
import { slotAddress } from "./stand-ins.ts";

/**
 * The answer to one datagram, or undefined where it deserves none. Nothing is asked of anybody: a name that the rules could let
 * through gets addresses that stand for it, every other name does not exist, and no other record is known of any, so that no
 * question carries anything out and HTTPS records offer neither QUIC nor an encrypted hello.
 */
export function answerQuestion(sandbox: Sandbox, packet: Buffer): Uint8Array | undefined {
  const question = readQuestion(packet);
  if (!question) return undefined;
  const carried = sandbox.noteQuestion(question.name);
  if (carried === "too-much") return writeAnswer(question, REFUSED);
  const verdict = judgeName(sandbox.rules, question.name);
  sandbox.account.asked(question.name, question.type, verdict.allowed);
  if (!verdict.allowed) {
    sandbox.recordName(
      verdict,
      question.name,
      `To let it be found: --allow-net ${question.name}, or in the policy httpRules: [{ qualifiers: [allow], match: { hosts: [${question.name}] } }]`,
    );
    return writeAnswer(question, NO_SUCH_NAME);
  }
  if (question.type !== A && question.type !== AAAA) return writeAnswer(question, NO_ERROR);
  const slot = sandbox.standIns.slotOf(question.name);
  return slot === undefined ? writeAnswer(question, SERVER_FAILURE) : writeAnswer(question, NO_ERROR, [slotAddress(slot, question.type === A ? 4 : 6)]);
}
