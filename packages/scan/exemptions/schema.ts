import { vexJustificationSchema } from "@plastron/contracts";
import { z } from "zod";

/** `pkg:npm/lodash` or `npm:lodash`: a package by its ecosystem and its name, in all versions. */
const dependency = z
  .string()
  .max(300)
  .regex(/^(pkg:)?[a-z][a-z0-9.+-]*[:/][^\s*?[\]]+$/i, "must name one package, without wildcards: npm:lodash or pkg:npm/lodash");

/** All that is given must hold; what is left out does not matter. */
export const scopeSchema = z.strictObject({
  rule: z.string().min(1).max(300).optional(),
  path: z.string().min(1).max(1000).optional(),
  fingerprint: z
    .string()
    .regex(/^[0-9a-f]{32}$/, "must be the 32 hexadecimal characters that the report gives as fingerprint")
    .optional(),
  advisory: z
    .string()
    .max(100)
    .regex(/^[A-Za-z]+-[A-Za-z0-9-]+$/, "must be an advisory's name, such as CVE-2021-23337")
    .optional(),
  dependency: dependency.optional(),
  /** In the ecosystem's own words: `>=4.0.0 <4.17.21`. */
  versions: z.string().min(1).max(200).optional(),
  /** The way from a direct dependency down: names that must come in it in this order. */
  through: z.array(z.string().min(1).max(300)).min(1).max(30).optional(),
});
export type Scope = z.infer<typeof scopeSchema>;

export const exemptionSchema = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "must be letters, digits, dots, dashes and underscores, 64 at most"),
  scope: scopeSchema,
  reason: z.string().trim().min(20, "must say why, in 20 characters or more").max(2000),
  /** Who asks for it. */
  author: z.string().trim().min(2).max(200),
  /** Who answers for it: somebody else. */
  approver: z.string().trim().min(2).max(200),
  created: z.iso.date(),
  expires: z.iso.date(),
  status: z.enum(["accepted", "not_affected", "false_positive"]).default("accepted"),
  justification: vexJustificationSchema.optional(),
});
export type Exemption = z.infer<typeof exemptionSchema>;

export const exemptionsSchema = z.strictObject({ version: z.literal(1, "must be 1"), exemptions: z.array(exemptionSchema).max(2000) });
