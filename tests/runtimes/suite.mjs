/**
 * The checks of every runtime: each export, each form of the webhook, and the parts of the platform that runtimes
 * implement differently (streams, FormData, File, TextDecoder, crypto, Headers). Only globals of the web platform are
 * used, so that the same file runs in Node, Bun, Deno and workerd. Expected values are literals; the signatures were
 * computed with Python's hmac (the first is Twilio's published example).
 */

const URL_OUTSIDE = "https://fax.example.com/fax";
const FORM = "FaxSid=FX1&AccountSid=AC1&From=%2B15017122661&To=%2B15558675310&ApiVersion=v1";
const FIELDS = { FaxSid: "FX1", AccountSid: "AC1", From: "+15017122661", To: "+15558675310", ApiVersion: "v1" };
const FORM_TYPE = "application/x-www-form-urlencoded";
const MULTIPART = "multipart/form-data; boundary=b";
const XML = '<?xml version="1.0" encoding="UTF-8"?>';
const RECEIVE = `${XML}<Response><Receive action="/fax" pageSize="a4"/></Response>`;
const REJECT = `${XML}<Response><Reject/></Response>`;
const EMPTY = `${XML}<Response/>`;
const ETAG = '"R8juG407RdBJNZI63dvG7Aif8kb8LG5DTrMiIZO-e_8"';
const PAGES_SUM = 4018143232;

/** Signed with the token "12345" for https://fax.example.com/fax. */
const SIGNED = {
  post: "2gYz8IaqNSSLXACRlpkX2zh1WnU=",
  get: "E6oiHxo9bmqQGXz56GucC6qt4JE=",
  callback: "9LYCvBE4FmNjc2dIVD3OB1l+JFw=", // with FaxStatus=received and NumPages=2
  multipart: "TcPrb/+sDHGfUwParf672xD2C9k=", // with FaxStatus=received
  note: "UAzs/a7OIdQ1oq9Q1ji3nAl7RWs=", // with Note=é and U+FFFD
  otherToken: "ucGVrphCz+7KeQASVWnmXanEvFk=", // with the token "67890"
};

/** All checks of the modules; without `webhook` those of the core. */
export async function run(modules) {
  const groups = { core: await group((check) => checkCore(check, modules.core)) };
  if (modules.webhook) {
    groups.signatures = await group((check) => checkSignatures(check, modules.webhook));
    groups.fetch = await group((check) => checkFetch(check, modules));
    groups.media = await group((check) => checkMedia(check, modules.webhook));
    groups.testing = await group((check) => checkTesting(check, modules));
  }
  return summary(groups);
}

/** One result for several groups. */
export function summary(groups) {
  const all = Object.entries(groups);
  const passed = all.reduce((sum, [, result]) => sum + result.passed, 0);
  const failed = all.flatMap(([name, result]) => result.failed.map((each) => `${name}: ${each}`));
  return { passed, failed, groups };
}

/** Runs `checks`, which calls `await check(name, actual, expected)`; `actual` may be a function. */
async function group(checks) {
  const result = { passed: 0, failed: [] };
  const check = async (name, actual, expected) => {
    let got;
    try {
      got = typeof actual === "function" ? await actual() : await actual;
    } catch (error) {
      got = `${error.name} ${error.code ?? error.message}`;
    }
    const [text, wanted] = [got, expected].map((value) => JSON.stringify(value) ?? String(value));
    if (text === wanted) result.passed++;
    else result.failed.push(`${name}: expected ${wanted.slice(0, 200)}, got ${text.slice(0, 400)}`);
  };
  await Promise.resolve(checks(check)).catch((error) => result.failed.push(`stopped: ${error.stack}`));
  return result;
}

const utf8 = (text) => new TextEncoder().encode(text);

function toFormData(fields, file) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  if (file) form.append("Media", file);
  return form;
}

