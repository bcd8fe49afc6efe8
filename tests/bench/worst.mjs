/**
 * The most expensive request that a client without a secret can send: `npm run build`, then
 * `node tests/bench/worst.mjs` (half a minute; ROUNDS=5000 searches longer, SEED=7 elsewhere). Each request is
 * well-formed, has both signature headers with wrong signatures, and a body of at most 64 KiB. The search starts with
 * hand-written requests, and changes the most expensive ones at random.
 */
import assert from "node:assert/strict";
import { faxWebhook } from "../../dist/webhook/index.js";
import { createRandom } from "../peers/inputs.mjs";

const GOAL_MS = 15;
const BODY_BYTES = 64 * 1024;
/** Node's server accepts 16 KiB of headers, including the request line. */
const URL_LENGTH = 15_000;
const PARAMS = 1000;
const rounds = Number(process.env.ROUNDS ?? 300);
const seed = Number(process.env.SEED ?? 1);
assert(Number.isSafeInteger(rounds) && rounds >= 0, "ROUNDS must be a whole number");

/** Possible options of the webhook. Clients cannot choose them, but every server has one of these. */
const CONFIGURATIONS = {
  "no publicUrl": {},
  publicUrl: { publicUrl: "https://fax.example.com" },
  "publicUrl with all parts": { publicUrl: "https://user:password@fax.example.com:8443/fax?a=1#rc=2&rp=all" },
  "publicUrl from a function": {
    publicUrl: ({ headers }) => `https://user:password@${headers.host.split(":")[0]}/fax#rc=2`,
  },
};
const TOKENS = ["0123456789abcdef0123456789abcdef", "PT0123456789abcdef0123456789abcde"];

/** Parts of a query: each has another encoding in some framework, or is expensive to decode. */
const PIECES = "' %27 %20 + ~ * ( ! \" %22 %2A %7E %C3%A9 é a = &b= %ff".split(" ");
/** Parts of a value as Latin-1 bytes. A byte that is not UTF-8 decodes to U+FFFD, which is hashed as three bytes. */
const RAW_BYTES = "\xff \xc3\xa9 a ~ %41 %ff + ' %E2%82%AC".split(" ");

/** A random integer below `limit`, the same sequence for each seed. */
const below = createRandom(seed);
const pick = (list) => list[below(list.length)];
const chance = (percent) => below(100) < percent;

/** The choices that describe a request. A mutation changes one or two of them. */
const GENES = {
  configuration: () => pick(Object.keys(CONFIGURATIONS)),
  tokens: () => 1 + below(2),
  method: () => (chance(95) ? "POST" : "GET"),
  host: () => pick(["fax.example.com", "fax.example.com:8443", "x:".repeat(500) + "1"]),
  absolute: () => chance(20),
  path: () => pick(["/", "/fax", "/" + "a/".repeat(500)]),
  query: () => Array.from({ length: below(12) }, () => pick(PIECES)),
  queryLength: () => pick([0, 50, 500, 2000, 2047, 2048, 2049, 8000, 14_000]),
  params: () => pick([1, 2, 12, 100, 500, 999, PARAMS]),
  names: () => pick(["same", "distinct", "pairs", "one twice"]),
  order: () => pick(["sorted", "reversed", "shuffled"]),
  nameLength: () => pick([1, 10, 30, 60]),
  value: () => Array.from({ length: 1 + below(4) }, () => pick(RAW_BYTES)),
  values: () => pick(["same", "distinct"]),
  bodyBytes: () => pick([1000, 16_000, BODY_BYTES, BODY_BYTES]),
  multipart: () => chance(10),
  forwarded: () => chance(70),
};
const randomGenome = () => Object.fromEntries(Object.entries(GENES).map(([name, make]) => [name, make()]));

function mutate(genome) {
  const changed = { ...genome };
  for (let n = 1 + below(2); n > 0; n--) {
    const name = pick(Object.keys(GENES));
    changed[name] = GENES[name]();
  }
  return changed;
}

const EXPENSIVE = {
  configuration: "publicUrl with all parts",
  tokens: 2,
  method: "POST",
  host: "fax.example.com:8443",
  absolute: false,
  path: "/fax",
  query: ["'", "%27", "%20", "+", "~", "*", "(", "%7E"],
  queryLength: 2047,
  params: PARAMS,
  names: "pairs",
  order: "shuffled",
  nameLength: 10,
  value: ["a"],
  values: "distinct",
  bodyBytes: BODY_BYTES,
  multipart: false,
  forwarded: true,
};
const BY_HAND = [
  EXPENSIVE,
  { ...EXPENSIVE, names: "distinct" },
  { ...EXPENSIVE, names: "same" },
  { ...EXPENSIVE, names: "one twice", params: 2 },
  { ...EXPENSIVE, names: "one twice", params: 3, value: ["\xff"] },
  { ...EXPENSIVE, names: "pairs", value: ["\xff"] },
  { ...EXPENSIVE, names: "pairs", value: ["%ff"] },
  { ...EXPENSIVE, names: "pairs", value: ["%41"] },
  { ...EXPENSIVE, queryLength: 40, value: ["\xff"] },
  { ...EXPENSIVE, queryLength: 14_000 },
  { ...EXPENSIVE, queryLength: 0 },
  { ...EXPENSIVE, multipart: true },
  { ...EXPENSIVE, method: "GET" },
  { ...EXPENSIVE, method: "GET", queryLength: 14_000 },
  ...Object.keys(CONFIGURATIONS).map((configuration) => ({ ...EXPENSIVE, configuration, tokens: 1 })),
];

/** Whole pieces only, so that no percent escape is cut. */
function repeat(pieces, length) {
  const unit = pieces.join("") || "a";
  return unit.repeat(Math.max(Math.floor(length / unit.length), 0));
}

