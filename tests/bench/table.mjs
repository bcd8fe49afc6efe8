/** The table: one row for each task, and at the end what was missed. */
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
  console.log("In brackets how many times twiml-fax's the other takes.\n");
  console.log("| task | twiml-fax | beside it | aim |\n| --- | --- | --- | --- |");
}

/** `aims`: [limit, candidate] says that ours takes at most `limit` times what the candidate takes. */
export function printRow(task, { "twiml-fax": ours, ...others }, show, aims = []) {
  const beside = Object.entries(others).map(([name, value]) => `${name} ${show(value)} (${ratio(value / ours)})`);
  const verdicts = aims.map(([limit, name]) => verdict(task, limit, name, ours / others[name]));
  console.log(`| ${task} | ${show(ours)} | ${beside.join(", ")} | ${verdicts.join("; ")} |`);
}

export function printMissed() {
  if (missed.length > 0) console.log(`\nMissed: ${missed.join("; ")}.`);
}

function verdict(task, limit, name, share) {
  const aim = aimInWords(limit, name);
  const met = share <= limit;
  if (!met) missed.push(`${task}: ${aim}`);
  return `${aim}: ${met ? "met" : "**missed**"} (${ratio(limit < 1 ? 1 / share : share)})`;
}

function aimInWords(limit, name) {
  if (limit < 1) return `${name} at least ${ratio(1 / limit)}`;
  return limit === 1 ? `faster than ${name}` : `at most ${ratio(limit)} ${name}`;
}

function ratio(number) {
  const digits = number >= 100 ? 0 : number >= 10 ? 1 : 2;
  return number.toFixed(digits) + "×";
}

const TIMES = { ms: 1000, µs: 1, ns: 0.001 };
const SIZES = { MiB: 1024 * 1024, KiB: 1024, B: 1 };

export const time = (microseconds) => inUnits(microseconds, TIMES);
export const bytes = (count) => inUnits(count, SIZES);

/** Three digits, in the largest unit that leaves a digit before the point. */
function inUnits(value, units) {
  const all = Object.entries(units);
  const [name, size] = all.find(([, size]) => value >= size) ?? all.at(-1);
  return `${(value / size).toPrecision(3).replace(/^(\d{3,})\..*/, "$1")} ${name}`;
}