async function checkCore(check, core) {
  const { FaxResponse, parseFax, parseFaxCallback, parseFaxRequest, parseTwiml, receive, reject, toTwiml } = core;
  const attributes = { action: "/fax", pageSize: "a4" };
  await check("receive, toTwiml", () => toTwiml(receive(attributes)), RECEIVE);
  await check("reject, toTwiml", () => toTwiml(reject()), REJECT);
  await check("FaxResponse", () => new FaxResponse().reject().toString(), REJECT);
  await check("parseTwiml", () => parseTwiml(RECEIVE), { verb: "Receive", attributes });
  await check("TWIML_CONTENT_TYPE", core.TWIML_CONTENT_TYPE, "text/xml; charset=utf-8");
  await check(
    "a URL object and text that is not ASCII",
    () => toTwiml(receive({ action: new URL("https://example.com/a b?é=\u{1F4E0}") })),
    `${XML}<Response><Receive action="https://example.com/a%20b?%C3%A9=%F0%9F%93%A0"/></Response>`,
  );
  const noSid = () => parseFaxRequest("To=1");
  await check("a TwimlError", () => receive({ action: "https://[" }), "TwimlError invalid-value");
  await check("a lone surrogate", () => receive({ action: "/\ud800" }), "TwimlError invalid-text");
  const tooLong = () => new FaxResponse().comment("é".repeat(33_000)).toString();
  await check("over 64 kB", tooLong, "TwimlError too-large");
  await check("a FaxRequestError", noSid, "FaxRequestError invalid-parameters");

  const file = new File([new Uint8Array([37, 80, 68, 70, 0, 255])], "fax.pdf", { type: "application/pdf" });
  for (const source of [FORM, utf8(FORM), new URLSearchParams(FORM), toFormData(FIELDS), FIELDS])
    await check(`parseFaxRequest from ${source.constructor.name}`, () => parseFaxRequest(source).params, FIELDS);
  await check(
    "a file in FormData",
    async () => {
      const { media } = parseFaxCallback(toFormData({ ...FIELDS, FaxStatus: "received" }, file));
      return [media.name, media.type, media.size, [...new Uint8Array(await media.arrayBuffer())]];
    },
    ["fax.pdf", "application/pdf", 6, [37, 80, 68, 70, 0, 255]],
  );
  const encoded = "b+c%2B%20%C3%A9%F0%9F%93%A0|%FF%C3|%C3%28|%zz%|%ED%A0%80|\ud800%41";
  const decoded = "b c+ é\u{1F4E0}|\ufffd\ufffd|\ufffd(|%zz%|\ufffd\ufffd\ufffd|\ufffdA";
  await check("decoding", () => parseFax(`${FORM}&a=${encoded}`).params.a, decoded);
  const Timestamp = "Fri, 14 Jan 2022 02:54:46 +0000";
  const callback = () => parseFaxCallback({ ...FIELDS, FaxStatus: "failed", Timestamp });
  await check("a timestamp", () => callback().timestamp, "2022-01-14T02:54:46.000Z");
}

async function checkSignatures(check, { signRequest, verifyRequest }) {
  const url = "https://mycompany.com/myapp.php?foo=1&bar=2";
  const params = "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212";
  const signature = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
  const sign = (params) => signRequest({ authToken: "12345", url: URL_OUTSIDE, params });
  const verify = (changes) => () => verifyRequest({ authToken: "12345", signature, url, params, ...changes });
  await check("signRequest: published vector", () => signRequest({ authToken: "12345", url, params }), signature);
  await check("signRequest: URLSearchParams", () => sign(new URLSearchParams(FORM)), SIGNED.post);
  await check("signRequest: text that is not ASCII", () => sign(FORM + "&Note=%C3%A9%FF"), SIGNED.note);
  const form = toFormData({ ...FIELDS, FaxStatus: "received" }, new File(["x"], "fax.pdf"));
  await check("signRequest: FormData without its file", () => sign(form), SIGNED.multipart);
  await check("verifyRequest: correct", verify({}), true);
  await check("verifyRequest: other token", verify({ authToken: "12346" }), false);
  await check("verifyRequest: signature not ASCII", verify({ signature: "é".repeat(28) }), false);
}

