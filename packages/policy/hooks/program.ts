import { always, encode, type Instruction } from "./instructions.ts";

/** A place in a program that jumps lead to; of no use outside of the program that made it. */
export type Label = { readonly name: string };

/** A jump's offset is a signed 16-bit number. Less than that, since an island has a length of its own. */
const REACH = 24_000;

/**
 * eBPF being written. Jumps only lead forward, so that it always ends. One that would be too long for its 16-bit offset goes by
 * way of an island: a place in between that jumps on.
 */
export class Program {
  readonly #code: Instruction[] = [];
  /** Jumps to labels that have no place yet, oldest first. */
  readonly #waiting = new Map<Label, number[]>();
  /** None of them is before this. */
  #oldest = 0;
  /** Whether the next instruction can be reached from the last one: the kernel refuses what nothing leads to. */
  #falls = true;

  label(name: string): Label {
    return { name };
  }

  add(...instructions: Instruction[]): void {
    this.#bridge();
    for (const instruction of instructions) this.#push(instruction);
  }

  jump(instruction: Instruction, to: Label): void {
    this.#bridge();
    this.#push(instruction);
    this.#wait(to, this.#code.length - 1);
  }

  goto(to: Label): void {
    this.jump(always(), to);
  }

  /** The next instruction is where `label` leads. */
  place(label: Label): void {
    const jumps = this.#waiting.get(label) ?? [];
    this.#waiting.delete(label);
    for (const at of jumps) this.#aim(at, this.#code.length);
    if (jumps.length > 0) this.#falls = true;
  }

  encode(): Uint8Array {
    for (const { name } of this.#waiting.keys()) throw new Error(`nothing is at ${name}`);
    return encode(this.#code);
  }

  #push(instruction: Instruction): void {
    this.#code.push({ ...instruction });
    this.#falls = instruction.code !== always().code && instruction.code !== 0x95;
  }

  #wait(label: Label, at: number): void {
    const jumps = this.#waiting.get(label);
    if (jumps) jumps.push(at);
    else this.#waiting.set(label, [at]);
  }

  #aim(at: number, target: number): void {
    (this.#code[at] as Instruction).off = target - at - 1;
  }

  #bridge(): void {
    const here = this.#code.length;
    if (here - this.#oldest <= REACH) return;
    this.#oldest = Math.min(here, ...[...this.#waiting.values()].map(([first = here]) => first));
    if (here - this.#oldest <= REACH) return;
    const over = this.label("over the island");
    if (this.#falls) {
      this.#push(always());
      this.#wait(over, here);
    }
    for (const [label, [first = here]] of [...this.#waiting]) {
      if (here - first <= REACH / 2) continue;
      this.place(label);
      this.#push(always());
      this.#wait(label, this.#code.length - 1);
    }
    this.place(over);
  }
}
