/** Prints the tables: one for each set of candidates, with a row for each task; then the aims. */
import { cpus } from "node:os";
import { after, PEERS } from "./libraries.mjs";
import { manifest, packageFolder } from "./measure.mjs";

const aimRows = [];
let printedNames;

export function printHead() {
  const versions = [...PEERS, "fast-querystring"].map((name) => `${name} ${manifest(packageFolder(name)).version}`);
  const machine = `${cpus()[0].model.trim()} (${cpus().length} cores), ${process.platform} ${process.arch}`;
  const ours = `twiml-fax ${manifest(after.folder).version}`;
  console.log(`Node ${process.version.slice(1)}, ${machine}; ${[ours, ...versions].join(", ")}.`);
  console.log("Lower quartile of shuffled rounds (imports: the fastest).");
  console.log("The other columns are multiples of twiml-fax's value: above 1×, twiml-fax is better.");
}

/** `aims`: [limit, candidate] means that twiml-fax takes at most `limit` times the candidate's time. */
export function printRow(task, { "twiml-fax": ours, ...others }, show, aims = []) {
  const names = Object.keys(others).map((name) => name.replace("@signalwire/compatibility-api", "SignalWire"));
  // A table with the columns of all candidates would not fit a screen.
  if (String(names) !== printedNames) {
    console.log(`\n| task | twiml-fax | ${names.join(" | ")} |\n| ---${" | ---:".repeat(names.length + 1)} |`);
    printedNames = String(names);
  }
  const ratios = Object.values(others).map((value) => formatRatio(value / ours));
  console.log(`| ${[task, show(ours), ...ratios].join(" | ")} |`);
  for (const [limit, name] of aims) aimRows.push([task, formatAim(limit, name), ours / others[name], limit]);
}

export function printAims() {
  if (aimRows.length > 0) console.log("\n| task | goal | result |\n| --- | --- | --- |");
  for (const [task, aim, share, limit] of aimRows) {
    const verdict = share <= limit ? "met" : "**missed**";
    console.log(`| ${task} | ${aim} | ${formatRatio(limit < 1 ? 1 / share : share)}, ${verdict} |`);
  }
}

function formatAim(limit, name) {
  if (limit < 1) return `${name} takes at least ${formatRatio(1 / limit)}`;
  return limit === 1 ? `faster than ${name}` : `at most ${formatRatio(limit)} the time of ${name}`;
}

function formatRatio(number) {
  const digits = number >= 100 ? 0 : number >= 10 ? 1 : 2;
  return number.toFixed(digits) + "×";
}

const TIMES = { ms: 1000, µs: 1, ns: 0.001 };
const SIZES = { MiB: 1024 * 1024, KiB: 1024, B: 1 };

export const time = (microseconds) => formatUnits(microseconds, TIMES);
export const bytes = (count) => formatUnits(count, SIZES);

/** Three significant digits, in the largest unit with a value of at least 1. */
function formatUnits(value, units) {
  const all = Object.entries(units);
  const [name, size] = all.find(([, size]) => value >= size) ?? all.at(-1);
  return `${(value / size).toPrecision(3).replace(/^(\d{3,})\..*/, "$1")} ${name}`;
}
