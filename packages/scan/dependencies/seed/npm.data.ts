import type { SeedLine } from "./write.ts";

const npm = (name: string) => ["npm", name] as const;

/** Well-known weaknesses of npm packages, in our own words. */
export const NPM: readonly SeedLine[] = [
  {
    id: "CVE-2021-23337",
    alias: ["GHSA-35jh-r3h4-6jhm"],
    package: npm("lodash"),
    ranges: [["0", "4.17.21"]],
    summary: "Command injection: the variable option of template is put into code unchecked",
    cvss: "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H",
    cwe: [94],
    functions: ["template"],
  },
];
