import type { SeedLine } from "./write.ts";

/** A few of the other ecosystems, so that each is tried. */
export const OTHERS: readonly SeedLine[] = [
  {
    ...{ id: "CVE-2021-44228", alias: ["GHSA-jfh8-c2jp-5v3q"], package: ["Maven", "org.apache.logging.log4j:log4j-core"] },
    ranges: [
      ["2.13.0", "2.15.0"],
      ["2.4", "2.12.2"],
      ["2.0-beta9", "2.3.1"],
    ],
    summary: "Log4Shell: a logged text makes the logger look up a name at a host of an attacker's choice and run what it gets",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", cwe: [20, 400, 502, 917] },
  },
  {
    ...{ id: "CVE-2022-22965", alias: ["GHSA-36p3-wjmg-h94x"], package: ["Maven", "org.springframework:spring-beans"] },
    ranges: [
      ["0", "5.2.20.RELEASE"],
      ["5.3.0", "5.3.18"],
    ],
    summary: "Spring4Shell: binding of request parameters reaches the class loader and runs code",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", cwe: [74, 94] },
  },
  {
    ...{ id: "CVE-2022-32224", alias: ["GHSA-3hhc-qp5v-9p2j"], package: ["RubyGems", "activerecord"] },
    ranges: [
      ["0", "5.2.8.1"],
      ["6.0.0", "6.0.5.1"],
      ["6.1.0", "6.1.6.1"],
      ["7.0.0", "7.0.3.1"],
    ],
    summary: "Columns serialised as YAML are read in a way that runs code of whoever can write to the database",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", cwe: [502] },
  },
  {
    ...{ id: "CVE-2022-24713", alias: ["GHSA-m5pq-gvj9-9vr8", "RUSTSEC-2022-0013"], package: ["crates.io", "regex"], ranges: [["0", "1.5.5"]] },
    summary: "A crafted regular expression goes around the limit on its own cost",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", cwe: [400] },
  },
  {
    ...{ id: "CVE-2022-27191", alias: ["GHSA-8c26-wmh5-6g9v"], package: ["Go", "golang.org/x/crypto"], ranges: [["0", "0.0.0-20220314234659-1baeb1ce4c0b"]] },
    summary: "A server of ssh crashes in certain uses of AddHostKey",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", cwe: [327] },
  },
  {
    ...{ id: "CVE-2023-48795", alias: ["GHSA-45x7-px36-x8w8"], package: ["Go", "golang.org/x/crypto"], ranges: [["0", "0.17.0"]] },
    summary: "Terrapin: somebody between client and server of ssh takes messages out of the beginning of a session",
    ...{ cvss: "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:H/A:N", cwe: [354] },
  },
  {
    ...{ id: "CVE-2024-21907", alias: ["GHSA-5crp-9r3c-p9vr"], package: ["NuGet", "newtonsoft.json"], ranges: [["0", "13.0.1"]] },
    summary: "Deeply nested documents end the process",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", cwe: [755] },
  },
];
