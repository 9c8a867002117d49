import { PlastronError } from "@plastron/contracts";
import { Document } from "yaml";
import { generalise } from "../modelling/generalise.ts";
import { danger } from "../modelling/places.ts";
import type { BehaviorProfile, ProfiledFile } from "../modelling/profile.ts";
import type { PolicyDocument } from "../parse/schema.ts";
import type { Resolvable } from "../rules/resolve.ts";
import { learnedAppArmor } from "./apparmor.ts";
import { learnedNetwork } from "./network.ts";
import { learnedSeccomp } from "./seccomp.ts";

export interface LearnedOptions {
  name: string;
  /** Give what `profile.dangerous` names too. */
  allowDangerous?: boolean;
}

/** As many lines as a policy's AppArmor text may have, with room for those that are not files. */
const MAX_FILES = 900;

/**
 * A profile → the complete policy that allows what was seen and denies everything else, on record: mode DefenseInDepth with a
 * seccomp and an AppArmor profile of its own. Throws PlastronError invalid_request for a profile without a run, or one whose
 * files are too many to list.
 */
export function learnedPolicy(profile: BehaviorProfile, { name, allowDangerous = false }: LearnedOptions): PolicyDocument {
  const texts = learnedTexts(profile, allowDangerous);
  const networkProxy = learnedNetwork(profile);
  return {
    apiVersion: "crd.varmor.org/v1beta1",
    kind: "VarmorPolicy",
    metadata: { name },
    spec: {
      target: { kind: "Deployment", selector: { matchLabels: { app: name } } },
      policy: {
        enforcer: `AppArmorSeccomp${networkProxy ? "NetworkProxy" : ""}`,
        mode: "DefenseInDepth",
        defenseInDepth: {
          appArmor: { profileType: "Custom", customProfile: texts.appArmor },
          seccomp: { profileType: "Custom", customProfile: texts.seccomp },
          ...(networkProxy ? { networkProxy } : {}),
        },
      },
    },
  };
}

/** The same as YAML, with what was left out at its head. */
export function learnedPolicyText(profile: BehaviorProfile, options: LearnedOptions): string {
  const document = new Document(learnedPolicy(profile, options));
  const left = options.allowDangerous ? [] : profile.dangerous.map(({ what, why }) => ` Left out: ${oneLine(what)}: ${oneLine(why)}`);
  document.commentBefore = [
    ` Learnt from ${profile.runs} ${profile.runs === 1 ? "run" : "runs"}: what is not listed was not seen, and is denied.`,
    ...left,
  ].join("\n");
  return document.toString({ lineWidth: 0 });
}

/** A policy that asks for BehaviorModel with what that profile says in its place. Others are as they were. */
export function withBehavior(policy: Resolvable, profile: BehaviorProfile): Resolvable {
  const { defenseInDepth, mode } = policy.spec.policy;
  if (mode !== "DefenseInDepth" || !defenseInDepth) return policy;
  const texts = learnedTexts(profile, false);
  const { appArmor, seccomp } = defenseInDepth;
  const filled = {
    ...defenseInDepth,
    ...(appArmor?.profileType === "BehaviorModel" ? { appArmor: { ...appArmor, profileType: "Custom" as const, customProfile: texts.appArmor } } : {}),
    ...(seccomp?.profileType === "BehaviorModel" ? { seccomp: { ...seccomp, profileType: "Custom" as const, customProfile: texts.seccomp } } : {}),
  };
  return { ...policy, spec: { ...policy.spec, policy: { ...policy.spec.policy, defenseInDepth: filled } } };
}

function learnedTexts(profile: BehaviorProfile, allowDangerous: boolean): { appArmor: string; seccomp: string } {
  if (profile.runs === 0)
    throw new PlastronError("invalid_request", "nothing was learnt yet: the profile has no run", {
      hint: "Run the workload under a policy in mode BehaviorModeling first.",
    });
  const files = filesOf(profile, allowDangerous);
  if (files.length > MAX_FILES) {
    throw new PlastronError("invalid_request", `the workload uses ${files.length} different files; a policy can list ${MAX_FILES}`, {
      hint: "Let it work below one directory, or write a policy of your own that names directories.",
    });
  }
  return { appArmor: learnedAppArmor(profile, files), seccomp: JSON.stringify(learnedSeccomp(profile)) };
}

function filesOf({ observed }: BehaviorProfile, allowDangerous: boolean): ProfiledFile[] {
  const isDangerous = ({ path, examples }: BehaviorProfile["observed"][number]): boolean => [path, ...examples].some((each) => danger(each) !== undefined);
  return generalise(allowDangerous ? observed : observed.filter((file) => !isDangerous(file))).files;
}

/** Paths are the workload's text. */
const oneLine = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 300);
