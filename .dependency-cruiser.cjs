// Which part may know which: the picture is in docs/architecture.md, the reasons are beside each rule.
// Types count as well: a type that crosses a border is knowledge that crosses it. test/boundaries.test.ts breaks every rule on purpose.

/** Files that only tests load. They may reach for what their package may not. */
const TESTS = "\\.(test|conformance)\\.ts$|(^|/)(test|fixtures|testing)/";

/** Packages of ours that each package may import, beside itself. */
const MAY_IMPORT = {
  contracts: [],
  document: ["contracts"],
  policy: ["contracts", "document"],
  sandbox: ["contracts"],
  egress: ["contracts"],
  sensor: ["contracts"],
  scan: ["contracts", "document"],
  agent: ["contracts", "sandbox", "policy", "sensor"],
  server: ["contracts", "policy", "scan"],
  cli: ["contracts", "policy", "sandbox", "sensor", "scan"],
};

const WHY = {
  contracts: "the shared words know nobody",
  document: "text becomes data with places; what it is about is its readers' affair",
  policy: "policy is a function over values",
  sandbox: "what makes sandboxes is small and privileged: it knows no server, no database, no secret",
  egress: "what talks to the network for sandboxes is attacked from both sides: it knows no sandbox, no server and no database",
  sensor: "what looks at sandboxes confines none: it can be off and nothing gets out",
  scan: "what judges code runs none of it: fuzzing gets its sandbox as a port",
  agent: "only the agent is root: it knows no server, no database and no HTTP",
  server: "the server is unprivileged and reaches sandboxes only through the agent's socket",
  cli: "the command line is a client; it knows sandbox and policy for doctor, demo and the policy self-tests (ADR 5)",
};

const packageRules = Object.entries(MAY_IMPORT).map(([name, allowed]) => ({
  name: `${name}-knows-only-${["itself", ...allowed].join("-")}`,
  comment: WHY[name],
  severity: "error",
  from: { path: `^packages/${name}/`, pathNot: TESTS },
  to: { path: "^packages/", pathNot: [name, ...allowed].map((other) => `^packages/${other}/`) },
}));

module.exports = {
  forbidden: [
    ...packageRules,
    {
      name: "no-cycles",
      comment: "two files that need each other are one file, or hide a third",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "one-door",
      comment: "index.ts is a package's only door; what is not exported there may change at any time",
      severity: "error",
      from: { path: "^packages/([^/]+)/" },
      to: { path: "^packages/[^/]+/", pathNot: ["^packages/$1/", "^packages/[^/]+/index\\.ts$"] },
    },
    {
      name: "pure-packages-have-no-effects",
      comment: "contracts and policy run anywhere and are tested as functions: no files, no network, no processes, no clock of the host",
      severity: "error",
      from: { path: "^packages/(contracts|document|policy)/", pathNot: TESTS },
      to: { dependencyTypes: ["core"], pathNot: "^(node:)?(crypto|buffer|util)$" },
    },
    {
      name: "analysers-have-no-effects",
      comment: "what reads hostile bytes can do nothing but answer; files, processes and workers are intake's, engine's and fuzz's (ADR 18)",
      severity: "error",
      from: { path: "^packages/scan/", pathNot: ["^packages/scan/(intake|engine|fuzz)/", TESTS] },
      to: { dependencyTypes: ["core"], pathNot: "^(node:)?(crypto|buffer|util)$" },
    },
    {
      name: "contracts-need-zod-alone",
      severity: "error",
      from: { path: "^packages/contracts/", pathNot: TESTS },
      to: { path: "node_modules/", pathNot: "node_modules/zod/" },
    },
    {
      name: "policy-needs-little",
      comment: "an npm package can bring the effects that core modules may not",
      severity: "error",
      from: { path: "^packages/policy/", pathNot: TESTS },
      to: { path: "node_modules/", pathNot: "node_modules/(zod|yaml|picomatch|@types)/" },
    },
    {
      name: "no-database-and-no-http-where-root-is",
      comment: "whoever takes over a sandbox must find no secret and no way into the database in the process above it",
      severity: "error",
      from: { path: "^packages/(agent|sandbox|sensor)/", pathNot: TESTS },
      to: { path: ["node_modules/(pg|pg-[^/]+|kysely|fastify|@fastify/[^/]+|undici|openid-client|jose)/", "^(node:)?(http|https|http2)$"] },
    },
    {
      name: "a-store-belongs-to-its-module",
      comment: "another module's rows are reached through its service, which keeps its invariants",
      severity: "error",
      from: { path: "^packages/server/modules/([^/]+)/" },
      to: { path: "^packages/server/modules/[^/]+/store\\.ts$", pathNot: "^packages/server/modules/$1/" },
    },
    {
      name: "tests-stay-outside",
      severity: "error",
      from: { path: "^packages/", pathNot: TESTS },
      to: { path: [TESTS, "node_modules/(vitest|fast-check)/"], pathNot: "node_modules/.*/(test|fixtures|testing)/" },
    },
    {
      name: "resolvable",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: "^@octokit/openapi-types$" }, // types alone, which the resolver does not look for
    },
    {
      name: "declared",
      comment: "a package that is only there because another one brought it goes when that one goes",
      severity: "error",
      from: { path: "^packages/" },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
    },
  ],
  options: {
    // TypeScript 7 has no compiler API; swc only parses.
    parser: "swc",
    combinedDependencies: true,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "packages/[^/]+/native/" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"], extensions: [".ts", ".js", ".json"] },
  },
};
