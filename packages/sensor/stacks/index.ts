/** Call stacks of stopped programs, read from outside: see README.md. */
export { readStack, type StackOptions } from "./read-stack.ts";
