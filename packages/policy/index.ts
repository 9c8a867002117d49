export { compileDefault } from "./default.ts";
export { weakConfinement } from "./weak.ts";
