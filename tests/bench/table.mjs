/** Prints the table: one row for each task, then the missed aims. */
import { cpus } from "node:os";
import { after, PEERS } from "./libraries.mjs";
import { manifest, packageFolder } from "./measure.mjs";

const missed = [];

export function printHead() {
  const versions = [...PEERS, "fast-querystring"].map((name) => `${name} ${manifest(packageFolder(name)).version}`);
  const machine = `${cpus()[0].model.trim()} (${cpus().length} cores), ${process.platform} ${process.arch}`;
  const ours = `twiml-fax ${manifest(after.folder).version}`;
  console.log(`Node ${process.version.slice(1)}, ${machine}; ${[ours, ...versions].join(", ")}.`);
  console.log("Lower quartile of shuffled rounds (imports: the fastest).");
  console.log("In parentheses: the time of the candidate as a multiple of twiml-fax's.\n");
  console.log("| task | twiml-fax | candidates | aim |\n| --- | --- | --- | --- |");
}

/** `aims`: [limit, candidate] means that twiml-fax takes at most `limit` times the candidate's time. */
export function printRow(task, { "twiml-fax": ours, ...others }, show, aims = []) {
  const compared = Object.entries(others).map(
    ([name, value]) => `${name} ${show(value)} (${formatRatio(value / ours)})`,
  );
  const verdicts = aims.map(([limit, name]) => formatVerdict(task, limit, name, ours / others[name]));
  console.log(`| ${task} | ${show(ours)} | ${compared.join(", ")} | ${verdicts.join("; ")} |`);
}

export function printMissed() {
  if (missed.length > 0) console.log(`\nMissed: ${missed.join("; ")}.`);
}

function formatVerdict(task, limit, name, share) {
  const aim = formatAim(limit, name);
  const met = share <= limit;
  if (!met) missed.push(`${task}: ${aim}`);
  return `${aim}: ${met ? "met" : "**missed**"} (${formatRatio(limit < 1 ? 1 / share : share)})`;
}

function formatAim(limit, name) {
  if (limit < 1) return `${name} at least ${formatRatio(1 / limit)}`;
  return limit === 1 ? `faster than ${name}` : `at most ${formatRatio(limit)} ${name}`;
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