/** The webhook of the checks; `refusals` records the calls of `onRefused`. */
export function createWebhook({ core, webhook }, options = {}) {
  const refusals = [];
  // Callbacks have an empty response, so the response to the next fax reports the last callback.
  let last;
  const hook = webhook.faxWebhook({
    authToken: "12345",
    publicUrl: "https://fax.example.com",
    maxMediaBytes: 2 * 1024 * 1024,
    onFax: (fax, request) => ({
      twiml: core.receive({ action: "/fax", pageSize: "a4" }),
      headers: {
        "set-cookie": ["ticket=42; Secure", "b=2"],
        ...(last && { "x-last": last }),
        "x-seen": [fax.params.Note, request.headers.cookie].map((each) => encodeURIComponent(each)).join(),
      },
    }),
    async onCallback({ faxStatus, numPages, media }) {
      last = media
        ? [media.name, media.type, media.size, sum(new Uint8Array(await media.arrayBuffer()))].join()
        : `${faxStatus},${numPages}`;
    },
    onRefused: ({ status, reason, urls }) => void refusals.push([status, reason, urls?.[0]]),
    ...options,
  });
  return { hook, refusals };
}

/** A webhook whose `onFax` throws. */
export function createFailing(modules) {
  const onFax = () => {
    throw new RangeError("not for the provider");
  };
  return createWebhook(modules, { onFax }).hook;
}

function sum(bytes) {
  let total = 0;
  for (const byte of bytes) total = (Math.imul(total, 31) + byte) >>> 0;
  return total;
}

/** A stream, so that the request has no Content-Length. */
function toStream(bytes, size = 16 * 1024) {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(bytes.slice(at, at + size));
      at += size;
      if (at >= bytes.length) controller.close();
    },
  });
}

const HEADERS = { "content-type": FORM_TYPE, "x-twilio-signature": SIGNED.post };
const post = (body, headers = {}) => ({ method: "POST", body, headers: { ...HEADERS, ...headers }, duplex: "half" });

/**
 * The requests of a provider and of attackers. `send` takes a path and an init: a handler's `fetch`, or the platform's.
 * `resets`: the server closes the connection while the client sends, and the client may not receive the response.
 */
