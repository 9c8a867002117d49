export { type Advice, type AdviseRequest, advise } from "./advise.ts";
export { type Behavior, readBehavior } from "./behavior.ts";
export type { Decision } from "./decide.ts";
export { ADVISED_ENFORCERS, FEATURES } from "./knowledge.ts";
export { adviceText } from "./text.ts";
