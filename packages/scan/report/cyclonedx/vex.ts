import type { Finding } from "@plastron/contracts";

type Exemption = NonNullable<Finding["exemption"]>;
type Justification = NonNullable<Exemption["justification"]>;

/** OpenVEX's reasons in CycloneDX's words. */
const JUSTIFICATION: Record<Justification, string> = {
  component_not_present: "code_not_present",
  vulnerable_code_not_present: "code_not_present",
  vulnerable_code_not_in_execute_path: "code_not_reachable",
  vulnerable_code_cannot_be_controlled_by_adversary: "requires_environment",
  inline_mitigations_already_exist: "protected_by_mitigating_control",
};

/** What is said of a finding to those who use the artifact. Where nobody has answered for it yet, it is being looked at: nothing is claimed. */
export function analysisOf({ state, exemption, secret }: Finding): Record<string, unknown> {
  if (state === "open" || exemption === null) return { state: secret?.state === "live" ? "exploitable" : "in_triage" };
  const detail = saidBy(exemption);
  switch (exemption.status) {
    case "accepted":
      return { state: "exploitable", response: ["will_not_fix"], detail };
    case "false_positive":
      return { state: "false_positive", detail };
    case "not_affected":
      return { state: "not_affected", ...(exemption.justification ? { justification: JUSTIFICATION[exemption.justification] } : {}), detail };
  }
}

/** The same in OpenVEX: `affected` must say what is done, `not_affected` must say why. */
export function statementOf({ state, exemption, secret, fix }: Finding): Record<string, unknown> {
  if (state === "open" || exemption === null)
    return secret?.state === "live" ? { status: "affected", action_statement: fix.text } : { status: "under_investigation" };
  const said = saidBy(exemption);
  if (exemption.status === "accepted") return { status: "affected", action_statement: said };
  const justification = exemption.justification ?? (exemption.status === "false_positive" ? "vulnerable_code_not_present" : null);
  return { status: "not_affected", ...(justification ? { justification } : {}), impact_statement: said };
}

const saidBy = ({ id, reason, approver, expires }: Exemption): string => `${reason} (exemption ${id}, approved by ${approver}, until ${expires})`;
