import type { BehaviorProfile } from "../modelling/profile.ts";

/**
 * The profile as vArmor's ArmorProfileModel, which its behaviour modelling writes and its policies of type BehaviorModel read.
 * Permissions are AppArmor's letters; libraries get `m`, since AppArmor asks leave to map them. Argument values and names of hosts
 * have no place in it.
 */
export function armorProfileModel(profile: BehaviorProfile, name: string): object {
  const letters = { read: "r", write: "w", append: "a", exec: "x" } as const;
  return {
    apiVersion: "crd.varmor.org/v1beta1",
    kind: "ArmorProfileModel",
    metadata: { name },
    spec: {
      dynamicResult: {
        apparmor: {
          executions: profile.executions,
          capabilities: profile.capabilities,
          files: profile.files.map(({ path, permissions }) => ({
            path,
            permissions: [...permissions.map((permission) => letters[permission]), ...(/\.so(\.|$)/.test(path) ? ["m"] : [])],
          })),
          networks: profile.sockets.map(({ family, type, protocol }) => ({ family, sockType: type, protocol })),
        },
        seccomp: { syscalls: profile.syscalls },
      },
    },
  };
}
