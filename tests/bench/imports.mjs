/** The time of an import, compared with an empty module, node:crypto and the peers, each in its own process. */
import { join } from "node:path";
import { ofBuilds, peerFile, PEERS } from "./libraries.mjs";
import { raceImports } from "./measure.mjs";

const ENTRIES = { "twiml-fax": "dist/index", "twiml-fax/webhook": "dist/webhook/index" };
const ENDINGS = { import: "js", require: "cjs" };

/** Rows of a title and the microseconds of each candidate. */
export function importTimes() {
  const rows = Object.entries(ENTRIES).flatMap(([entry, path]) =>
    Object.entries(ENDINGS).map(([how, ending]) => ({
      title: `\`${how}\` ${entry}`,
      modules: selectModules(how, `${path}.${ending}`),
    })),
  );
  // One race for all rows: a module in several rows is measured once, at the same time as the others.
  const times = raceImports(rows.flatMap(({ modules }) => Object.values(modules)));
  const timesOf = (modules) => Object.entries(modules).map(([name, { how, file }]) => [name, times.get(how + file)]);
  return rows.map(({ title, modules }) => [title, Object.fromEntries(timesOf(modules))]);
}

function selectModules(how, path) {
  // Peers are required in every row: most are CommonJS, and their own examples use require.
  const peers = PEERS.map((name) => [name, { how: "require", file: peerFile(name) }]);
  return {
    ...ofBuilds(({ folder }) => ({ how, file: join(folder, path) })),
    "an empty module": { how, file: "" },
    "node:crypto": { how, file: "node:crypto" },
    ...Object.fromEntries(peers),
  };
}
