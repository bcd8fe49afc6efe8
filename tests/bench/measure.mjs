/** Measures calls in interleaved rounds, and sizes of files. */
import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const quick = process.env.BENCH_QUICK === "1";
const here = dirname(fileURLToPath(import.meta.url));

/** Other load only adds time, so fast rounds are more accurate; the fastest is an outlier. */
const lowerQuartile = (times) => times.toSorted((a, b) => a - b)[times.length >> 2];

/**
 * The microseconds of one call by candidate: the lower quartile of the rounds. Every round runs every candidate for
 * about `ms`, less than a time slice of the scheduler. Candidates receive a running number, to choose another input
 * each time. Each round shuffles the candidates: in a fixed order, one candidate would always run after the peer that
 * leaves the most garbage.
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

/** Runs a candidate until it is compiled. Returns the number of calls that take `ms`. */
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

export function shuffled(items) {
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

/** On Windows npm is a .cmd file, which needs a shell; the npm of Node's installation is a script. */
const NPM =
  process.platform === "win32"
    ? [process.execPath, join(dirname(process.execPath), "node_modules/npm/bin/npm-cli.js")]
    : ["npm"];

/** Packs and extracts a checkout into a temporary folder: the benchmark measures the published files. */
export function pack(checkout) {
  if (!existsSync(join(checkout, "dist"))) throw new Error(`${checkout} has no dist/. Run npm run build there first.`);
  const folder = mkdtempSync(join(tmpdir(), "twiml-fax-bench-"));
  // `npm run -w` passes its workspace to the inner npm, which would pack this folder.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  // Without scripts: `prepare` would build again.
  const args = ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder];
  const [npm, ...first] = NPM;
  const name = execFileSync(npm, [...first, ...args], { cwd: checkout, env, encoding: "utf8" }).trim();
  // A relative name: some versions of tar read C: as a host name.
  execFileSync("tar", ["-xzf", name], { cwd: folder });
  return join(folder, "package");
}

/** The folder of an installed package, as Node resolves it in `from`. */
export function packageFolder(name, from = here) {
  const folder = join(from, "node_modules", name);
  if (existsSync(folder)) return folder;
  if (dirname(from) === from)
    throw new Error(`${name} is not installed. Delete ${join(here, "node_modules")} and run this again.`);
  return packageFolder(name, dirname(from));
}

export const manifest = (folder) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

/** The bytes of all files of a package and its dependencies, each package once. */
export function bytesInstalled(folder, seen = new Set()) {
  if (seen.has(folder)) return 0;
  seen.add(folder);
  const own = sizeOf(folder);
  const dependencies = Object.keys(manifest(folder).dependencies ?? {});
  return dependencies.reduce((sum, name) => sum + bytesInstalled(packageFolder(name, folder), seen), own);
}

/** Without nested packages, which bytesInstalled counts as dependencies. */
function sizeOf(path) {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + (name === "node_modules" ? 0 : sizeOf(join(path, name))), 0);
}
