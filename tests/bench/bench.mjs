/**
 * Compares the library with its peers: `npm run bench`, about a minute on an idle machine. Prints the tables of
 * docs/benchmarks.md, and writes its chart.
 *
 * - `npm run bench -- verify` runs only the rows whose title matches.
 * - `BENCH_QUICK=1` takes about 15 s and is less exact: ignore differences below 10 %.
 * - `BENCH_BEFORE=/path` adds the build of another checkout to the same run, as the candidate "before".
 * - `BENCH_AFTER=/path` measures the build of that checkout instead of this one.
 *
 * All candidates of a task must return the same result before any of them is timed.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { callbackHandlers, handlers, parsers, parsersOf, verifiers, writers } from "./candidates.mjs";
import { importTimes } from "./imports.mjs";
import { callbacks, forgeries, HARD_FORMS, longForm, requests } from "./inputs.mjs";
import { ofBuilds, PEERS } from "./libraries.mjs";
import { bytesInstalled, packageFolder, quick, race } from "./measure.mjs";
import { createChart } from "./chart.mjs";
import { bytes, printAims, printHead, printRow, time } from "./table.mjs";

/** The code written by hand gains more from Node 24 than ours, so the aims differ. */
const isNode24 = Number.parseInt(process.versions.node) >= 24;
/** For calls that take longer than a usual round. */
const LONG = { rounds: 21 };
const VERIFYING_AIMS = [[1.1, "bare HMAC"]];

/** `result` selects the part that must be equal for all candidates. */
const TASKS = [
  {
    task: "build and serialize",
    candidates: writers,
    // Some XML writers add a line break after the prologue.
    result: (twiml) => twiml.replace("?>\n", "?>"),
    aims: [
      [1 / 10, "twilio"],
      [isNode24 ? 3 : 2.2, "by hand"],
    ],
  },
  {
    task: "parse a request (5 parameters)",
    candidates: parsers((library) => library.parseFaxRequest, requests),
    result: ({ params, ...untyped }) => ({ ...(params ?? untyped) }),
  },
  {
    task: "parse a callback (11 parameters)",
    candidates: parsers((library) => library.parseFaxCallback, callbacks),
    result: ({ params, ...untyped }) => ({ ...(params ?? untyped) }),
    aims: [[1.6, "fast-querystring"]],
  },
  { task: "verify a request", candidates: verifiers(requests), result: (valid) => valid, aims: VERIFYING_AIMS },
  { task: "verify a callback", candidates: verifiers(callbacks), result: (valid) => valid, aims: VERIFYING_AIMS },
  { task: "refuse a forged request", candidates: verifiers(forgeries), result: (valid) => !valid },
  {
    task: "a request, from body to reply",
    candidates: handlers,
    result: ({ status, body }) => [status, body],
    aims: [
      [1 / 1.75, "twilio"],
      [isNode24 ? 1.8 : 1.6, "by hand, fast-querystring"],
    ],
  },
  {
    task: "a callback, from body to reply",
    candidates: callbackHandlers,
    result: ({ status, body }) => [status, body],
  },
];

const only = new RegExp(process.argv[2] ?? "");

printHead();
for (const { task, candidates, result, aims } of TASKS.filter(({ task }) => only.test(task))) {
  await assertAgreement(task, candidates, result);
  const times = await race(candidates);
  printRow(task, times, time, aims);
  if (candidates === handlers) writeChart(times);
}
for (const count of [5, 50, 500, 5_000, 50_000]) {
  await compareParsers(`parse ${count.toLocaleString("en")} parameters, time for each`, longForm(count), [], count);
}
for (const [name, form] of Object.entries(HARD_FORMS)) {
  await compareParsers(`parse 64 KiB of ${name}`, form, name === "&" ? [[1.5, "URLSearchParams"]] : []);
}
if (only.test("import, require")) for (const [title, times] of importTimes()) printRow(title, times, time);
if (only.test("installed")) compareSizes();
printAims();

async function assertAgreement(task, candidates, result) {
  const expected = result(await candidates["twiml-fax"](1));
  assert(expected !== undefined && expected !== false, `${task}: twiml-fax failed`);
  for (const [name, run] of Object.entries(candidates)) {
    assert.deepEqual(result(await run(1)), expected, `${task}: ${name} returns another result`);
  }
}

/** Only from a full run: a quick one is less exact. */
function writeChart({ "twiml-fax": ours, twilio, SignalWire }) {
  if (quick || only.source !== "(?:)") return;
  const title = "One request: verify, parse, respond (less is better)";
  const chart = createChart(title, { "twiml-fax": ours, twilio, SignalWire }, time);
  writeFileSync(new URL("../../docs/benchmarks.svg", import.meta.url), chart);
}

async function compareParsers(task, body, aims, count = 1) {
  if (!only.test(task)) return;
  const times = Object.entries(await race(parsersOf(body), LONG)).map(([name, all]) => [name, all / count]);
  printRow(task, Object.fromEntries(times), time, aims);
}

function compareSizes() {
  const peers = [...PEERS, "fast-querystring"].map((name) => [name, bytesInstalled(packageFolder(name))]);
  const builds = ofBuilds(({ folder }) => bytesInstalled(folder));
  printRow("installed, with dependencies", { ...builds, ...Object.fromEntries(peers) }, bytes);
}