function createNames({ params, names, nameLength, order }) {
  const distinct = { pairs: Math.ceil(params / 2), same: 1 }[names] ?? params;
  const all = Array.from({ length: params }, (_, i) => String(i % distinct).padStart(nameLength, "n"));
  if (names === "one twice" && params > 1) all[params - 1] = all[0];
  if (order === "sorted") all.sort();
  if (order === "reversed") all.sort().reverse();
  if (order !== "shuffled") return all;
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.imul(i, 7919) % (i + 1);
    [all[i], all[j]] = [all[j], all[i]];
  }
  return all;
}

/** The pairs as Latin-1 text, one character for each byte. */
function createPairs(genome, overhead) {
  const names = createNames(genome);
  const used = names.reduce((sum, name) => sum + name.length + overhead, 0);
  const free = Math.max(genome.bodyBytes - used, 0);
  // With "one twice", the first value takes all bytes: both interpretations of the repeated name then contain them.
  const each = genome.names === "one twice" ? 0 : Math.floor(free / names.length);
  return names.map((name, i) => {
    const suffix = genome.values === "distinct" ? String(i % 10) : "";
    const length = i === 0 && each === 0 ? free : each;
    return [name, repeat(genome.value, length - suffix.length) + suffix];
  });
}

/** The body and its content type. */
function createBody(genome) {
  if (!genome.multipart) {
    const text = createPairs(genome, 2).map((pair) => pair.join("="));
    return [Buffer.from(text.join("&"), "latin1").subarray(0, BODY_BYTES), "application/x-www-form-urlencoded"];
  }
  const head = (name) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`;
  let body = "";
  for (const [name, value] of createPairs(genome, head("").length + 2)) {
    const part = `${head(name)}${value}\r\n`;
    if (body.length + part.length <= BODY_BYTES - 5) body += part;
  }
  return [Buffer.from(body + "--b--", "latin1"), "multipart/form-data; boundary=b"];
}

const FORWARDED = {
  "x-forwarded-host": "one.example.com",
  "x-forwarded-proto": "https",
  "x-forwarded-prefix": "/prefix",
  forwarded: "host=two.example.com;proto=http",
};

function createRequest(genome) {
  const { method, host, path, queryLength } = genome;
  const [body, contentType] = createBody(genome);
  const query = queryLength === 0 ? "" : "?" + repeat(genome.query, queryLength - 1);
  const url = ((genome.absolute ? `http://${host}` : "") + path + query).slice(0, URL_LENGTH);
  const headers = {
    host,
    "content-type": contentType,
    "x-twilio-signature": "A".repeat(27) + "=",
    "x-signalwire-signature": "B".repeat(27) + "=",
    ...(genome.forwarded && FORWARDED),
  };
  return { method, url, headers, ...(method === "POST" && { body }) };
}

/** One webhook for each configuration and number of tokens, as on a server. */
const webhooks = new Map();
function getWebhook({ configuration, tokens }) {
  const key = `${configuration} ${tokens}`;
  if (!webhooks.has(key)) {
    const handlers = { onFax: () => ({ verb: "Reject" }), onCallback: () => {}, onRefused: () => {} };
    const options = { authToken: TOKENS.slice(0, tokens), maxMediaBytes: BODY_BYTES, ...handlers };
    webhooks.set(key, faxWebhook({ ...options, ...CONFIGURATIONS[configuration] }));
  }
  return webhooks.get(key);
}

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

const statuses = new Map();
async function measure(genome, times) {
  const { handle } = getWebhook(genome);
  const request = createRequest(genome);
  return measureCpuMs(async () => {
    const { status } = await handle(request);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    assert(status >= 400, "a request without a valid signature was accepted");
  }, times);
}

const byCost = (a, b) => b.ms - a.ms;

async function search() {
  // The first runs include the compiler.
  for (const genome of BY_HAND) await measure(genome, 2);
  const found = [];
  for (const genome of BY_HAND) found.push({ genome, ms: await measure(genome, 3), from: "by hand" });
  for (let round = 0; round < rounds; round++) {
    found.sort(byCost).splice(50);
    // Usually a change of one of the most expensive requests, sometimes a new request.
    const genome = chance(20) ? randomGenome() : mutate(pick(found.slice(0, 8)).genome);
    found.push({ genome, ms: await measure(genome, 3), from: `round ${round}` });
  }
  const worst = found.sort(byCost).slice(0, 20);
  for (const each of worst) each.ms = await measure(each.genome, 11);
  return worst.sort(byCost).slice(0, 8);
}

async function print({ genome, ms, from }) {
  const [body] = createBody(genome);
  const text = new TextDecoder().decode(body);
  const platform = await measureCpuMs(() => {
    for (let i = 0; i < 10; i++) for (const pair of new URLSearchParams(text)) void pair;
  }, 11);
  const times = `${ms.toFixed(1)} ms, URLSearchParams ${(platform / 10).toFixed(1)} ms`;
  console.log(`${times} (${from}; body ${body.length} bytes, URL ${createRequest(genome).url.length} characters)`);
  console.log(`    ${JSON.stringify({ ...genome, host: genome.host.slice(0, 30), path: genome.path.slice(0, 30) })}`);
}

const worst = await search();
console.log(`The most expensive of ${BY_HAND.length} hand-written and ${rounds} random requests (seed ${seed}):\n`);
for (const each of worst) await print(each);
console.log(`\nResponses: ${[...statuses].map(([status, count]) => `${count} times ${status}`).join(", ")}`);
const [{ ms }] = worst;
console.log(`Goal: at most ${GOAL_MS} ms. Worst: ${ms.toFixed(1)} ms, ${ms <= GOAL_MS ? "met" : "MISSED"}.`);
