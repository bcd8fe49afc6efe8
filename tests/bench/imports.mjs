/** What an import costs: beside an empty module, node:crypto alone and the peers, each in a process of its own. */
import { join } from "node:path";
import { ofBuilds, peerFile, PEERS } from "./libraries.mjs";
import { raceImports } from "./measure.mjs";

const ENTRIES = { "twiml-fax": "dist/index", "twiml-fax/webhook": "dist/webhook/index" };
const ENDINGS = { import: "js", require: "cjs" };

/** Times in microseconds by candidate, by the row's title. */
export function importTimes() {
  const rows = Object.entries(ENTRIES).flatMap(([entry, path]) =>
    Object.entries(ENDINGS).map(([how, ending]) => ({
      title: `\`${how}\` ${entry}`,
      modules: modulesBeside(how, `${path}.${ending}`),
    })),
  );
  // One race for all rows, so that what stands in several of them is measured once and at the same time as the others.
  const times = raceImports(rows.flatMap(({ modules }) => Object.values(modules)));
  const timesOf = (modules) => Object.entries(modules).map(([name, { how, file }]) => [name, times.get(how + file)]);
  return rows.map(({ title, modules }) => [title, Object.fromEntries(timesOf(modules))]);
}

function modulesBeside(how, path) {
  // Peers are required in every row: this is how most of them ship, and what their own examples do.
  const peers = PEERS.map((name) => [name, { how: "require", file: peerFile(name) }]);
  return {
    ...ofBuilds(({ folder }) => ({ how, file: join(folder, path) })),
    "an empty module": { how, file: "" },
    "node:crypto": { how, file: "node:crypto" },
    ...Object.fromEntries(peers),
  };
}
