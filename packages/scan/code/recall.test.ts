/**
 * One application for each weakness, over three files: a router that is handed a controller's method, a service that is a class, and a
 * module that does it. Each is found; and is not where the same value went through a check on its way.
 */
import { describe, expect, test } from "vitest";
import { fileOf, lookAt } from "../testing/look.ts";
import { createCode } from "./create.ts";
import { codeRules } from "./testing/rules.ts";

const analyser = createCode(codeRules());

/** Rule, what the last file imports, and what it does with `value`. */
const WEAKNESSES: readonly (readonly [rule: string, head: string, body: string])[] = [
  ["command-injection", 'const { exec } = require("child_process");', 'exec("convert " + value);'],
  ["argument-injection", 'const { execFile } = require("child_process");', 'execFile("git", ["log", value]);'],
  ["code-injection", 'const vm = require("vm");', "return vm.runInThisContext(value);"],
  ["sql-injection", 'const pool = require("mysql2").createPool({});', "return pool.query(`SELECT * FROM t WHERE name = '${value}'`);"],
  ["path-traversal", 'const fs = require("fs"); const path = require("path");', 'return fs.readFileSync(path.join("data", value));'],
  ["request-forgery", 'const axios = require("axios");', "return axios.get(value);"],
  ["template-injection", 'const ejs = require("ejs");', "return ejs.render(value);"],
  ["unsafe-deserialisation", 'const serialize = require("node-serialize");', "return serialize.unserialize(value);"],
  ["xml-entities", 'const xml = require("libxmljs");', "return xml.parseXml(value, { noent: true });"],
  ["xpath-injection", 'const xpath = require("xpath");', "return xpath.select(`//user[@id='${value}']`, tree);"],
  ["ldap-injection", 'const client = require("ldapjs").createClient({});', "client.search('dc=x', { filter: `(uid=${value})` });"],
  ["regular-expression", "", "return new RegExp(value);"],
  ["slow-pattern", "", "return /^([a-z]+)+$/.test(value);"],
  ["nosql-injection", 'const User = require("mongoose").model("User");', "return User.findOne({ name: value });"],
];

const app = (check: string): Record<string, string> => ({
  "app.js": `
    const express = require("express");
    const { Controller } = require("./controller");
    const controller = new Controller();
    const app = express();
    app.use(express.json());
    app.get("/items", controller.list);
    module.exports = app;`,
  "controller.js": `
    const service = require("./lib/service");
    class Controller {
      async list(request, response) {
        const { name } = request.query;
        ${check}
        const found = await service.find(name);
        response.json(found);
      }
    }
    module.exports = { Controller };`,
});

const look = (files: Record<string, string>) =>
  lookAt(
    analyser,
    Object.entries(files).map(([path, text]) => fileOf(path, text)),
  );

describe("an application over three files", () => {
  test.each(WEAKNESSES)("%s is found, with every step of its way", (rule, head, body) => {
    const service = `${head}\n    const apply = (value) => { ${body} };\n    exports.find = async (name) => apply(name);`;
    const { matches, gaps } = look({ ...app(""), "lib/service.js": service });
    expect(gaps).toEqual([]);
    const found = matches.filter((match) => match.rule === `code/javascript/${rule}`);
    expect(found).toHaveLength(1);
    const [{ flow, place }] = found as [(typeof found)[number]];
    expect(place.path).toBe("lib/service.js");
    expect(flow[0]).toMatchObject({ kind: "source" });
    expect(flow.at(-1)).toMatchObject({ kind: "sink", path: "lib/service.js" });
    expect(flow.filter(({ kind }) => kind === "call").map(({ message }) => message)).toEqual(["given to `find`", "given to `apply`"]);
    expect(flow.every(({ snippet }) => snippet !== "")).toBe(true);
  });

  test.each(WEAKNESSES)("%s is not told where only a list of names gets through", (rule, head, body) => {
    const service = `${head}\n    exports.find = async (value) => { ${body} };`;
    const { matches } = look({ ...app('if (!["a", "b"].includes(name)) return response.sendStatus(400);'), "lib/service.js": service });
    expect(matches.filter((match) => match.rule === `code/javascript/${rule}`)).toEqual([]);
  });
});
