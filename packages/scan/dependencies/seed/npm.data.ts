import type { SeedLine } from "./write.ts";

const npm = (name: string) => ["npm", name] as const;

/** Well-known weaknesses of npm packages, in our own words. */
export const NPM: readonly SeedLine[] = [
  {
    ...{ id: "CVE-2021-23337", alias: ["GHSA-35jh-r3h4-6jhm"], package: npm("lodash"), ranges: [["0", "4.17.21"]] },
    summary: "Command injection: the variable option of template is put into code unchecked",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H", cwe: [94], functions: ["template"] },
  },
  {
    ...{ id: "CVE-2019-10744", alias: ["GHSA-jf85-cpcp-j695"], package: npm("lodash"), ranges: [["0", "4.17.12"]] },
    summary: "Prototype pollution through defaultsDeep with a constructor payload",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:H", cwe: [1321], functions: ["defaultsDeep"] },
  },
  {
    ...{ id: "CVE-2020-28500", alias: ["GHSA-29mw-wpgm-hmr9"], package: npm("lodash"), ranges: [["4.0.0", "4.17.21"]] },
    summary: "Regular expressions of trim, trimEnd and toNumber take quadratic time on long runs of white space",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L", cwe: [1333], functions: ["toNumber", "trim", "trimEnd"] },
  },
  {
    ...{
      id: "CVE-2021-44906",
      alias: ["GHSA-xvch-5gv4-984h"],
      package: npm("minimist"),
      ranges: [
        ["0", "0.2.4"],
        ["1.0.0", "1.2.6"],
      ],
    },
    summary: "Prototype pollution by arguments that name constructor.prototype",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", cwe: [1321] },
  },
  {
    ...{
      id: "CVE-2020-7598",
      alias: ["GHSA-vh95-rmgr-6w4m"],
      package: npm("minimist"),
      ranges: [
        ["0", "0.2.1"],
        ["1.0.0", "1.2.3"],
      ],
    },
    summary: "Prototype pollution by arguments that name __proto__",
    ...{ cvss: "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:L/A:L", cwe: [1321] },
  },
  {
    ...{
      id: "CVE-2022-0235",
      alias: ["GHSA-r683-j2x4-v87g"],
      package: npm("node-fetch"),
      ranges: [
        ["0", "2.6.7"],
        ["3.0.0", "3.1.1"],
      ],
    },
    summary: "Cookies and authorization headers are sent on to another host after a redirect",
    ...{ severity: "HIGH", cwe: [173, 200, 601] },
  },
  {
    ...{ id: "CVE-2020-28168", alias: ["GHSA-4w2v-q235-vp99"], package: npm("axios"), ranges: [["0", "0.21.1"]] },
    summary: "A redirect goes around the proxy that was asked for, so that internal hosts can be reached",
    ...{ severity: "MODERATE", cwe: [918] },
  },
  {
    ...{ id: "CVE-2021-3749", alias: ["GHSA-cph5-m8f7-6c5x"], package: npm("axios"), ranges: [["0", "0.21.2"]] },
    summary: "Trimming a long run of white space takes quadratic time",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", cwe: [1333] },
  },
  {
    ...{
      id: "CVE-2023-45857",
      alias: ["GHSA-wf5p-g6vw-rhxx"],
      package: npm("axios"),
      ranges: [
        ["0.8.1", "0.28.0"],
        ["1.0.0", "1.6.0"],
      ],
    },
    summary: "The XSRF token of a cookie is sent as a header to every host that is asked",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:N/A:N", cwe: [352] },
  },
  {
    ...{
      id: "CVE-2025-27152",
      alias: ["GHSA-jr5f-v2jv-69x6"],
      package: npm("axios"),
      ranges: [
        ["0", "0.30.0"],
        ["1.0.0", "1.8.2"],
      ],
    },
    summary: "An absolute address in a request overrides baseURL, so that credentials go to a host of an attacker's choice",
    ...{ severity: "HIGH", cwe: [918] },
  },
  {
    ...{ id: "CVE-2022-24999", alias: ["GHSA-hrpp-h998-j3pp"], package: npm("qs") },
    ranges: [
      ["0", "6.2.4"],
      ["6.3.0", "6.3.3"],
      ["6.4.0", "6.4.1"],
      ["6.5.0", "6.5.3"],
      ["6.6.0", "6.6.1"],
      ["6.7.0", "6.7.3"],
      ["6.8.0", "6.8.3"],
      ["6.9.0", "6.9.7"],
      ["6.10.0", "6.10.3"],
    ],
    summary: "A query with __proto__ as a key makes an object that hangs the process",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", cwe: [1321], functions: ["parse"] },
  },
  {
    ...{
      id: "CVE-2024-29041",
      alias: ["GHSA-rv95-896h-c2vc"],
      package: npm("express"),
      ranges: [
        ["0", "4.19.2"],
        ["5.0.0-alpha.1", "5.0.0-beta.3"],
      ],
    },
    summary: "Open redirect: a malformed address passes an allow-list and is read otherwise by the browser",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", cwe: [601, 1286] },
  },
  {
    ...{
      id: "CVE-2024-43796",
      alias: ["GHSA-qw6h-vgh9-j6wx"],
      package: npm("express"),
      ranges: [
        ["0", "4.20.0"],
        ["5.0.0-alpha.1", "5.0.0"],
      ],
    },
    summary: "Untrusted text given to response.redirect can run script in the page that it makes",
    ...{ cvss: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:L/A:L", cwe: [79] },
  },
  {
    ...{ id: "CVE-2024-45590", alias: ["GHSA-qwcr-r2fm-qrc7"], package: npm("body-parser"), ranges: [["0", "1.20.3"]] },
    summary: "A crafted body in the URL-encoded form keeps the process busy",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", cwe: [405] },
  },
  {
    ...{ id: "CVE-2024-45296", alias: ["GHSA-9wv6-86v2-598j"], package: npm("path-to-regexp") },
    ranges: [
      ["0", "0.1.10"],
      ["0.2.0", "1.9.0"],
      ["2.0.0", "3.3.0"],
      ["4.0.0", "6.3.0"],
      ["7.0.0", "8.0.0"],
    ],
    summary: "Two parameters in one segment of a path make a regular expression that takes exponential time",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", cwe: [1333] },
  },
  {
    ...{
      id: "CVE-2022-25883",
      alias: ["GHSA-c2qf-rxjj-qqgw"],
      package: npm("semver"),
      ranges: [
        ["0", "5.7.2"],
        ["6.0.0", "6.3.1"],
        ["7.0.0", "7.5.2"],
      ],
    },
    summary: "A range from outside makes a regular expression take quadratic time",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", cwe: [1333], functions: ["Range"] },
  },
  {
    ...{ id: "CVE-2024-37890", alias: ["GHSA-3h5v-q93c-6h6q"], package: npm("ws") },
    ranges: [
      ["2.1.0", "5.2.4"],
      ["6.0.0", "6.2.3"],
      ["7.0.0", "7.5.10"],
      ["8.0.0", "8.17.1"],
    ],
    summary: "A request with very many headers crashes the server",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", cwe: [476] },
  },
  {
    ...{
      id: "CVE-2021-32640",
      alias: ["GHSA-6fc8-4gx4-v693"],
      package: npm("ws"),
      ranges: [
        ["5.0.0", "5.2.3"],
        ["6.0.0", "6.2.2"],
        ["7.0.0", "7.4.6"],
      ],
    },
    summary: "A Sec-WebSocket-Protocol header takes quadratic time to read",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L", cwe: [400] },
  },
  {
    ...{ id: "CVE-2022-23539", alias: ["GHSA-8cf7-32gw-wr33"], package: npm("jsonwebtoken"), ranges: [["0", "9.0.0"]] },
    summary: "Old and insecure kinds of keys are taken for signatures that they do not fit",
    ...{ severity: "HIGH", cwe: [327], functions: ["verify", "sign"] },
  },
  {
    ...{ id: "CVE-2022-23540", alias: ["GHSA-qwph-4952-7xr6"], package: npm("jsonwebtoken"), ranges: [["0", "9.0.0"]] },
    summary: "verify without a list of algorithms takes unsigned tokens where the key is empty",
    ...{ severity: "MODERATE", cwe: [287, 327, 347], functions: ["verify"] },
  },
  {
    ...{ id: "CVE-2023-26136", alias: ["GHSA-72xf-g2v4-qvf3"], package: npm("tough-cookie"), ranges: [["0", "4.1.3"]] },
    summary: "Prototype pollution by a cookie for the domain __proto__ where public suffixes are let in",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:N", cwe: [1321], functions: ["CookieJar"] },
  },
  {
    ...{
      id: "CVE-2022-46175",
      alias: ["GHSA-9c47-m6qq-7p4h"],
      package: npm("json5"),
      ranges: [
        ["0", "1.0.2"],
        ["2.0.0", "2.2.2"],
      ],
    },
    summary: "A key named __proto__ sets the prototype of what parse gives back",
    ...{ severity: "HIGH", cwe: [1321], functions: ["parse"] },
  },
  {
    ...{
      id: "CVE-2022-37601",
      alias: ["GHSA-76p3-8jx3-jpfq"],
      package: npm("loader-utils"),
      ranges: [
        ["0", "1.4.1"],
        ["2.0.0", "2.0.3"],
      ],
    },
    summary: "Prototype pollution by a query that parseQuery reads",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", cwe: [1321], functions: ["parseQuery"] },
  },
  {
    ...{ id: "CVE-2021-3807", alias: ["GHSA-93q8-gq69-wqmw"], package: npm("ansi-regex") },
    ranges: [
      ["3.0.0", "3.0.1"],
      ["4.0.0", "4.1.1"],
      ["5.0.0", "5.0.1"],
      ["6.0.0", "6.0.1"],
    ],
    summary: "Crafted escape sequences make the regular expression take quadratic time",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", cwe: [697, 1333] },
  },
  {
    ...{ id: "CVE-2022-3517", alias: ["GHSA-f8q6-p94x-37v3"], package: npm("minimatch"), ranges: [["0", "3.0.5"]] },
    summary: "A crafted pattern makes braceExpand take exponential time",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", cwe: [1333] },
  },
  {
    ...{ id: "CVE-2020-28469", alias: ["GHSA-ww39-953v-wcq6"], package: npm("glob-parent"), ranges: [["0", "5.1.2"]] },
    summary: "The regular expression for enclosures takes quadratic time",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", cwe: [1333] },
  },
  {
    ...{ id: "CVE-2024-4068", alias: ["GHSA-grv7-fg5c-xmjg"], package: npm("braces"), ranges: [["0", "3.0.3"]] },
    summary: "Unbalanced braces make the parser loop until memory is gone",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", cwe: [1050, 400] },
  },
  {
    ...{
      id: "CVE-2024-21538",
      alias: ["GHSA-3xgq-45jj-v275"],
      package: npm("cross-spawn"),
      ranges: [
        ["0", "6.0.6"],
        ["7.0.0", "7.0.5"],
      ],
    },
    summary: "A long argument makes a regular expression take quadratic time",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", cwe: [1333] },
  },
  {
    ...{ id: "CVE-2022-25881", alias: ["GHSA-rc47-6667-2j5j"], package: npm("http-cache-semantics"), ranges: [["0", "4.1.1"]] },
    summary: "A crafted Cache-Control header makes a regular expression take quadratic time",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", cwe: [1333] },
  },
  {
    ...{ id: "CVE-2022-38900", alias: ["GHSA-w573-4hg7-7wgq"], package: npm("decode-uri-component"), ranges: [["0", "0.2.1"]] },
    summary: "A crafted text makes decoding throw where callers do not expect it",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", cwe: [20] },
  },
  {
    ...{ id: "CVE-2023-26115", alias: ["GHSA-j8xg-fqg3-53r7"], package: npm("word-wrap"), ranges: [["0", "1.2.4"]] },
    summary: "Trimming with the trim option takes quadratic time",
    ...{ severity: "MODERATE", cwe: [1333] },
  },
  {
    ...{
      id: "CVE-2021-37713",
      alias: ["GHSA-5955-9wpr-37jh"],
      package: npm("tar"),
      ranges: [
        ["0", "4.4.18"],
        ["5.0.0", "5.0.10"],
        ["6.0.0", "6.1.9"],
      ],
    },
    summary: "On Windows, an archive can write files outside the directory that it is unpacked into",
    ...{ severity: "HIGH", cwe: [22], functions: ["extract", "x"] },
  },
  {
    ...{ id: "CVE-2020-7788", alias: ["GHSA-qqgx-2p2h-9c37"], package: npm("ini"), ranges: [["0", "1.3.6"]] },
    summary: "Prototype pollution by a section named __proto__",
    ...{ severity: "HIGH", cwe: [1321], functions: ["parse"] },
  },
  {
    ...{
      id: "CVE-2020-7774",
      alias: ["GHSA-c4w7-xm78-47vh"],
      package: npm("y18n"),
      ranges: [
        ["0", "3.2.2"],
        ["4.0.0", "4.0.1"],
        ["5.0.0", "5.0.5"],
      ],
    },
    summary: "Prototype pollution by a locale named __proto__",
    ...{ severity: "HIGH", cwe: [1321] },
  },
  {
    ...{ id: "CVE-2023-32314", alias: ["GHSA-whpj-8f3w-67p5"], package: npm("vm2"), ranges: [["0", "3.9.18"]] },
    summary: "Code in the sandbox gets out of it, by a proxy that the host makes",
    ...{ severity: "CRITICAL", cwe: [74] },
  },
  {
    ...{ id: "CVE-2023-37466", alias: ["GHSA-cchq-frgv-rjh5"], package: npm("vm2"), ranges: [["0", "=3.9.19"]] },
    summary: "Code in the sandbox gets out of it, by the handlers of a promise; vm2 is no longer kept",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", cwe: [94] },
  },
  {
    ...{ id: "CVE-2022-29078", alias: ["GHSA-phwq-j96m-2c2q"], package: npm("ejs"), ranges: [["0", "3.1.7"]] },
    summary: "Options taken from the data of a template become code: whoever names outputFunctionName runs commands",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", cwe: [74, 94], functions: ["render", "renderFile"] },
  },
  {
    ...{ id: "CVE-2021-23369", alias: ["GHSA-f2jv-r9rf-7988"], package: npm("handlebars"), ranges: [["0", "4.7.7"]] },
    summary: "Templates from outside run code where certain compile options are chosen",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", cwe: [94], functions: ["compile"] },
  },
  {
    ...{ id: "CVE-2022-24785", alias: ["GHSA-8hfj-j24r-96c4"], package: npm("moment"), ranges: [["1.0.1", "2.29.2"]] },
    summary: "A locale's name from outside names a file to load",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N", cwe: [22, 27], functions: ["locale"] },
  },
  {
    ...{ id: "CVE-2022-31129", alias: ["GHSA-wc69-rhjr-hc9g"], package: npm("moment"), ranges: [["2.18.0", "2.29.4"]] },
    summary: "Reading a long text as a date of RFC 2822 takes quadratic time",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", cwe: [400, 1333] },
  },
  {
    ...{ id: "CVE-2023-28155", alias: ["GHSA-p8p7-x288-28g6"], package: npm("request"), ranges: [["0", "=2.88.2"]] },
    summary: "A redirect from one protocol to another goes around a guard against requests to internal hosts; request is no longer kept",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", cwe: [918] },
  },
  {
    ...{ id: "CVE-2020-7660", alias: ["GHSA-hxcc-f52p-wc94"], package: npm("serialize-javascript"), ranges: [["0", "3.1.0"]] },
    summary: "A text that looks like a placeholder becomes code in what serialize gives back",
    ...{ cvss: "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H", cwe: [502] },
  },
  {
    ...{ id: "CVE-2020-8203", alias: ["GHSA-p6mc-m468-83gw"], package: npm("lodash"), ranges: [["3.7.0", "4.17.19"]] },
    summary: "Prototype pollution through zipObjectDeep",
    ...{
      cvss: "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:H/A:H",
      cwe: [770, 1321],
      functions: ["zipObjectDeep", "set", "setWith", "update", "updateWith", "pick"],
    },
  },
  {
    ...{ id: "CVE-2025-29927", alias: ["GHSA-f82v-jwr5-mffw"], package: npm("next") },
    ranges: [
      ["11.1.4", "12.3.5"],
      ["13.0.0", "13.5.9"],
      ["14.0.0", "14.2.25"],
      ["15.0.0", "15.2.3"],
    ],
    summary: "A header meant for the framework alone lets a request pass middleware, and with it its checks of who may do what",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N", cwe: [285, 863] },
  },
  {
    ...{ id: "GHSA-pjwm-rvh2-c87w", package: npm("ua-parser-js"), versions: ["0.7.29", "0.8.0", "1.0.0"] },
    summary: "Taken-over releases that fetch and run a coin miner and a thief of passwords",
    ...{ severity: "CRITICAL", cwe: [506] },
  },
  {
    ...{ id: "GHSA-mh6f-8j2x-4483", package: npm("event-stream"), versions: ["3.3.6"] },
    summary: "A release that brings flatmap-stream, which steals the keys of a wallet application",
    ...{ severity: "CRITICAL", cwe: [506] },
  },
  {
    ...{ id: "GHSA-g2q5-5433-rhrf", package: npm("rc"), versions: ["1.2.9", "1.3.9", "2.3.9"] },
    summary: "Taken-over releases that fetch and run a thief of passwords when they are installed",
    ...{ severity: "CRITICAL", cwe: [506] },
  },
];
