/** Tests of other packages speak to the process itself (main.ts); what can be used as functions is what decides. */
export { compileRules, type Rules } from "./rules/compiled.ts";
export { judge, judgeName, type Subject, type Verdict } from "./rules/judge.ts";
export { meaningsOf } from "./rules/path.ts";
export { Authority } from "./tls/authority.ts";
