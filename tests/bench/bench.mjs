/**
 * The library beside its peers, as Markdown: `npm run bench` (about 90 s; BENCH_QUICK=1: about 15 s, less exact;
 * BENCH_BEFORE=folder: another built checkout beside this one).
 * `npm run bench -- verify` runs the tasks alone whose name matches.
 * Before anything is timed, the candidates of a task have to give the same result.
 */
import assert from "node:assert/strict";
import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { createRequire } from "node:module";
import { rmSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import querystring from "node:querystring";
import { bytesInstalled, manifest, packageFolder, packOurs, race, raceImports } from "./measure.mjs";

const require = createRequire(import.meta.url);
const twilio = require("twilio");
const { RestClient: signalwire } = require("@signalwire/compatibility-api");
const { create } = require("xmlbuilder2");
const { XMLBuilder } = require("fast-xml-parser");
const fastQuerystring = require("fast-querystring");
const qs = require("qs");

const ourFolder = packOurs();
process.on("exit", () => rmSync(dirname(ourFolder), { recursive: true, force: true }));
/** Another checkout with a build of its own, to stand beside this one in every task: BENCH_BEFORE=/path/to/it. */
const before = process.env.BENCH_BEFORE && (await library(process.env.BENCH_BEFORE));
const after = await library(ourFolder);

async function library(folder) {
  return { ...(await import(join(folder, "dist/index.js"))), ...(await import(join(folder, "dist/webhook/index.js"))) };
}

// Inputs. Several of each, and none of them a literal: engines remember what they did with a literal before.
const INPUTS = 64;
const authToken = "0123456789abcdef0123456789abcdef";
const url = "https://fax.example.com/fax/incoming?line=2";
const inputs = (make) => Array.from({ length: INPUTS }, () => input(make()));
const requests = inputs(() => ({
  FaxSid: randomUUID(),
  AccountSid: randomUUID(),
  From: "+15017122661",
  To: "+15558675310",
  ApiVersion: "v1",
}));
const callbacks = inputs(() => ({
  FaxSid: randomUUID(),
  AccountSid: randomUUID(),
  From: "+15017122661",
  To: "+15558675310",
  RemoteStationId: "+15017122661",
  FaxStatus: "received",
  ApiVersion: "v1",
  NumPages: "2",
  MediaSid: randomUUID(),
  MediaUrl: `https://files.signalwire.com/${randomUUID()}/fax/${randomUUID()}.pdf`,
  Timestamp: "2022-01-13T21:54:46Z",
}));

function input(params) {
  const body = Buffer.from(new URLSearchParams(params).toString()).toString("latin1");
  const signature = Buffer.from(bareSignature(url, params)).toString("latin1");
  const headers = {
    host: "fax.example.com",
    "content-type": "application/x-www-form-urlencoded; charset=utf-8",
    "content-length": String(body.length),
    "x-twilio-signature": signature,
    "i-twilio-idempotency-token": randomUUID(),
    accept: "*/*",
    "user-agent": "TwilioProxy/1.1",
    "accept-encoding": "gzip",
    connection: "close",
  };
  return { params: querystring.parse(body), body, signature, headers };
}

// What the peers have no name for, written by hand for this one case.
const escape = (text) =>
  text.replace(/[&<"\t\n\r]/g, (c) =>
    c === "&"
      ? "&amp;"
      : c === "<"
        ? "&lt;"
        : c === '"'
          ? "&quot;"
          : `&#x${c.charCodeAt(0).toString(16).toUpperCase()};`,
  );
const handWritten = ({ action, method, mediaType, pageSize }) =>
  `<?xml version="1.0" encoding="UTF-8"?><Response><Receive action="${escape(action)}" ` +
  `method="${method}" mediaType="${mediaType}" pageSize="${pageSize}"/></Response>`;

function bareSignature(url, params) {
  let text = url;
  for (const name of Object.keys(params).sort()) text += name + params[name];
  return createHmac("sha1", authToken).update(text).digest("base64");
}

function bareVerify(signature, url, params) {
  const expected = Buffer.from(bareSignature(url, params));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

const searchParams = (body) => Object.fromEntries(new URLSearchParams(body));

function handDecoded(body) {
  const params = Object.create(null);
  for (const pair of body.split("&")) {
    const equals = pair.indexOf("=");
    params[decodeURIComponent(pair.slice(0, equals).replaceAll("+", " "))] = decodeURIComponent(
      pair.slice(equals + 1).replaceAll("+", " "),
    );
  }
  return params;
}

// One attributes object per request, as a server's function makes it.
const attributesFor = (fax) => ({
  action: `/fax/received?to=${fax}&n=1`,
  method: "POST",
  mediaType: "application/pdf",
  pageSize: "a4",
});

/** All that a turn has to do for an honest request, in the shortest code that does it. */
const floorTurn =
  (decode) =>
  async ({ method, url: path, headers, body }) => {
    if (
      method !== "POST" ||
      !headers["content-type"].startsWith("application/x-www-form-urlencoded") ||
      body.length > 65536
    )
      return { status: 415 };
    const params = decode(body);
    if (!bareVerify(headers["x-twilio-signature"] ?? "", "https://fax.example.com" + path, params))
      return { status: 403 };
    for (const name of ["FaxSid", "AccountSid", "From", "To", "ApiVersion"])
      if (params[name] === undefined) return { status: 400 };
    if (!/^[\w-]{1,64}$/.test(params.FaxSid) || !/^[\w-]{1,64}$/.test(params.AccountSid)) return { status: 400 };
    return {
      status: 200,
      headers: { "content-type": "text/xml; charset=utf-8", "cache-control": "no-store" },
      body: handWritten(attributesFor(params.To)),
    };
  };

const helperTurn =
  (validate, Response) =>
  async ({ url: path, headers, body }) => {
    const params = querystring.parse(body);
    if (!validate(authToken, headers["x-twilio-signature"], "https://fax.example.com" + path, params))
      return { status: 403 };
    const response = new Response();
    response.receive(attributesFor(params.To));
    return { status: 200, headers: { "content-type": "text/xml" }, body: response.toString() };
  };

// The tasks. `aims`: [limit, candidate] says that ours takes at most `limit` times what the candidate takes.
const attributes = Array.from({ length: INPUTS }, (_, i) => attributesFor(`+155586753${i}`));
const xmlBuilder = new XMLBuilder({
  ignoreAttributes: false,
  suppressEmptyNode: true,
  suppressBooleanAttributes: false,
});
const webhookOf = ({ faxWebhook, receive }) =>
  faxWebhook({
    authToken,
    publicUrl: "https://fax.example.com",
    onFax: (fax) => receive(attributesFor(fax.to)),
    onCallback: () => {},
  });
const turn =
  (handle, from = requests) =>
  (i) =>
    handle({
      method: "POST",
      url: "/fax/incoming?line=2",
      headers: from[i % INPUTS].headers,
      body: from[i % INPUTS].body,
    });

/** This build, and the one of BENCH_BEFORE if there is one; `make` makes a candidate of a library. */
const ours = (make) => ({ "twiml-fax": make(after), ...(before && { "twiml-fax before": make(before) }) });

const parsers = (name, from) => ({
  ...ours((library) => (i) => library[name](from[i % INPUTS].body)),
  "fast-querystring": (i) => fastQuerystring.parse(from[i % INPUTS].body),
  querystring: (i) => querystring.parse(from[i % INPUTS].body),
  qs: (i) => qs.parse(from[i % INPUTS].body),
  URLSearchParams: (i) => searchParams(from[i % INPUTS].body),
  "by hand": (i) => handDecoded(from[i % INPUTS].body),
});

const verifiers = (from, bend = (signature) => signature) => {
  const bent = from.map(({ params, signature }) => ({ params, signature: bend(signature) }));
  const each = (verify) => (i) => verify(bent[i % INPUTS]);
  return {
    ...ours(({ verifyRequest }) =>
      each(({ params, signature }) => verifyRequest({ authToken, signature, url, params })),
    ),
    "bare HMAC": each(({ params, signature }) => bareVerify(signature, url, params)),
    twilio: each(({ params, signature }) => twilio.validateRequest(authToken, signature, url, params)),
    SignalWire: each(({ params, signature }) => signalwire.validateRequest(authToken, signature, url, params)),
  };
};

const PARSING_AIMS = [
  [1.6, "fast-querystring"],
  [1, "querystring"],
  [1, "URLSearchParams"],
];

const TASKS = [
  {
    task: "build and serialize",
    aims: [
      [1 / 10, "twilio"],
      [2.2, "by hand"],
    ],
    result: (twiml) => twiml,
    candidates: {
      ...ours(
        ({ toTwiml, receive }) =>
          (i) =>
            toTwiml(receive(attributes[i % INPUTS])),
      ),
      "its FaxResponse": (i) => new after.FaxResponse().receive(attributes[i % INPUTS]).toString(),
      twilio: (i) => helperTwiml(twilio.twiml.FaxResponse, attributes[i % INPUTS]),
      SignalWire: (i) => helperTwiml(signalwire.LaML.FaxResponse, attributes[i % INPUTS]),
      xmlbuilder2: (i) =>
        create({ version: "1.0", encoding: "UTF-8" })
          .ele("Response")
          .ele("Receive", attributes[i % INPUTS])
          .end(),
      "fast-xml-parser": (i) => xmlBuilder.build(xmlObject(attributes[i % INPUTS])),
      "by hand": (i) => handWritten(attributes[i % INPUTS]),
    },
  },
  {
    task: "parse a request (5 parameters)",
    aims: PARSING_AIMS,
    result: (value) => ({ ...(value.params ?? value) }),
    candidates: parsers("parseFaxRequest", requests),
  },
  {
    task: "parse a callback (11 parameters)",
    aims: PARSING_AIMS,
    result: (value) => ({ ...(value.params ?? value) }),
    candidates: parsers("parseFaxCallback", callbacks),
  },
  { task: "verify a request", aims: [[1.1, "bare HMAC"]], result: (value) => value, candidates: verifiers(requests) },
  { task: "verify a callback", aims: [[1.1, "bare HMAC"]], result: (value) => value, candidates: verifiers(callbacks) },
  {
    task: "refuse a forged request",
    result: (value) => !value,
    candidates: verifiers(requests, (signature) => signature.replace(/^./, (c) => (c === "A" ? "B" : "A"))),
  },
  {
    task: "the whole turn",
    aims: [
      [1 / 1.8, "twilio"],
      [1.1, "by hand, fast-querystring"],
    ],
    result: async (reply) => (await reply).body,
    candidates: {
      ...ours((library) => turn(webhookOf(library).handle)),
      "by hand, fast-querystring": turn(floorTurn(fastQuerystring.parse)),
      "by hand": turn(floorTurn(handDecoded)),
      "by hand, URLSearchParams": turn(floorTurn(searchParams)),
      twilio: turn(helperTurn(twilio.validateRequest, twilio.twiml.FaxResponse)),
      SignalWire: turn(helperTurn(signalwire.validateRequest, signalwire.LaML.FaxResponse)),
    },
  },
  {
    task: "the whole turn of a callback",
    result: async (reply) => (await reply).status,
    candidates: {
      ...ours((library) => turn(webhookOf(library).handle, callbacks)),
      "by hand, fast-querystring": turn(floorTurn(fastQuerystring.parse), callbacks),
    },
  },
];

function helperTwiml(Response, attributes) {
  const response = new Response();
  response.receive(attributes);
  return response.toString();
}

function xmlObject(attributes) {
  const prefixed = {};
  for (const name in attributes) prefixed["@_" + name] = attributes[name];
  return { "?xml": { "@_version": "1.0", "@_encoding": "UTF-8" }, Response: { Receive: prefixed } };
}

// The table.
const unit = (value, units) => {
  const [size, name] = units.find(([size]) => value >= size) ?? units.at(-1);
  return `${(value / size).toPrecision(3).replace(/^(\d{3,})\..*/, "$1")} ${name}`;
};
const time = (us) =>
  unit(us, [
    [1000, "ms"],
    [1, "µs"],
    [0.001, "ns"],
  ]);
const bytes = (count) =>
  unit(count, [
    [1024 * 1024, "MiB"],
    [1024, "KiB"],
    [1, "B"],
  ]);
const ratio = (number) =>
  (number >= 100 ? number.toFixed(0) : number >= 10 ? number.toFixed(1) : number.toFixed(2)) + "×";
const missed = [];
const only = new RegExp(process.argv[2] ?? "");

function row(task, { "twiml-fax": ours, ...peers }, show, aims = []) {
  const beside = Object.entries(peers).map(([name, value]) => `${name} ${show(value)} (${ratio(value / ours)})`);
  const verdicts = aims.map(([limit, name]) => {
    const [share, aim] =
      typeof name === "number"
        ? [ours / name, `at most ${show(name)}`]
        : [ours / peers[name], limit < 1 ? `${name} at least ${ratio(1 / limit)}` : `at most ${ratio(limit)} ${name}`];
    const met = share <= limit;
    if (!met) missed.push(`${task}: ${aim}`);
    const result = typeof name === "number" ? show(ours) : ratio(limit < 1 ? 1 / share : share);
    return `${aim}: ${met ? "met" : "**missed**"} (${result})`;
  });
  console.log(`| ${task} | ${show(ours)} | ${beside.join(", ")} | ${verdicts.join("; ")} |`);
}

const versions = [
  "twilio",
  "@signalwire/compatibility-api",
  "xmlbuilder2",
  "fast-xml-parser",
  "qs",
  "fast-querystring",
].map((name) => `${name} ${manifest(packageFolder(name)).version}`);
console.log(
  `Node ${process.version.slice(1)}, ${cpus()[0].model.trim()} (${cpus().length} cores), ` +
    `${process.platform} ${process.arch}; twiml-fax ${manifest(ourFolder).version}, ${versions.join(", ")}.`,
);
console.log("Median of interleaved rounds; in brackets how many times twiml-fax's the other takes.\n");
console.log("| task | twiml-fax | beside it | aim |\n| --- | --- | --- | --- |");

for (const { task, aims, result, candidates } of TASKS.filter(({ task }) => only.test(task))) {
  const expected = JSON.stringify(await result(candidates["twiml-fax"](1)));
  assert(expected !== undefined && expected !== "false");
  for (const [name, run] of Object.entries(candidates)) {
    // XML writers differ in nothing that a reader sees: the space before "/>", a line end after the prologue.
    assert.equal(
      JSON.stringify(await result(run(1))).replace(/\?>\\n/, "?>"),
      expected,
      `${task}: ${name} gives another result`,
    );
  }
  row(task, await race(candidates), time, aims);
}

// Parsing what grows, and what is meant to hurt. Ours refuses most of the latter, which is part of the work.
const refusing = (parse) => (body) => {
  try {
    return parse(body);
  } catch (error) {
    if (error.name !== "FaxRequestError") throw error;
    return error;
  }
};
const flat = (text) => Buffer.from(text).toString("latin1");
const raceParsers = (body) =>
  race(
    {
      ...ours(
        ({ parseFaxRequest }) =>
          () =>
            refusing(parseFaxRequest)(body),
      ),
      "fast-querystring": () => fastQuerystring.parse(body),
      querystring: () => querystring.parse(body, "&", "=", { maxKeys: 0 }),
      URLSearchParams: () => searchParams(body),
    },
    { rounds: 11 },
  );

for (const count of [5, 50, 500, 5_000, 50_000].filter((count) => only.test(`parse ${count} parameters`))) {
  const more = Array.from({ length: count - 5 }, (_, i) => `&Parameter${i}=value+%23${i}`);
  const times = await raceParsers(flat(requests[0].body + more.join("")));
  for (const name in times) times[name] /= count;
  row(`parse ${count.toLocaleString("en")} parameters, time for each`, times, time);
}

const SIZE = 64 * 1024;
const fill = (text) => flat(text.repeat(SIZE / text.length));
const PATHOLOGICAL = {
  "%": fill("%"),
  "%zz": fill("%zz"),
  "%ff": fill("%ff"),
  "+": fill("+"),
  "&": fill("&"),
  "a=": fill("a="),
  "a=1& (one name)": fill("a=1&"),
};
for (const [name, body] of Object.entries(PATHOLOGICAL).filter(([name]) => only.test(`parse 64 KiB of ${name}`))) {
  row(`parse 64 KiB of ${name}`, await raceParsers(body), time, name === "&" ? [[1.5, "URLSearchParams"]] : []);
}

if (only.test("import")) await compareImports();

async function compareImports() {
  const peer = (name) => ({ how: "require", file: require.resolve(name) });
  const own = (how, path) => ({ how, file: join(ourFolder, "dist", path) });
  const times = raceImports({
    empty: { how: "import" },
    emptyRequired: { how: "require" },
    crypto: { how: "import", file: "node:crypto" },
    cryptoRequired: { how: "require", file: "node:crypto" },
    core: own("import", "index.js"),
    coreRequired: own("require", "index.cjs"),
    webhook: own("import", "webhook/index.js"),
    webhookRequired: own("require", "webhook/index.cjs"),
    twilio: peer("twilio"),
    SignalWire: peer("@signalwire/compatibility-api"),
    "fast-xml-parser": peer("fast-xml-parser"),
  });
  const { empty, emptyRequired, crypto, cryptoRequired, core, coreRequired, webhook, webhookRequired, ...peers } =
    times;
  row("`import` twiml-fax", { "twiml-fax": core, "an empty module": empty, ...peers }, time);
  row("`require` twiml-fax", { "twiml-fax": coreRequired, "an empty module": emptyRequired, ...peers }, time);
  row("`import` twiml-fax/webhook", { "twiml-fax": webhook, "an empty module": empty, "node:crypto": crypto }, time);
  const required = { "twiml-fax": webhookRequired, "an empty module": emptyRequired, "node:crypto": cryptoRequired };
  row("`require` twiml-fax/webhook", required, time);
}

const sizes = Object.fromEntries(
  ["twilio", "@signalwire/compatibility-api", "xmlbuilder2", "fast-xml-parser", "qs", "fast-querystring"].map(
    (name) => [name, bytesInstalled(packageFolder(name))],
  ),
);
row("installed, with dependencies", { "twiml-fax": bytesInstalled(ourFolder), ...sizes }, bytes);

if (missed.length > 0) console.log(`\nMissed: ${missed.join("; ")}.`);
