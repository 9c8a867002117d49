import { copy, jump32, load32, move, R } from "./instructions.ts";
import { Program } from "./program.ts";
import { SOCKET } from "./record.ts";
import { beginVerdict, both, Endings, endVerdict, NOTHING, type Outcome, outcomeOf } from "./verdict.ts";

/** All lists that are not empty must match. */
export interface SocketRule {
  rule: number;
  families: readonly number[];
  types: readonly number[];
  protocols: readonly number[];
  deny: boolean;
  report: boolean;
}

/** The kernel asks sock_create about these alone (linux/socket.h); the filter looks at the others. */
const FAMILIES = [2, 10];
const STREAM = 1;
const DATAGRAM = 2;
/** linux/in.h: those whose connect(2) and sendto(2) the hooks see. */
const SEEN = [
  { type: STREAM, protocol: 6 },
  { type: STREAM, protocol: 262 },
  { type: DATAGRAM, protocol: 17 },
];
/** Stands for every number that no rule names. */
const OTHER = -1;

/**
 * For sock_create. The kernel has put the protocol in by then: socket(AF_INET, SOCK_STREAM, 0) asks with 6.
 *
 * `guard`: what becomes of sockets that reach addresses without asking connect and sendmsg (UDP-Lite, SCTP, DCCP, raw, ping): where
 * rules deny addresses, these would be the way around.
 */
export function socketProgram(rules: readonly SocketRule[], guard: Outcome): Uint8Array {
  const program = new Program();
  const decided = program.label("decided");
  program.add(copy(R.context, R.a), move(R.port, 0));
  program.add(load32(R.b, R.context, SOCKET.family), load32(R.c, R.context, SOCKET.type), load32(R.d, R.context, SOCKET.protocol));
  beginVerdict(program);
  const named = (list: "types" | "protocols") => rules.flatMap((rule) => rule[list]);
  const types = [...new Set([...named("types"), STREAM, DATAGRAM])];
  const protocols = [...new Set([...named("protocols"), ...SEEN.map(({ protocol }) => protocol)])];
  const endings = new Endings(program, decided);
  branch(program, R.b, FAMILIES, (family) =>
    family === OTHER
      ? program.goto(decided)
      : branch(program, R.c, types, (type) =>
          branch(program, R.d, protocols, (protocol) => program.goto(endings.labelOf(decide(rules, guard, family, type, protocol)))),
        ),
  );
  endings.write();
  program.place(decided);
  endVerdict(program, SOCKET);
  return program.encode();
}

/** One way for each of `values`, and one for every other number. */
function branch(program: Program, register: number, values: readonly number[], write: (value: number) => void): void {
  for (const value of values) {
    const next = program.label(`not ${value}`);
    program.jump(jump32("ne", register, value), next);
    write(value);
    program.place(next);
  }
  write(OTHER);
}

function decide(rules: readonly SocketRule[], guard: Outcome, family: number, type: number, protocol: number): Outcome {
  const among = (list: readonly number[], value: number) => list.length === 0 || list.includes(value);
  const matching = rules.filter((rule) => among(rule.families, family) && among(rule.types, type) && among(rule.protocols, protocol));
  const seen = SEEN.some((one) => one.type === type && one.protocol === protocol);
  return matching.map(outcomeOf).reduce(both, seen ? NOTHING : guard);
}
