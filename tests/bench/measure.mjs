/** How things are measured: interleaved rounds in this process, fresh processes for imports, files for sizes. */
import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const quick = process.env.BENCH_QUICK === "1";
const here = dirname(fileURLToPath(import.meta.url));

export const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

/**
 * Median time of one call, in microseconds, by candidate. Every round runs every candidate for about `ms`, each round
 * in
 * another order, so that what else the machine does meets all of them alike. A candidate is called with a running
 * number,
 * to choose another input each time.
 */
export async function race(candidates, { rounds = quick ? 15 : 101, ms = quick ? 1 : 2 } = {}) {
  const racers = [];
  for (const [name, run] of Object.entries(candidates)) {
    const batch = run(0) instanceof Promise ? awaited : direct;
    // Warm-up: until the compilers had their time; the last batch says how many calls fill a round.
    let calls = 1;
    let time = 0;
    for (const end = performance.now() + (quick ? 50 : 200); performance.now() < end || time < ms / 2;) {
      time = await batch(run, calls);
      if (time < ms) calls = Math.ceil(calls * Math.min(2, ms / Math.max(time, ms / 2)));
      if (time > 2 * ms) calls = Math.ceil(calls / 2);
      if (calls === 1 && time >= ms / 2 && performance.now() > end) break;
    }
    racers.push({ name, run, batch, calls, times: [] });
  }
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < racers.length; i++) {
      const racer = racers[(i + round) % racers.length];
      racer.times.push((await racer.batch(racer.run, racer.calls)) / racer.calls);
    }
  }
  return Object.fromEntries(racers.map(({ name, times }) => [name, 1000 * median(times)]));
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
 * Median time of an import in a fresh process, in microseconds, by name; nothing is subtracted. A file runs it, because
 * under `--eval` Node has loaded node:crypto before. Without `file` an empty module is imported.
 */
export function raceImports(modules, rounds = quick ? 3 : 21) {
  const folder = mkdtempSync(join(tmpdir(), "twiml-fax-imports-"));
  const names = Object.keys(modules);
  const times = Object.fromEntries(names.map((name) => [name, []]));
  const scripts = names.map((name, i) => writeImport(folder, i, modules[name]));
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const at = (i + round) % names.length;
      times[names[at]].push(1000 * Number(execFileSync(process.execPath, [scripts[at]], { encoding: "utf8" })));
    }
  }
  rmSync(folder, { recursive: true });
  return Object.fromEntries(names.map((name) => [name, median(times[name])]));
}

/** A script that loads a module and prints how long it took, in milliseconds. */
function writeImport(folder, i, { file, how }) {
  const ending = how === "require" ? "cjs" : "mjs";
  const empty = join(folder, `empty.${ending}`);
  writeFileSync(empty, "");
  const path = file ?? empty;
  const specifier = JSON.stringify(how === "require" || path.startsWith("node:") ? path : pathToFileURL(path).href);
  const load = how === "require" ? `require(${specifier})` : `await import(${specifier})`;
  const script = join(folder, `${i}.${ending}`);
  writeFileSync(script, `const start = performance.now(); ${load}; console.log(performance.now() - start);\n`);
  return script;
}

/** The library as npm would install it, unpacked in a temporary folder: what ships is what is measured. */
export function packOurs() {
  const folder = mkdtempSync(join(tmpdir(), "twiml-fax-bench-"));
  // `npm run -w` hands its workspace to the npm inside, which would pack this folder. No scripts: they would build
  // anew.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  const out = execFileSync("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder], {
    cwd: join(here, "../.."),
    env,
    encoding: "utf8",
  });
  execFileSync("tar", ["-xzf", join(folder, out.trim()), "-C", folder]);
  return join(folder, "package");
}

/** Folder of an installed package, as Node finds it from `from`. */
export function packageFolder(name, from = here) {
  const folder = join(from, "node_modules", name);
  if (existsSync(folder)) return folder;
  if (dirname(from) === from) throw new Error(`${name} is not installed; run npm ci at the root`);
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
