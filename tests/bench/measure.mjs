/** How things are measured: interleaved rounds in this process, fresh processes for imports, files for sizes. */
import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const quick = process.env.BENCH_QUICK === "1";
const here = dirname(fileURLToPath(import.meta.url));

/** What else the machine does only ever adds time, so the faster rounds are the truer ones; the fastest is luck. */
const lowerQuartile = (times) => times.toSorted((a, b) => a - b)[times.length >> 2];

/**
 * Time of one call, in microseconds, by candidate: the lower quartile of the rounds. Every round runs every candidate
 * for about `ms`, less than what a busy machine gives a process at a time. A candidate is called with a running number,
 * to choose another input each time. Each round shuffles the candidates: in a fixed order, one of them would always run
 * after the peer that leaves the most garbage.
 */
export async function race(candidates, { rounds = quick ? 21 : 201, ms = 1 } = {}) {
  const racers = [];
  for (const [name, run] of Object.entries(candidates)) {
    const batch = run(0) instanceof Promise ? awaited : direct;
    racers.push({ name, run, batch, calls: await warmUp(batch, run, ms), times: [] });
  }
  for (let round = 0; round < rounds; round++) {
    for (const racer of shuffled(racers)) racer.times.push((await racer.batch(racer.run, racer.calls)) / racer.calls);
  }
  return Object.fromEntries(racers.map(({ name, times }) => [name, 1000 * lowerQuartile(times)]));
}

/** Runs a candidate until the compilers had their time. Gives the number of calls that fill `ms`. */
async function warmUp(batch, run, ms) {
  const end = performance.now() + (quick ? 50 : 200);
  let calls = 1;
  for (let time = 0; performance.now() < end || time < ms / 2;) {
    time = await batch(run, calls);
    if (time < ms) calls = Math.ceil(calls * Math.min(2, ms / Math.max(time, ms / 2)));
    if (time > 2 * ms) calls = Math.ceil(calls / 2);
  }
  return calls;
}

function shuffled(items) {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [result[last], result[other]] = [result[other], result[last]];
  }
  return result;
}

async function awaited(run, calls) {
  const start = performance.now();
  for (let i = 0; i < calls; i++) await run(i);
  return performance.now() - start;
}

function direct(run, calls) {
  const start = performance.now();
  for (let i = 0; i < calls; i++) run(i);
  return performance.now() - start;
}

/**
 * Time of an import in a fresh process, in microseconds, by `how + file`: that of the fastest round, because a process
 * that does the same each time differs by the machine alone. Nothing is subtracted. No `file` means an empty module.
 * A script's file runs it, not `--eval`, under which Node has loaded node:crypto before.
 */
export function raceImports(modules, rounds = quick ? 3 : 21) {
  const folder = mkdtempSync(join(tmpdir(), "twiml-fax-imports-"));
  const racers = new Map();
  for (const [i, module] of modules.entries()) {
    const key = module.how + module.file;
    if (!racers.has(key)) racers.set(key, { script: writeImport(folder, i, module), times: [] });
  }
  for (let round = 0; round < rounds; round++) {
    for (const { script, times } of shuffled(racers.values())) {
      times.push(1000 * Number(execFileSync(process.execPath, [script], { encoding: "utf8" })));
    }
  }
  rmSync(folder, { recursive: true });
  return new Map([...racers].map(([key, { times }]) => [key, Math.min(...times)]));
}

/** Writes a script that loads a module and prints how long it took, in milliseconds. Gives the script's path. */
function writeImport(folder, number, { how, file }) {
  const ending = how === "require" ? "cjs" : "mjs";
  const empty = join(folder, `empty.${ending}`);
  writeFileSync(empty, "");
  const path = file || empty;
  const isUrl = how === "import" && !path.startsWith("node:");
  const specifier = JSON.stringify(isUrl ? pathToFileURL(path).href : path);
  const load = how === "require" ? `require(${specifier})` : `await import(${specifier})`;
  const script = join(folder, `${number}.${ending}`);
  writeFileSync(script, `const start = performance.now(); ${load}; console.log(performance.now() - start);\n`);
  return script;
}

/** On Windows npm is a .cmd, which cannot be spawned without a shell; Node's own installation has it beside node. */
const NPM =
  process.platform === "win32"
    ? [process.execPath, join(dirname(process.execPath), "node_modules/npm/bin/npm-cli.js")]
    : ["npm"];

/** A checkout's package as npm would install it, in a temporary folder: what ships is what is measured. */
export function pack(checkout) {
  if (!existsSync(join(checkout, "dist"))) throw new Error(`${checkout} has no dist/; run npm run build there first`);
  const folder = mkdtempSync(join(tmpdir(), "twiml-fax-bench-"));
  // `npm run -w` hands its workspace to the npm inside, which would pack this folder.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  // Without scripts: `prepare` would build anew.
  const args = ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder];
  const [npm, ...first] = NPM;
  const name = execFileSync(npm, [...first, ...args], { cwd: checkout, env, encoding: "utf8" }).trim();
  // A relative name: some tar takes the colon of C: for a host.
  execFileSync("tar", ["-xzf", name], { cwd: folder });
  return join(folder, "package");
}

/** Folder of an installed package, as Node finds it from `from`. */
export function packageFolder(name, from = here) {
  const folder = join(from, "node_modules", name);
  if (existsSync(folder)) return folder;
  if (dirname(from) === from)
    throw new Error(`${name} is not installed; delete ${join(here, "node_modules")} and run it again`);
  return packageFolder(name, dirname(from));
}

export const manifest = (folder) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

/** Bytes of all files of a package and of what it depends on, each package once. */
export function bytesInstalled(folder, seen = new Set()) {
  if (seen.has(folder)) return 0;
  seen.add(folder);
  const own = sizeOf(folder);
  const dependencies = Object.keys(manifest(folder).dependencies ?? {});
  return dependencies.reduce((sum, name) => sum + bytesInstalled(packageFolder(name, folder), seen), own);
}

/** Without the packages nested inside, which the walk over the dependencies counts. */
function sizeOf(path) {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + (name === "node_modules" ? 0 : sizeOf(join(path, name))), 0);
}