async function conversation(check, send, resets = false) {
  const reply = async (init, query = "", ...names) => {
    const response = await send(`/fax${query}`, init);
    return [response.status, await response.text(), ...names.map((name) => response.headers.get(name))];
  };
  const replyAndLast = async (init) => [...(await reply(init)), (await reply(post(FORM), "", "x-last"))[2]];
  const get = (headers, method = "GET") => ({ method, headers: { "x-twilio-signature": SIGNED.get, ...headers } });
  const names = ["content-type", "cache-control", "etag", "x-seen"];
  await check("200 for a POST", () => reply(post(FORM, { cookie: "ticket=41" }), "", ...names), [
    ...[200, RECEIVE, "text/xml; charset=utf-8", "no-store", null, "undefined,ticket%3D41"],
  ]);
  const cookies = async () => (await send("/fax", post(FORM))).headers.getSetCookie();
  await check("cookies", cookies, ["ticket=42; Secure", "b=2"]);
  const note = new Uint8Array([...utf8(FORM + "&Note=%C3%A9"), 0xff]);
  await check(
    "200 for bytes that are not UTF-8",
    () => reply(post(note, { "x-twilio-signature": SIGNED.note }), "", "x-seen"),
    [200, RECEIVE, "%C3%A9%EF%BF%BD,undefined"],
  );
  await check("200 for a stream", () => reply(post(toStream(utf8(FORM), 7))), [200, RECEIVE]);
  const callback = post(FORM + "&FaxStatus=received&NumPages=2", { "x-twilio-signature": SIGNED.callback });
  await check("200 for a callback", () => replyAndLast(callback), [200, EMPTY, "received,2"]);
  const validators = ["etag", "cache-control"];
  const validated = [200, RECEIVE, ETAG, "private, no-cache"];
  await check("200 for a GET", () => reply(get(), `?${FORM}`, ...validators), validated);
  await check("304 for a GET", () => reply(get({ "if-none-match": ETAG }), `?${FORM}`, "etag"), [304, "", ETAG]);
  await check("HEAD", () => reply(get({}, "HEAD"), `?${FORM}`, "etag", "content-length"), [200, "", ETAG, "97"]);
  const refused = {
    "400 without a body": [post(""), "missing-body"],
    "400 for malformed multipart": [post("x", { "content-type": MULTIPART }), "unreadable-body"],
    "403 without a signature": [post(FORM, { "x-twilio-signature": "" }), "forbidden"],
    "403 for another token": [post(FORM, { "x-twilio-signature": SIGNED.otherToken }), "forbidden"],
    "405 for PUT": [{ ...post("x"), method: "PUT" }, "method-not-allowed"],
    "413 for text": [post(FORM + "&x=" + "y".repeat(70_000)), "too-large"],
    "413 for a stream": [post(toStream(utf8((FORM + "&x=").padEnd(65_537, "y")))), "too-large"],
    ...(!resets && { "413 for a longer stream": [post(toStream(utf8("y".repeat(300_000)))), "too-large"] }),
    "415 for JSON": [post("{}", { "content-type": "application/json" }), "unsupported-media-type"],
    "415 for gzip": [post(FORM, { "content-encoding": "gzip" }), "unsupported-media-type"],
  };
  for (const [name, [init, reason]] of Object.entries(refused))
    await check(name, () => reply(init), [Number.parseInt(name), reason]);
  // A mebibyte with every byte value and every pair of neighbors that a text format uses.
  const pages = Uint8Array.from({ length: 1 << 20 }, (_, i) => i * 7 + (i >> 8));
  const file = new File([pages], "fax.pdf", { type: "application/pdf" });
  const body = toFormData({ ...FIELDS, FaxStatus: "received" }, file);
  await check(
    "200 for a multipart callback",
    () => replyAndLast({ method: "POST", body, headers: { "x-twilio-signature": SIGNED.multipart } }),
    [200, EMPTY, `fax.pdf,application/pdf,1048576,${PAGES_SUM}`],
  );
}

async function checkFetch(check, modules) {
  const { hook, refusals } = createWebhook(modules);
  await conversation(check, (path, init) => hook.fetch(new Request(`http://127.0.0.1:8080${path}`, init)));
  const mismatch = refusals.find(([, reason]) => reason === "signature-mismatch");
  await check("onRefused", mismatch, [403, "signature-mismatch", URL_OUTSIDE]);

  const status = async (options, init = post(FORM)) =>
    (await createWebhook(modules, options).hook.fetch(new Request(URL_OUTSIDE, init))).status;
  await check("an async token function", () => status({ authToken: async () => ["next", "12345"] }), 200);
  await check("without publicUrl: the request's URL", () => status({ publicUrl: undefined }), 200);
  await check(
    "an error of onFax rejects",
    () => createFailing(modules).fetch(new Request(URL_OUTSIDE, post(FORM))),
    "RangeError not for the provider",
  );
  const failing = new ReadableStream({ pull: (controller) => controller.error(new Error("reset")) });
  await check("400 for a stream that fails", () => status({}, post(failing)), 400);
  const used = new Request(URL_OUTSIDE, post(FORM));
  await used.text();
  await check("400 for a body that was read", async () => (await hook.fetch(used)).status, 400);
  const handle = (body) => hook.handle({ method: "POST", url: "/fax", headers: HEADERS, body });
  for (const body of [FORM, utf8(FORM), toStream(utf8(FORM)), new Blob([FORM]).stream()])
    await check(`handle with ${body.constructor.name}`, async () => (await handle(body)).body, RECEIVE);
}

