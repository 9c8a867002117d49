import type { Case } from "../case.ts";
import { all, python, quoted, reading, running, shell, writing } from "../probes.ts";

const TOKEN = "/run/secrets/kubernetes.io/serviceaccount/token";
const token = { files: { [TOKEN]: "synthetic", "/run/secrets/other": "plain" }, denied: [reading(TOKEN)], control: [reading("/run/secrets/other")] };
const SA = { attackProtectionRules: [{ rules: ["mitigate-sa-leak"] }] };

export const FILE_CASES: Case[] = [
  { id: "1", title: "a service account's token under AppArmor's rule", enforcer: "AppArmor", enhanceProtect: SA, ...token, rule: "mitigate-sa-leak" },
  {
    ...{ id: "2", title: "a service account's token under BPF's rule", enforcer: "BPF", enhanceProtect: SA, ...token },
    ...{ rule: "mitigate-sa-leak", operation: "File" },
  },
  {
    ...{ id: "3", title: "a service account's token under a cluster policy", kind: "VarmorClusterPolicy", enforcer: "BPF", enhanceProtect: SA, ...token },
    rule: "mitigate-sa-leak",
  },
  {
    id: "24a",
    title: "a program that a raw rule names, whatever it is called by",
    enforcer: "BPF",
    enhanceProtect: { bpfRawRules: { processes: [{ qualifiers: ["deny", "audit"], pattern: "**/sleep", permissions: ["exec"] }] } },
    denied: [running("/usr/bin/sleep", "0"), shell("run it by a relative path", "cd /usr/bin && ./sleep 0")],
    control: [running("/usr/bin/true")],
    rule: "bpfRawRules.processes[0]",
    operation: "Bprm",
  },
  {
    id: "26",
    title: "the runtime's own program, through /proc (CVE-2019-5736)",
    enforcer: "BPF",
    enhanceProtect: { vulMitigationRules: ["runc-override-mitigation"] },
    denied: [writing("/proc/1/exe")],
    control: [reading("/proc/self/exe")],
    rule: null,
  },
  {
    id: "etc",
    title: "what BPF's hooks miss of disable-write-etc: unlink, mkdir, truncate, chmod, rename away",
    enforcer: "BPF",
    enhanceProtect: { attackProtectionRules: [{ rules: ["disable-write-etc"] }] },
    denied: [
      writing("/etc/new"),
      ...[
        ["unlink", "os.unlink('/etc/hostname')"],
        ["mkdir", "os.mkdir('/etc/new')"],
        ["truncate", "os.truncate('/etc/hostname', 0)"],
        ["chmod", "os.chmod('/etc/hostname', 0o600)"],
        ["rename away", "os.rename('/etc/hostname', '/etc/other')"],
      ].map(([what, code]) => python(what as string, `ended(lambda: ${code})`)),
    ],
    control: [reading("/etc/hostname"), writing("/tmp/etc-like")],
    rule: null,
  },
  {
    id: "skills",
    title: "an assistant's skills, by pattern, also where they are made later",
    enforcer: "AppArmor",
    enhanceProtect: { attackProtectionRules: [{ rules: ["disable-write-skills"] }] },
    denied: [
      all("write a file below a directory of that name", {
        python3: `os.makedirs("/tmp/a", exist_ok=True)\nos.makedirs("/tmp/b/skills", exist_ok=True)\nended(lambda: open("/tmp/b/skills/SKILL.md", "w").close())`,
        nodejs: `const fs = require("node:fs"); attempt(() => { fs.mkdirSync("/tmp/b/skills", { recursive: true }); fs.writeFileSync("/tmp/b/skills/SKILL.md", "x"); });`,
        bash: `mkdir -p /tmp/b/skills; : >/tmp/b/skills/SKILL.md`,
      }),
      python(
        "rename a file in",
        `os.makedirs("/tmp/b/skills", exist_ok=True)\nopen("/tmp/b/plain", "w").close()\nended(lambda: os.rename("/tmp/b/plain", "/tmp/b/skills/SKILL.md"))`,
      ),
    ],
    control: [writing("/tmp/skills.txt"), writing("/workspace/skillset")],
    rule: "disable-write-skills",
    operation: "File",
  },
  {
    id: "raw-files",
    title: "raw file rules over the root, the workspace and /proc",
    enforcer: "BPF",
    enhanceProtect: {
      bpfRawRules: {
        files: [
          { qualifiers: ["deny", "audit"], pattern: "/workspace/private/**", permissions: ["read", "write"] },
          { qualifiers: ["deny", "audit"], pattern: "/usr/share/zoneinfo/**", permissions: ["read"] },
        ],
      },
    },
    denied: [
      python("write below the directory", `os.makedirs("/workspace/private", exist_ok=True)\nended(lambda: open("/workspace/private/x", "w").close())`),
      python(
        "write through a symbolic link",
        `os.makedirs("/workspace/private", exist_ok=True)\nos.symlink("/workspace/private", "/tmp/link")\nended(lambda: open("/tmp/link/y", "w").close())`,
      ),
      python(
        "write through /proc/self/cwd",
        `os.makedirs("/workspace/private", exist_ok=True)\nos.chdir("/workspace/private")\nended(lambda: open("/proc/self/cwd/z", "w").close())`,
      ),
      reading("/usr/share/zoneinfo/Etc/UTC"),
    ],
    control: [writing("/workspace/public"), reading("/usr/share/common-licenses/BSD")],
    rule: ["bpfRawRules.files[0]", "bpfRawRules.files[1]"],
    operation: "File",
  },
  {
    id: "shell",
    title: "a shell by a relative path, by another name, and as the interpreter of a script",
    enforcer: "BPF",
    enhanceProtect: { attackProtectionRules: [{ rules: ["disable-shell"] }] },
    denied: [
      ...[
        ["by its path", `["/bin/sh", "-c", "true"]`, "pass"],
        ["by a relative path", `["./sh", "-c", "true"]`, `os.chdir("/usr/bin")`],
        ["by a link of another name", `["/tmp/tool", "-c", "true"]`, `os.symlink("/usr/bin/dash", "/tmp/tool")`],
        ["as the interpreter of a script", `["/tmp/script"]`, `open("/tmp/script", "w").write("#!/bin/sh\\ntrue\\n"); os.chmod("/tmp/script", 0o755)`],
      ].map(([what, command, before]) => python(`start it ${what}`, `import subprocess\n${before}\nended(lambda: subprocess.run(${command}))`)),
      {
        ...python(
          "start a copy of it",
          `import shutil, subprocess\nshutil.copy("/usr/bin/true", "/tmp/copy")\ntry:\n    shutil.copy("/usr/bin/dash", "/tmp/copy")\nexcept PermissionError:\n    pass\nended(lambda: subprocess.run(["/tmp/copy", "-c", "true"]))`,
        ),
        unrecorded: true,
      },
    ],
    control: [
      python("start another program", `import subprocess\nended(lambda: subprocess.run(["/usr/bin/true"]))`),
      python("compute", `print(${quoted("x")})`),
    ],
    rule: "disable-shell",
    operation: "Bprm",
  },
];
