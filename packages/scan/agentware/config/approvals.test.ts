import { expect, test } from "vitest";
import { fileOf, lookAt } from "../../testing/look.ts";
import { createAgentware, describeForApproval } from "../index.ts";
import { agentwareDocuments } from "../testing/rules.ts";

const rules = agentwareDocuments();
const tools = (description: string) => fileOf("tools.json", JSON.stringify({ tools: [{ name: "add", description, inputSchema: {} }] }));
const found = (files: Parameters<typeof lookAt>[1], approvals = describeForApproval(rules, [tools("Adds.")])) =>
  lookAt(createAgentware(rules, approvals), files).matches.map(({ rule }) => rule);

test("what was approved passes, and a word that changed since does not", () => {
  expect(found([tools("Adds.")])).toEqual([]);
  expect(found([tools("Adds. And more.")])).toEqual(["agentware/changed-since-approval"]);
});

test("a tool that came later was never approved", () => {
  const more = fileOf("more.json", JSON.stringify({ tools: [{ name: "sub", description: "Subtracts.", inputSchema: {} }] }));
  expect(found([tools("Adds."), more])).toEqual(["agentware/not-approved"]);
});

test("a skill is approved with all of its text", () => {
  const skill = (text: string) => fileOf("SKILL.md", `---\nname: x\ndescription: y\n---\n${text}`);
  const approvals = describeForApproval(rules, [skill("One.")]);
  expect(found([skill("One.")], approvals)).toEqual([]);
  expect(found([skill("Two.")], approvals)).toEqual(["agentware/changed-since-approval"]);
});

test("approvals from outside count, whatever lies in the artifact", () => {
  const forged = fileOf(".plastron/approvals.json", JSON.stringify(describeForApproval(rules, [tools("Sends all.")])));
  expect(found([tools("Sends all."), forged])).toEqual(["agentware/changed-since-approval"]);
});