async function checkMedia(check, { fetchMedia }) {
  const callback = { faxSid: "FX1", mediaUrl: "https://files.signalwire.com/1" };
  const get = async (respond, options) => {
    const { type, name, size } = await fetchMedia(callback, { fetch: async (...all) => respond(...all), ...options });
    return [type, name, size];
  };
  const pdf = () => new Response(toStream(utf8("%PDF-1.4 x"), 3));
  await check("fetchMedia", () => get(pdf), ["application/pdf", "FX1.pdf", 10]);
  await check("fetchMedia: too large", () => get(pdf, { maxBytes: 9 }), "FaxMediaError too-large");
  const never = () => new Promise(() => {});
  await check("fetchMedia: timeout", () => get(never, { timeoutMs: 50 }), "FaxMediaError timeout");
  const moved = () => new Response(null, { status: 302, headers: { location: "http://127.0.0.1/" } });
  await check("fetchMedia: redirect to another host", () => get(moved), "FaxMediaError host-not-allowed");
}

/** The offline provider and a handler in the same process. */
async function checkTesting(check, { core, webhook, testing }) {
  const received = [];
  const { fetch } = webhook.faxWebhook({
    authToken: "key",
    publicUrl: URL_OUTSIDE,
    maxMediaBytes: 1 << 20,
    onFax: () => core.receive({ action: "/fax", storeMedia: false }),
    onCallback: async (callback) => received.push((await webhook.fetchMedia(callback)).type),
    onRefused() {},
  });
  for (const flavor of ["signalwire", "twilio"]) {
    const options = { url: URL_OUTSIDE, authToken: "key", flavor, fetch };
    const send = (more) => testing.createFaxProvider({ ...options, ...more }).sendFax();
    const { outcome, pagesLost } = await send();
    await check(`${flavor}: pages`, [outcome, pagesLost, received.pop()], ["received", false, "application/pdf"]);
    await check(`${flavor}: forged`, async () => (await send({ authToken: "guessed" })).outcome, "error");
    const late = { fetch: () => new Promise(() => {}), timeoutMs: 50 };
    await check(`${flavor}: no response`, async () => (await send(late)).error.code, 11200);
  }
}

/** The conversation over HTTP with a server of `createWebhook`'s `fetch`. */
export function converse(origin, { resets = false } = {}) {
  return group((check) => conversation(check, (path, init) => fetch(origin + path, init), resets));
}

/** Expects a server of `createFailing`'s `fetch` to answer 500. */
export function converseFailing(origin, headers) {
  const status = async () => (await fetch(`${origin}/fax`, post(FORM, headers))).status;
  return group((check) => check("500 if onFax throws", status, 500));
}

async function readText(req) {
  let text = "";
  for await (const chunk of req) text += new TextDecoder().decode(chunk);
  return text;
}

/** `webhook.node` as servers and frameworks call it: the header `x-case` selects the state of `req`. */
export function createListener(modules) {
  const { hook } = createWebhook(modules);
  const failing = createFailing(modules);
  const cases = {
    parsed: async (req, res) => {
      req.body = Object.fromEntries(new URLSearchParams(await readText(req)));
      return hook.node(req, res);
    },
    consumed: async (req, res) => {
      await readText(req);
      return hook.node(req, res);
    },
    express4: (req, res) => hook.node(Object.assign(req, { body: {} }), res),
    throws: (req, res) => failing.node(req, res),
    next: (req, res) =>
      failing.node(req, res, (error) => {
        res.statusCode = 503;
        res.end(error.name);
      }),
  };
  return (req, res) => (cases[req.headers["x-case"]] ?? hook.node)(req, res);
}

/** The conversation over HTTP with a server of `createListener`, and each of its cases. */
export function converseNode(origin, { resets = false } = {}) {
  const results = {
    parsed: [200, RECEIVE],
    consumed: [400, "missing-body"],
    express4: [200, RECEIVE],
    throws: [500, "internal-error"],
    next: [503, "RangeError"],
  };
  return group(async (check) => {
    await conversation(check, (path, init) => fetch(origin + path, init), resets);
    for (const [name, expected] of Object.entries(results)) {
      const response = () => fetch(`${origin}/fax`, post(FORM, { "x-case": name }));
      const answer = async () => response().then(async (each) => [each.status, await each.text()]);
      await check(`node: ${name}`, answer, expected);
    }
  });
}
