/** From a behaviour profile to the policy that allows what it saw and nothing else. */
export { armorProfileModel } from "./export.ts";
export { type LearnedOptions, learnedPolicy, learnedPolicyText, withBehavior } from "./policy.ts";
export { profileSummary } from "./summary.ts";
