import { suggestion } from "@plastron/document";
import { z } from "zod";
import { ENFORCERS, namesEnforcer } from "../raw/enforcers.ts";
import { fields, labels, selector, strings, whole, word } from "./fields.ts";
import { appArmorRawRules, bpfRawRules, defenseInDepth, networkProxyConfig, networkProxyRawRules, syscallRawRules } from "./schema-rules.ts";

/**
 * VarmorPolicy and VarmorClusterPolicy, crd.varmor.org/v1beta1: every field of the CRD and no other. Where the CRD says `string` and
 * upstream's webhook then wants one of a few words, the words are here.
 */
const enhanceProtect = fields({
  hardeningRules: strings.optional(),
  attackProtectionRules: z.array(fields({ rules: strings, targets: strings.optional() })).optional(),
  vulMitigationRules: strings.optional(),
  appArmorRawRules: appArmorRawRules.optional(),
  bpfRawRules: bpfRawRules.optional(),
  networkProxyRawRules: networkProxyRawRules.optional(),
  syscallRawRules: syscallRawRules.optional(),
  privileged: z.boolean().optional(),
  auditViolations: z.boolean().optional(),
  allowViolations: z.boolean().optional(),
});

/** Any mixture in one word, in any case: BPFSeccomp, AppArmorBPFSeccomp. What else is in the word is looked at with the rules. */
const enforcer = z.string().refine((value) => ENFORCERS.some((name) => namesEnforcer(value, name)), {
  error: ({ input }) => `must name at least one of ${ENFORCERS.join(", ")}${suggestion(String(input), ENFORCERS)}`,
});

const policy = fields({
  enforcer,
  mode: word(["AlwaysAllow", "RuntimeDefault", "EnhanceProtect", "BehaviorModeling", "DefenseInDepth"]),
  enhanceProtect: enhanceProtect.optional(),
  modelingOptions: fields({ duration: whole(1, null, "at least 1 minute, in whole minutes") }).optional(),
  defenseInDepth: defenseInDepth.optional(),
  networkProxyConfig: networkProxyConfig.optional(),
});

/** Chooses workloads in a cluster. Here a run names its policy, so a target selects nothing; it must still be a valid one. */
const target = fields({
  kind: word(["Deployment", "StatefulSet", "DaemonSet", "Pod"]),
  name: z.string().optional(),
  containers: z.array(z.string().min(1, "must not be empty: it names a container")).optional(),
  selector: selector.optional(),
}).refine((value) => !value.name !== (value.selector === undefined), "must have either name or selector, and not both");

const status = fields({
  profileName: z.string().optional(),
  ready: z.boolean().optional(),
  phase: z.string().optional(),
  conditions: z
    .array(
      fields({
        type: z.string(),
        status: z.string(),
        reason: z.string().optional(),
        message: z.string().optional(),
        lastTransitionTime: z.string().optional(),
      }),
    )
    .optional(),
});

/** Kubernetes' own metadata has many more fields (managedFields, uid…): they say nothing about protection. */
const metadata = z.looseObject({
  name: z
    .string()
    .min(1, "must not be empty")
    .max(253, "must have at most 253 characters")
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, "must be lower-case letters, digits, - and ."),
  namespace: z.string().max(63, "must have at most 63 characters").optional(),
  labels: labels.optional(),
  annotations: labels.optional(),
});

const shared = {
  apiVersion: z.literal("crd.varmor.org/v1beta1", 'must be "crd.varmor.org/v1beta1"'),
  metadata,
  spec: fields({ target, policy, updateExistingWorkloads: z.boolean().optional() }),
  status: status.optional(),
};

export const policySchema = fields({ ...shared, kind: word(["VarmorPolicy", "VarmorClusterPolicy"]) });
export type PolicyDocument = z.infer<typeof policySchema>;
export type EnhanceProtect = z.infer<typeof enhanceProtect>;
