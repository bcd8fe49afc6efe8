/** The time of an import, compared with an empty module, node:crypto and the peers, each in its own process. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ofBuilds, peerFile, PEERS } from "./libraries.mjs";
import { quick, shuffled } from "./measure.mjs";

const ROUNDS = quick ? 3 : 21;
const ENTRIES = { "twiml-fax": "dist/index", "twiml-fax/webhook": "dist/webhook/index" };

/** Rows of a title and the microseconds of each candidate: the fastest round, because load only makes it slower. */
export function importTimes() {
  const rows = Object.entries(ENTRIES).flatMap(([entry, path]) => [
    [
      `\`import\` ${entry}`,
      selectModules((file) => `await import(${JSON.stringify(toSpecifier(file))})`, `${path}.js`),
    ],
    [`\`require\` ${entry}`, selectModules(toRequire, `${path}.cjs`)],
  ]);
  // One race for all rows: a module in several rows is measured once, at the same time as the others.
  const times = raceScripts([...new Set(rows.flatMap(([, modules]) => Object.values(modules)))]);
  const getTimes = (modules) => Object.entries(modules).map(([name, load]) => [name, times.get(load)]);
  return rows.map(([title, modules]) => [title, Object.fromEntries(getTimes(modules))]);
}

const toRequire = (file) => `require(${JSON.stringify(file)})`;
const toSpecifier = (file) => (file.startsWith("node:") ? file : pathToFileURL(file).href);

/** The statement that loads each candidate. Peers are required in every row: most are CommonJS. */
function selectModules(load, path) {
  return {
    ...ofBuilds(({ folder }) => load(join(folder, path))),
    "an empty module": load(fileURLToPath(new URL(`empty${extname(path)}`, import.meta.url))),
    "node:crypto": load("node:crypto"),
    ...Object.fromEntries(PEERS.map((name) => [name, toRequire(peerFile(name))])),
  };
}

/** Runs each statement in a script file: with `--eval`, Node has already loaded node:crypto. */
function raceScripts(statements) {
  const folder = mkdtempSync(join(tmpdir(), "twiml-fax-imports-"));
  const racers = statements.map((load, i) => {
    const script = join(folder, `${i}.${load.startsWith("require") ? "cjs" : "mjs"}`);
    writeFileSync(script, `const start = performance.now(); ${load}; console.log(performance.now() - start);\n`);
    return { load, script, times: [] };
  });
  for (let round = 0; round < ROUNDS; round++) {
    for (const { script, times } of shuffled(racers)) {
      times.push(1000 * Number(execFileSync(process.execPath, [script], { encoding: "utf8" })));
    }
  }
  rmSync(folder, { recursive: true });
  return new Map(racers.map(({ load, times }) => [load, Math.min(...times)]));
}
