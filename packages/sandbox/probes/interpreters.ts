import { accessSync, closeSync, constants, existsSync, openSync, readdirSync, readSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { runChild } from "./child.ts";
import { degraded, type Finding, missing, type Probe, working } from "./probe.ts";

const DIFY_MODULES = ["jinja2", "requests", "httpx"];
const DATA_MODULES = ["numpy", "pandas"];

/** The programs that sandboxes run, as real binaries: a shim (pyenv, nvm, asdf) is a script that needs a home directory. */
export function interpreterProbes(): Probe[] {
  return [
    { id: "python3", title: "Python and its modules", required: true, timeoutMs: 9000, try: python },
    { id: "nodejs", title: "Node", required: true, timeoutMs: 4000, try: node },
    { id: "bash", title: "bash", required: true, timeoutMs: 4000, try: bash },
    { id: "postgresql", title: "PostgreSQL's own binaries", required: false, timeoutMs: 4000, try: postgresql },
  ];
}

async function python(): Promise<Finding> {
  const found = realBinary("/usr/bin/python3");
  if (!found) return missing("/usr/bin/python3 is not a real interpreter", "apt-get install python3");
  const [version, ...imports] = await Promise.all([
    runChild(found, ["-I", "--version"], 4000),
    ...[...DIFY_MODULES, ...DATA_MODULES].map(async (name) => ({
      name,
      ended: await runChild(found, ["-I", "-c", `import ${name}; print(${name}.__version__)`], 8500),
    })),
  ]);
  const there = imports.filter(({ ended }) => ended.code === 0).map(({ name, ended }) => `${name} ${ended.stdout}`);
  const absent = imports.filter(({ ended }) => ended.code !== 0).map(({ name }) => name);
  const detail = `${found}, ${version.stdout}; imports ${there.join(", ") || "nothing"}`;
  if (version.code !== 0) return missing(`${found}: ${version.stderr}`, "apt-get install --reinstall python3");
  if (absent.length === 0) return working(detail);
  return degraded(`${detail}; not ${absent.join(", ")}`, `apt-get install ${absent.map((name) => `python3-${name}`).join(" ")}`);
}

async function node(): Promise<Finding> {
  const found = realBinary(process.execPath);
  if (!found) return missing(`${process.execPath} is not a real interpreter`, "Start Plastron through ./plastron, which brings its own Node.");
  const { code, stdout, stderr } = await runChild(found, ["-p", "process.version"], 3500);
  return code === 0 ? working(`${found}, ${stdout}`) : missing(`${found}: ${stderr}`);
}

async function bash(): Promise<Finding> {
  const found = realBinary("/usr/bin/bash") ?? realBinary("/bin/bash");
  if (!found) return missing("no bash in /usr/bin or /bin", "apt-get install bash");
  const { code, stdout, stderr } = await runChild(found, ["--norc", "-c", "echo $BASH_VERSION"], 3500);
  return code === 0 ? working(`${found}, ${stdout}`) : missing(`${found}: ${stderr}`);
}

async function postgresql(): Promise<Finding> {
  const root = "/usr/lib/postgresql";
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const found = versions.map((version) => join(root, version, "bin", "postgres")).find((path) => existsSync(path));
  if (!found) return missing(`none in ${root}`, "Not needed where DATABASE_URL is set or the embedded one is installed; else apt-get install postgresql.");
  const { code, stdout, stderr } = await runChild(found, ["--version"], 3500);
  return code === 0 ? working(`${found}, ${stdout}`) : missing(`${found}: ${stderr}`);
}

/** The file itself, links followed, when it is an ELF program; undefined for scripts and for what is not there. */
export function realBinary(path: string): string | undefined {
  try {
    const real = realpathSync(path);
    accessSync(real, constants.X_OK);
    const fd = openSync(real, "r");
    const magic = Buffer.alloc(4);
    readSync(fd, magic, 0, 4, 0);
    closeSync(fd);
    return magic.equals(Buffer.from([0x7f, 0x45, 0x4c, 0x46])) ? real : undefined;
  } catch {
    return undefined;
  }
}
