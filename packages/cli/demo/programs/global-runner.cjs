"use strict";
/**
 * A small re-creation of dify-sandbox's Node runner as it was when CVE-2025-3466 was found.
 *
 * It does what that one did: it puts its own first lines and the request's code into one script and starts that as root; the first
 * lines read the uid and gid to change to. A function that the code declares is hoisted above them. The seccomp filter, which
 * upstream installs after the change of uid, is left out: the attack runs before both.
 */
const { spawnSync } = require("node:child_process");
const { readFileSync, writeFileSync } = require("node:fs");

const SANDBOX_USER = "65537";
const LOCK_DOWN = `
const uid = parseInt(process.argv[2]);
const gid = parseInt(process.argv[3]);
process.setgroups([]);
process.setgid(gid);
process.setuid(uid);
`;

const { code } = JSON.parse(readFileSync(0, "utf8"));
writeFileSync("/tmp/script.cjs", LOCK_DOWN + code, { mode: 0o644 });
const { status } = spawnSync(process.execPath, ["/tmp/script.cjs", SANDBOX_USER, SANDBOX_USER], { stdio: "inherit" });
process.exitCode = status ?? 1;
