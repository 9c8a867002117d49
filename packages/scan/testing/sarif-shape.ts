/**
 * The part of SARIF 2.1.0 that our logs use, as a JSON schema: written from the specification's text (sections 3.13 to 3.55), with every object closed, so
 * that a property that the standard does not know is an error, as are values out of its ranges. `properties` are bags, open by 3.8.
 */
const closed = (required: string[], properties: Record<string, unknown>) => ({ type: "object", additionalProperties: false, required, properties });
const list = (items: unknown, more: object = {}) => ({ type: "array", items, ...more });
const text = { type: "string" };
const bag = { type: "object", properties: { tags: list(text, { uniqueItems: true }) } };
const level = { enum: ["none", "note", "warning", "error"] };
const message = closed(["text"], { text: { type: "string", minLength: 1 } });
const uri = { type: "string", format: "uri-reference" };
const artifactLocation = closed(["uri"], { uri, uriBaseId: text });
const line = { type: "integer", minimum: 1 };
const region = closed(["startLine"], { startLine: line, startColumn: line, endLine: line, endColumn: line, snippet: closed(["text"], { text }) });
const physicalLocation = closed(["artifactLocation"], { artifactLocation, region });
const location = closed(["physicalLocation"], {
  id: { type: "integer", minimum: -1 },
  physicalLocation,
  logicalLocations: list(closed([], { fullyQualifiedName: text }), { uniqueItems: true }),
  message,
});
const charRegion = closed(["charOffset", "charLength"], { charOffset: { type: "integer", minimum: 0 }, charLength: { type: "integer", minimum: 0 } });
const replacement = closed(["deletedRegion"], { deletedRegion: charRegion, insertedContent: closed([], { text }) });
const fix = closed(["artifactChanges"], {
  description: message,
  artifactChanges: list(closed(["artifactLocation", "replacements"], { artifactLocation, replacements: list(replacement, { minItems: 1 }) }), {
    minItems: 1,
    uniqueItems: true,
  }),
});
const threadFlowLocation = closed([], { location, kinds: list(text, { uniqueItems: true }), importance: { enum: ["important", "essential", "unimportant"] } });
const result = closed(["message", "ruleId", "locations", "partialFingerprints"], {
  ...{ ruleId: text, ruleIndex: { type: "integer", minimum: 0 }, kind: { const: "fail" }, level, rank: { type: "number", minimum: -1, maximum: 100 }, message },
  locations: list(location, { minItems: 1, maxItems: 1000 }),
  relatedLocations: list(location, { uniqueItems: true }),
  partialFingerprints: { type: "object", additionalProperties: text },
  codeFlows: list(
    closed(["threadFlows"], { threadFlows: list(closed(["locations"], { locations: list(threadFlowLocation, { minItems: 1 }) }), { minItems: 1 }) }),
  ),
  suppressions: list(
    closed(["kind"], { kind: { enum: ["inSource", "external"] }, status: { enum: ["accepted", "underReview", "rejected"] }, justification: text }),
    { uniqueItems: true },
  ),
  fixes: list(fix, { uniqueItems: true }),
  properties: bag,
});
const rule = closed(["id", "shortDescription"], {
  ...{
    id: { type: "string", minLength: 1 },
    name: text,
    shortDescription: message,
    fullDescription: message,
    help: message,
    helpUri: { type: "string", format: "uri" },
  },
  defaultConfiguration: closed([], { level }),
  properties: {
    type: "object",
    required: ["tags", "precision", "security-severity", "problem.severity"],
    properties: {
      tags: list(text, { maxItems: 20, uniqueItems: true }),
      precision: { enum: ["very-high", "high", "medium", "low"] },
      "security-severity": { type: "string", pattern: "^(10|[0-9])\\.[0-9]$" },
      "problem.severity": { enum: ["error", "warning", "recommendation"] },
    },
  },
});
const notification = closed(["message"], { message, level, descriptor: closed(["id"], { id: text }), locations: list(location, { uniqueItems: true }) });
const invocation = closed(["executionSuccessful"], {
  ...{ executionSuccessful: { type: "boolean" }, startTimeUtc: { type: "string", format: "date-time" }, endTimeUtc: { type: "string", format: "date-time" } },
  toolExecutionNotifications: list(notification),
});
const driver = closed(["name"], { name: text, semanticVersion: { type: "string", pattern: "^\\d+\\.\\d+\\.\\d+" }, rules: list(rule, { uniqueItems: true }) });

export const SARIF_SHAPE = closed(["version", "runs", "$schema"], {
  $schema: { type: "string", format: "uri" },
  version: { const: "2.1.0" },
  runs: list(
    closed(["tool", "results"], {
      tool: closed(["driver"], { driver }),
      invocations: list(invocation),
      originalUriBaseIds: { type: "object", additionalProperties: closed([], { uri, description: message }) },
      columnKind: { enum: ["utf16CodeUnits", "unicodeCodePoints"] },
      automationDetails: closed([], { id: text }),
      results: list(result, { maxItems: 25_000 }),
      properties: bag,
    }),
    { minItems: 1, maxItems: 20 },
  ),
});
