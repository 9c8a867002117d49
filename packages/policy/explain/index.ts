export { explainer } from "./explain.ts";
export type { Explain, Explanation } from "./explanation.ts";
