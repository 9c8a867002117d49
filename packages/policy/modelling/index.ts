/** From what a sensor saw of runs to a behaviour profile: functions over values. */
export { generalise } from "./generalise.ts";
export { type Learning, mergeProfiles, profileOf } from "./merge.ts";
export { nameOf } from "./names.ts";
export { danger, reachesTooFar } from "./places.ts";
export { type BehaviorProfile, behaviorProfileSchema, EMPTY_PROFILE, isBehaviorProfile, PROFILE_FORMAT, readProfile } from "./profile.ts";
