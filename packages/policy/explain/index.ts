export { explainer } from "./explain.ts";
export { type Explain, type Explanation, PLATFORM_RULES } from "./explanation.ts";
export { denialKey, explainTelemetry, isTold, seenViolation } from "./seen.ts";
