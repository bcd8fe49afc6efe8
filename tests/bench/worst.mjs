/**
 * The most expensive request that a client without a secret can send: `npm run build`, then
 * `node tests/bench/worst.mjs` (half a minute). Each request is well-formed, has both signature headers with wrong
 * signatures, and a body of at most 64 KiB. All combinations of the choices below are measured.
 */
import assert from "node:assert/strict";
import { faxWebhook } from "../../dist/webhook/index.js";

const GOAL_MS = 15;
const BODY_BYTES = 64 * 1024;

/** Options of the webhook. Clients cannot choose them, but every server has one of these. */
const PUBLIC_URLS = {
  "no publicUrl": undefined,
  publicUrl: "https://fax.example.com",
  "publicUrl with all parts": "https://user:password@fax.example.com:8443/fax?a=1#rc=2&rp=all",
  "publicUrl from a function": ({ headers }) => `https://user:password@${headers.host.split(":")[0]}/fax#rc=2`,
};
/** A query of pieces, each of which has another encoding in some framework. Node accepts 16 KiB of headers. */
const QUERY_LENGTHS = [0, 40, 2047, 14_000];
/** The number of parameters, and of different names. */
const NAMES = ["1000/1000", "1000/500", "1000/1", "999/998", "2/1", "3/2"];
/** Units of a value as Latin-1. \xff is not UTF-8: it is decoded to U+FFFD, which is hashed as three bytes. */
const VALUES = ["a", "\xff", "%ff", "%41", "+'%E2%82%AC"];
const FORMATS = ["GET", "form", "multipart"];

const combine = (...lists) =>
  lists.reduce((all, list) => all.flatMap((chosen) => list.map((each) => [...chosen, each])), [[]]);

/** The pairs as Latin-1 text, one character for each byte. Names are shuffled, which is expensive to sort. */
function createPairs(counts, unit, overhead) {
  const [count, distinct] = counts.split("/").map(Number);
  const names = Array.from({ length: count }, (_, i) => String((i * 7919) % distinct).padStart(10, "n"));
  const free = BODY_BYTES - count * (10 + overhead);
  // Both interpretations of a repeated name contain its first value, so that a long one is hashed most often.
  const lengthAt = (i) => (count > 3 ? free / count : i === 0 ? free - 10 : 0);
  return names.map((name, i) => [name, unit.repeat(Math.max(lengthAt(i) - 1, 0) / unit.length) + (i % 10)]);
}

function createBody(format, names, value) {
  if (format === "form") {
    const text = createPairs(names, value, 2).map((pair) => pair.join("="));
    return [Buffer.from(text.join("&"), "latin1"), "application/x-www-form-urlencoded"];
  }
  const head = (name) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`;
  const parts = createPairs(names, value, head("").length + 2).map(([name, value]) => `${head(name)}${value}\r\n`);
  const body = parts.join("").slice(0, BODY_BYTES - 5);
  // A part that was cut off would make the body malformed.
  return [Buffer.from(`${body.slice(0, body.lastIndexOf("--b"))}--b--`, "latin1"), "multipart/form-data; boundary=b"];
}

function createRequest([, queryLength, format, names, value]) {
  const [body, contentType] = createBody(format, names, value);
  const headers = {
    host: "fax.example.com:8443",
    "content-type": contentType,
    "x-twilio-signature": "A".repeat(27) + "=",
    "x-signalwire-signature": "B".repeat(27) + "=",
    "x-forwarded-host": "one.example.com",
    "x-forwarded-proto": "https",
    "x-forwarded-prefix": "/prefix",
    forwarded: "host=two.example.com;proto=http",
  };
  const pieces = "'%27%20+~*(%7E";
  const url = "/fax" + "?".repeat(queryLength && 1) + pieces.repeat(queryLength / pieces.length);
  return format === "GET" ? { method: "GET", url, headers } : { method: "POST", url, headers, body };
}

const webhooks = Object.fromEntries(
  Object.entries(PUBLIC_URLS).map(([name, publicUrl]) => {
    const authToken = ["0123456789abcdef0123456789abcdef", "PT0123456789abcdef0123456789abcde"];
    const handlers = { onFax: () => ({ verb: "Reject" }), onCallback: () => {}, onRefused: () => {} };
    return [name, faxWebhook({ authToken, publicUrl, maxMediaBytes: BODY_BYTES, ...handlers })];
  }),
);

/** Median of the CPU milliseconds, of all threads, that a run takes. */
async function measureCpuMs(run, times) {
  const taken = [];
  for (let i = 0; i < times; i++) {
    const before = process.cpuUsage();
    await run();
    const { user, system } = process.cpuUsage(before);
    taken.push((user + system) / 1000);
  }
  return taken.sort((a, b) => a - b)[taken.length >> 1];
}

function measure(choices, times) {
  const request = createRequest(choices);
  return measureCpuMs(async () => {
    const { status } = await webhooks[choices[0]].handle(request);
    assert(status >= 400, "a request without a valid signature was accepted");
  }, times);
}

async function print({ choices, ms }) {
  const { url, body = Buffer.of() } = createRequest(choices);
  const text = body.toString("latin1");
  const platform = await measureCpuMs(() => {
    for (let i = 0; i < 10; i++) for (const pair of new URLSearchParams(text)) void pair;
  }, 11);
  const times = `${ms.toFixed(1)} ms, URLSearchParams ${(platform / 10).toFixed(1)} ms`;
  console.log(`${times} (body ${body.length} bytes, URL ${url.length} characters): ${JSON.stringify(choices)}`);
}

const all = combine(Object.keys(PUBLIC_URLS), QUERY_LENGTHS, FORMATS, NAMES, VALUES);
// The first runs include the compiler.
for (const choices of all.slice(0, 90)) await measure(choices, 1);
const found = [];
for (const choices of all) found.push({ choices, ms: await measure(choices, 3) });
const worst = found.sort((a, b) => b.ms - a.ms).slice(0, 20);
for (const each of worst) each.ms = await measure(each.choices, 11);
worst.sort((a, b) => b.ms - a.ms);
console.log(`The most expensive of ${all.length} requests:\n`);
for (const each of worst.slice(0, 8)) await print(each);
const [{ ms }] = worst;
console.log(`\nGoal: at most ${GOAL_MS} ms. Worst: ${ms.toFixed(1)} ms, ${ms <= GOAL_MS ? "met" : "MISSED"}.`);
