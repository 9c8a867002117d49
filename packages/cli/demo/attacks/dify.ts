import { type Attack, POLICY, trial, WEAK_ROOT } from "../attack.ts";
import { program, python } from "../programs/load.ts";

const PRELOAD_RUNNER = program("preload-runner.py");
const PRELOAD_PAYLOAD = python(program("preload-payload.py"));
const GLOBAL_RUNNER = program("global-runner.cjs");
const GLOBAL_PAYLOAD = program("global-payload.cjs");
const HELLO = 'print("hello")';

/** A request of Dify's code-execution API, as its clients send it. */
interface DifyRequest {
  language: "python3";
  code: string;
  preload: string;
}

/**
 * What Plastron's Dify door makes of a request (packages/server/modules/dify/request.ts, which has its own tests): `preload` is
 * accepted, because Dify's client sends it, and nothing of it goes on to a sandbox.
 */
const throughOurDoor = ({ language, code }: DifyRequest) => ({ runtime: language, code });

const injection: DifyRequest = { language: "python3", code: HELLO, preload: PRELOAD_PAYLOAD };

/** Two published vulnerabilities of dify-sandbox, replayed against small re-creations of its runners and against ours. */
export const difyAttacks: Attack[] = [
  {
    id: "cve-2024-10252",
    cve: "CVE-2024-10252",
    title: "command injection by preload",
    story: "A request's preload script ran as root before the sandbox closed, so whoever could send a template owned the container.",
    rule: "built-in: preload is never executed",
    without: [
      trial("preload in the re-created runner", {
        code: PRELOAD_RUNNER,
        stdin: JSON.stringify(injection),
        place: WEAK_ROOT,
        expect: "succeeded",
      }),
      trial("the same payload as code in the re-created runner", {
        code: PRELOAD_RUNNER,
        stdin: JSON.stringify({ ...injection, code: PRELOAD_PAYLOAD, preload: "" }),
        place: WEAK_ROOT,
        expect: "denied",
      }),
    ],
    with: [
      trial("the same payload as code", { code: PRELOAD_PAYLOAD, place: POLICY, expect: "denied" }),
      trial("the same request", { ...throughOurDoor(injection), place: POLICY, sign: { by: "silence", instead: "hello" }, expect: "denied" }),
    ],
  },
  {
    id: "cve-2025-3466",
    cve: "CVE-2025-3466",
    title: "redefining the runner's parseInt",
    story:
      "JavaScript replaced a function that the runner called on its way into the sandbox, so the attacker's code ran as root and the sandbox never closed.",
    rule: "built-in: the sandbox is closed before code is read",
    without: [
      trial("the redefined global in the re-created runner", {
        runtime: "nodejs",
        code: GLOBAL_RUNNER,
        stdin: JSON.stringify({ code: GLOBAL_PAYLOAD }),
        place: WEAK_ROOT,
        expect: "succeeded",
      }),
      trial("the same payload without the redefinition", {
        runtime: "nodejs",
        code: GLOBAL_RUNNER,
        stdin: JSON.stringify({ code: `${GLOBAL_PAYLOAD.replace("function parseInt", "function harmless")}\noverwrite();` }),
        place: WEAK_ROOT,
        expect: "denied",
      }),
    ],
    with: [trial("the same program", { runtime: "nodejs", code: `${GLOBAL_PAYLOAD}\nparseInt("65537");`, place: POLICY, expect: "denied" })],
  },
];
