/** Call stacks of stopped programs, read from outside: see README.md. */
export { forgetBinaries, learnBinary } from "./elf/binaries.ts";
export { readStack, type StackOptions } from "./read-stack.ts";
