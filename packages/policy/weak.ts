import { type Confinement, NO_RULES } from "@plastron/contracts";
import { base64, named } from "./confine.ts";
import { encode, Graph } from "./seccomp/program.ts";

type Weak = NonNullable<Confinement["weak"]>;

/**
 * A confinement with its controls taken out, so that the demo and the tests can show an attack at work before it is stopped.
 * Never compiled from a policy, and `weak` marks it. What is weak unless said otherwise: system calls, Landlock,
 * capabilities, a writable /etc. Limits and the network stay unless they are named: an attack on those would reach the host.
 */
export function weakConfinement(weak: Weak): Confinement {
  return named({
    ...NO_RULES,
    policy: "deliberately-weak",
    seccomp: base64(encode(new Graph().return(0x7fff0000))),
    user_namespaces: true,
    weak: { seccomp: true, landlock: true, capabilities: true, readonly_etc: true, ...weak },
  });
}
