import { and, copy, exit, jump32, load32, move, R } from "./instructions.ts";
import { Program } from "./program.ts";

/** struct bpf_cgroup_dev_ctx. The first word: the kind of device in its low half, what is done with it in its high half. */
const CONTEXT = { access: 0, major: 4, minor: 8 } as const;
const CHARACTER = 2;
const MKNOD = 1 << 16;
/** Documentation/admin-guide/devices.txt: null, zero, full, random, urandom, and the terminal that a process has anyway. */
const ALLOWED = [
  { major: 1, minors: [3, 5, 7, 8, 9] },
  { major: 5, minors: [0] },
];

/** Reads and writes of the devices that a sandbox is given. No other device, and none can be made. */
export function deviceProgram(): Uint8Array {
  const program = new Program();
  const refuse = program.label("refuse");
  const pass = program.label("pass");
  program.add(load32(R.b, R.a, CONTEXT.access), load32(R.c, R.a, CONTEXT.major), load32(R.d, R.a, CONTEXT.minor));
  program.jump(jump32("any", R.b, MKNOD), refuse);
  program.add(copy(R.e, R.b), and(R.e, 0xffff));
  program.jump(jump32("ne", R.e, CHARACTER), refuse);
  for (const { major, minors } of ALLOWED) {
    const next = program.label(`after major ${major}`);
    program.jump(jump32("ne", R.c, major), next);
    for (const minor of minors) program.jump(jump32("eq", R.d, minor), pass);
    program.goto(refuse);
    program.place(next);
  }
  program.place(refuse);
  program.add(move(R.r0, 0), exit());
  program.place(pass);
  program.add(move(R.r0, 1), exit());
  return program.encode();
}
