// An assistant: reads its skills, starts the script of one, remembers what came of it.
const assert = require("node:assert");
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");

const skill = fs.readFileSync("skills/weather/SKILL.md", "utf8");
assert.match(skill, /^# Weather/);
const said = execFileSync("python3", ["skills/weather/report.py", "Zurich"]).toString().trim();
assert.equal(said, "Zurich: 21");
fs.mkdirSync("memory", { recursive: true });
fs.appendFileSync("memory/2026-01-01.md", `- asked for the weather: ${said}\n`);
fs.writeFileSync("memory/index.json.tmp", JSON.stringify(fs.readdirSync("memory")));
fs.renameSync("memory/index.json.tmp", "memory/index.json");
console.log(fs.readFileSync("memory/2026-01-01.md", "utf8").trim());
