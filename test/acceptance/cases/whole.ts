import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parsePolicy } from "@plastron/policy";
import type { Case } from "../case.ts";
import { calling, python, reading, running, shell, writing } from "../probes.ts";

const TOKEN = "/run/secrets/kubernetes.io/serviceaccount/token";
const { enforcer, enhanceProtect = {} } = parsePolicy(readFileSync(join(import.meta.dirname, "../../../policies/dify-sandbox.yaml"), "utf8")).spec.policy;

/** The policy that was published for Dify's sandbox, as it is: what its article attacks, and what a code runner must be able to do. */
export const WHOLE_POLICY: Case = {
  id: "29",
  title: "the whole policy for Dify's code runner",
  enforcer,
  enhanceProtect,
  files: { [TOKEN]: "synthetic" },
  denied: [
    reading(TOKEN),
    shell("unshare -U", "unshare -U true"),
    shell("chmod +x", ": >/tmp/f; chmod +x /tmp/f"),
    running("/usr/bin/su", "--version"),
    calling("setsockopt(SO_ATTACH_FILTER)", 54, "s.fileno(), 1, 26, 0, 0", 14, "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"),
    calling("userfaultfd", 323, "1"),
    calling("umount", 166, `b"/nowhere", 0`, 14),
  ],
  control: [
    writing("/workspace/result"),
    reading("/etc/hosts"),
    python(
      "start a program and a thread",
      `import subprocess, threading\nt = threading.Thread(target=print)\nt.start()\nt.join()\nended(lambda: subprocess.run(["/usr/bin/true"], check=True))`,
    ),
    shell("a pipeline of tools", "printf 'b\\na\\n' | sort | head -1 >/dev/null"),
  ],
  rule: [
    "mitigate-sa-leak",
    "disallow-create-user-ns",
    "disallow-abuse-user-ns",
    "disable-chmod",
    "disable-chmod-x-bit",
    "disable-su-sudo",
    "disallow-load-bpf-via-setsockopt",
    "disallow-userfaultfd-creation",
    "disallow-umount",
    "floor-mounts",
  ],
};
