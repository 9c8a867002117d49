/** What `plastron rules new` writes: rules that pass their own tests, to be changed line by line. */
export interface Template {
  /** Folder below code/, and the first of `languages`. */
  readonly folder: string;
  readonly languages: string;
  /** The fields of the rule's kind, and its examples. */
  readonly body: string;
}

const SYNTAX_REFERENCE = "# What stands in a file before it is parsed for this rule; then ast-grep's language: https://ast-grep.github.io/reference/rule.html";

export const TEMPLATES: Readonly<Record<string, Template>> = {
  python: {
    folder: "python",
    languages: "[python]",
    body: `${SYNTAX_REFERENCE}
needs: [connect]
rule: { pattern: "legacy.connect($$$)" }
bad:
  - |
    legacy.connect("db", 5432)
ok:
  - |
    modern.connect("db", 5432)
`,
  },
  javascript: {
    folder: "javascript",
    languages: "[javascript, typescript]",
    body: `${SYNTAX_REFERENCE}
needs: [connect]
rule: { pattern: "legacy.connect($$$)" }
bad:
  - |
    legacy.connect("db", 5432);
ok:
  - |
    modern.connect("db", 5432);
`,
  },
  shell: {
    folder: "shell",
    languages: "[shell]",
    body: `${SYNTAX_REFERENCE}
needs: [legacy-deploy]
rule: { kind: command, regex: '^legacy-deploy\\s' }
bad:
  - |
    legacy-deploy --now
ok:
  - |
    deploy --now
`,
  },
  dockerfile: {
    folder: "dockerfile",
    languages: "[dockerfile]",
    body: `# matches and not_matches: RE2 expressions over what stands behind the instruction; last: true looks at the last one alone.
dockerfile:
  instruction: [FROM]
  matches: '^legacy/'
bad:
  - |
    FROM legacy/base:1
ok:
  - |
    FROM base:1
`,
  },
  yaml: {
    folder: "workflow",
    languages: "[yaml]",
    body: `# Texts at a path of a YAML document: * is any name, ** any number of them, and lists are seen through.
paths: ["**/.github/workflows/*.yml"]
needs: [runs-on]
yaml:
  path: "jobs.*.runs-on"
  matches: '^legacy-runner$'
bad:
  - |
    jobs:
      build:
        runs-on: legacy-runner
ok:
  - |
    jobs:
      build:
        runs-on: ubuntu-24.04
`,
  },
  taint: {
    folder: "python",
    languages: "[python]",
    body: `# Where data from outside (a request, a message, a tool's argument) must not go. docs/guides/write-a-rule.md shows every field.
taint:
  kind: command
  sinks:
    - { module: legacy, member: [run], arguments: [0], words: the legacy runner }
bad:
  - |
    import legacy
    from flask import request
    def view():
        legacy.run("task " + request.args["name"])
ok:
  - |
    import legacy
    def view():
        legacy.run("task all")
`,
  },
};
