/**
 * What every runtime must do, as a black box: the package's exports in, what failed out. Only globals of the web
 * platform are used, so that the same file runs in Node, Bun, Deno and workerd. Expected values are literal; the
 * signatures were computed with Python's hmac (and the first is Twilio's published example).
 */

const URL_OUTSIDE = "https://fax.example.com/fax";
const FORM = "FaxSid=FX1&AccountSid=AC1&From=%2B15017122661&To=%2B15558675310&ApiVersion=v1";
const FIELDS = { FaxSid: "FX1", AccountSid: "AC1", From: "+15017122661", To: "+15558675310", ApiVersion: "v1" };
const FORM_TYPE = "application/x-www-form-urlencoded";
const RECEIVE = '<?xml version="1.0" encoding="UTF-8"?><Response><Receive action="/fax" pageSize="a4"/></Response>';
const EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response/>';
const ETAG = '"R8juG407RdBJNZI63dvG7Aif8kb8LG5DTrMiIZO-e_8"';
const PAGES_SUM = 4018143232;

/** Signed with the token "12345" for https://fax.example.com/fax. */
const SIGNED = {
  post: "2gYz8IaqNSSLXACRlpkX2zh1WnU=",
  get: "E6oiHxo9bmqQGXz56GucC6qt4JE=",
  getCallback: "cxewcQKuzWNeydlX129GgeX51Io=",
  callback: "9LYCvBE4FmNjc2dIVD3OB1l+JFw=", // with FaxStatus=received and NumPages=2
  delivery: "TcPrb/+sDHGfUwParf672xD2C9k=", // with FaxStatus=received
  note: "UAzs/a7OIdQ1oq9Q1ji3nAl7RWs=", // with Note=é and U+FFFD
  withoutSid: "W7yftKV42EzFo+mZRa6TlMbzBe4=",
  withheld: "1Y3Et/CB/OpY8tZyMiH5ZYRSXk4=", // with an empty From
  otherToken: "ucGVrphCz+7KeQASVWnmXanEvFk=", // with the token "67890"
};

/**
 * All checks. Without `webhook` the core alone.
 *
 * @returns how many passed, what failed, and both for each group (`core`, `signatures`, `fetch`)
 */
export async function run({ core, webhook, testing }) {
  const groups = { core: await group((check) => coreChecks(check, core)) };
  if (webhook) {
    groups.signatures = await group((check) => signatureChecks(check, webhook));
    groups.fetch = await group((check) => fetchChecks(check, core, webhook));
    groups.testing = await group((check) => testingChecks(check, { core, webhook }, testing));
  }
  return summary(groups);
}

/** One result of several groups. */
export function summary(groups) {
  let passed = 0;
  const failed = [];
  for (const [name, result] of Object.entries(groups)) {
    passed += result.passed;
    failed.push(...result.failed.map((each) => `${name}: ${each}`));
  }
  return { passed, failed, groups };
}

/** Runs `checks`, which declares each with `await check(name, actual, expected)`; `actual` may be a function. */
async function group(checks) {
  const result = { passed: 0, failed: [] };
  const check = async (name, actual, expected) => {
    let got;
    try {
      got = typeof actual === "function" ? await actual() : await actual;
    } catch (error) {
      got = error;
    }
    if (show(got) === show(expected)) result.passed++;
    else result.failed.push(`${name}: expected ${show(expected).slice(0, 200)}, got ${show(got).slice(0, 400)}`);
  };
  try {
    await checks(check);
  } catch (error) {
    result.failed.push(`stopped: ${show(error)}`);
  }
  return result;
}

/** A text that two values share when, and only when, they are the same for these checks. */
function show(value) {
  if (value instanceof Error) return `${value.name}: ${value.message}${value.cause ? ` (${value.cause.message})` : ""}`;
  if (Object.is(value, -0) || (typeof value === "number" && !Number.isFinite(value)) || value === undefined)
    return String(value);
  return JSON.stringify(value, (_, each) => (each instanceof Date ? each.toJSON() : each)) ?? String(value);
}

/** What `act` throws, as "name code". */
async function thrown(act) {
  try {
    await act();
  } catch (error) {
    return `${error.name} ${error.code}`;
  }
  return "nothing thrown";
}

function issues(act) {
  try {
    act();
  } catch (error) {
    return error.name === "FaxRequestError" ? error.issues.map((each) => `${each.parameter} ${each.code}`) : error;
  }
  return "nothing thrown";
}

async function coreChecks(check, core) {
  const { FaxRequestError, FaxResponse, parseFaxCallback, parseFaxRequest, receive, reject, toTwiml, TwimlError } =
    core;

  await check(
    "exports",
    Object.keys(core)
      .filter((name) => name !== "default" && name !== "__esModule" && name !== "module.exports")
      .sort(),
    [
      "FAX_ISSUE_CODES",
      "FAX_STATUSES",
      "FaxRequestError",
      "FaxResponse",
      "HTTP_METHODS",
      "MEDIA_TYPES",
      "PAGE_SIZES",
      "TWIML_CONTENT_TYPE",
      "TWIML_ERROR_CODES",
      "TwimlError",
      "parseFax",
      "parseFaxCallback",
      "parseFaxRequest",
      "parseTwiml",
      "receive",
      "reject",
      "toTwiml",
    ],
  );
  await check("TWIML_CONTENT_TYPE", core.TWIML_CONTENT_TYPE, "text/xml; charset=utf-8");
  await check("FAX_STATUSES", core.FAX_STATUSES, [
    "queued",
    "processing",
    "sending",
    "delivered",
    "receiving",
    "received",
    "no-answer",
    "busy",
    "failed",
    "canceled",
  ]);

  // Documents
  await check("toTwiml(receive({…}))", () => toTwiml(receive({ action: "/fax", pageSize: "a4" })), RECEIVE);
  await check(
    "toTwiml(reject())",
    () => toTwiml(reject()),
    '<?xml version="1.0" encoding="UTF-8"?><Response><Reject/></Response>',
  );
  await check("toTwiml()", () => toTwiml(), EMPTY);
  await check(
    "every attribute, in the order given",
    () =>
      toTwiml(
        receive({
          storeMedia: false,
          pageSize: "legal",
          mediaType: "image/tiff",
          method: "POST",
          action: new URL("https://example.com/a b?c=1&d=2"),
        }),
      ),
    '<?xml version="1.0" encoding="UTF-8"?><Response><Receive storeMedia="false" pageSize="legal" ' +
      'mediaType="image/tiff" method="POST" action="https://example.com/a%20b?c=1&amp;d=2"/></Response>',
  );
  await check(
    "escapes",
    () => toTwiml(receive({ action: "/f?a=1&b=<\"'>é\u{1F4E0}" }, { unchecked: { note: "\t\r\n" } })),
    '<?xml version="1.0" encoding="UTF-8"?><Response><Receive action="/f?a=1&amp;b=&lt;' +
      '&quot;\'>é\u{1F4E0}" note="&#x9;&#xD;&#xA;"/></Response>',
  );
  await check(
    "FaxResponse with a comment",
    () => new FaxResponse().comment("after hours").reject().toString(),
    '<?xml version="1.0" encoding="UTF-8"?><Response><!-- after hours --><Reject/></Response>',
  );
  await check("FaxResponse.verb", () => new FaxResponse(receive()).verb, { verb: "Receive", attributes: {} });
  await check(
    "a verb is frozen",
    () => Object.isFrozen(receive({ action: "/a" })) && Object.isFrozen(receive({ action: "/a" }).attributes),
    true,
  );
  await check(
    "a verb from JSON",
    () => toTwiml(JSON.parse('{"verb":"Receive","attributes":{"action":"/fax","pageSize":"a4"}}')),
    RECEIVE,
  );

  // Every code of a TwimlError that the core throws; no-verb is the webhook's
  const codes = {
    "unknown-verb": () => toTwiml({ verb: "receive" }),
    "unknown-attribute": () => receive({ pagesize: "a4" }),
    "invalid-value": () => receive({ pageSize: "A4" }),
    "invalid-text": () => receive({ action: "/\u0000" }),
    "invalid-name": () => receive({}, { unchecked: { "x:y": "" } }),
    "pages-lost": () => receive({ storeMedia: false }),
    "second-verb": () => new FaxResponse().receive().reject(),
    "too-large": () => toTwiml(receive({ action: "/" + "é".repeat(33_000) })),
  };
  for (const [code, act] of Object.entries(codes)) await check(code, () => thrown(act), `TwimlError ${code}`);
  await check(
    "a lone surrogate is invalid-text",
    () => thrown(() => receive({ action: "/\ud800" })),
    "TwimlError invalid-text",
  );
  await check(
    "another scheme is invalid-value",
    () => thrown(() => receive({ action: "ftp://example.com/" })),
    "TwimlError invalid-value",
  );
  await check(
    "an unparsable URL is invalid-value",
    () => thrown(() => receive({ action: "https://[" })),
    "TwimlError invalid-value",
  );
  await check(
    "TwimlError is a TypeError with verb, attribute and a hint",
    () => {
      try {
        receive({ pagesize: "a4" });
      } catch (error) {
        return [error instanceof TwimlError, error instanceof TypeError, error.verb, error.attribute, error.message];
      }
    },
    [
      true,
      true,
      "Receive",
      "pagesize",
      '<Receive>: there is no attribute "pagesize" (did you mean "pageSize"?); there are: action, ' +
        "method, mediaType, pageSize, storeMedia (names are case-sensitive).",
    ],
  );

  // Sources of a request
  const expected = {
    kind: "request",
    faxSid: "FX1",
    accountSid: "AC1",
    from: "+15017122661",
    to: "+15558675310",
    apiVersion: "v1",
    params: FIELDS,
    issues: [],
  };
  const formData = new FormData();
  for (const [name, value] of Object.entries(FIELDS)) formData.append(name, value);
  const sources = {
    "a form body": FORM,
    "a query string": "?" + FORM,
    URLSearchParams: new URLSearchParams(FORM),
    FormData: formData,
    Map: new Map(Object.entries(FIELDS)),
    "an array of pairs": Object.entries(FIELDS),
    "an object": FIELDS,
    "an object without a prototype": Object.assign(Object.create(null), FIELDS),
  };
  for (const [name, source] of Object.entries(sources))
    await check(`parseFaxRequest(${name})`, () => parseFaxRequest(source), expected);
  await check(
    "params has no prototype and is frozen",
    () => {
      const { params } = parseFaxRequest(FORM + "&__proto__=x&constructor=y");
      return [
        Object.getPrototypeOf(params),
        Object.isFrozen(params),
        params["__proto__"],
        params.constructor,
        params.toString,
      ];
    },
    [null, true, "x", "y", undefined],
  );
  await check(
    "decoding: plus, percent, UTF-8",
    () => parseFaxRequest(FORM + "&a=b+c%2B%20%C3%A9%F0%9F%93%A0&=x&d").params,
    {
      ...FIELDS,
      a: "b c+ é\u{1F4E0}",
      "": "x",
      d: "",
    },
  );
  await check(
    "invalid UTF-8 and broken escapes",
    () => parseFaxRequest(FORM + "&a=%FF%C3&b=%C3%28&c=100%&d=%zz&e=%ED%A0%80").params,
    {
      ...FIELDS,
      a: "\ufffd\ufffd",
      b: "\ufffd(",
      c: "100%",
      d: "%zz",
      e: "\ufffd\ufffd\ufffd",
    },
  );
  await check("lone surrogates", () => parseFaxRequest(FORM + "&a=\ud800%41").params.a, "\ufffdA");
  await check("a megabyte", () => parseFaxRequest(FORM + "&a=" + "%41b+".repeat(200_000)).params.a.length, 600_000);
  await check(
    "ten thousand parameters",
    () => {
      const many = Array.from({ length: 10_000 }, (_, i) => `&p${i}=${i}`).join("");
      const { params } = parseFaxRequest(FORM + many);
      return [Object.keys(params).length, params.p9999];
    },
    [10_005, "9999"],
  );

  // Callbacks
  const delivery = new FormData();
  for (const [name, value] of Object.entries({ ...FIELDS, FaxStatus: "received" })) delivery.append(name, value);
  delivery.append(
    "Media",
    new File([new Uint8Array([37, 80, 68, 70, 0, 255])], "fax.pdf", { type: "application/pdf" }),
  );
  await check(
    "parseFaxCallback(form body)",
    () =>
      parseFaxCallback(
        FORM +
          "&FaxStatus=received&NumPages=2&MediaSid=m-1&RemoteStationId=Fax+Machine&ErrorCode=" +
          "&Timestamp=2022-01-13T21%3A54%3A46Z" +
          "&MediaUrl=https%3A%2F%2Ffiles.example.com%2F1.pdf",
      ),
    {
      kind: "callback",
      faxSid: "FX1",
      accountSid: "AC1",
      from: "+15017122661",
      to: "+15558675310",
      apiVersion: "v1",
      params: {
        ...FIELDS,
        FaxStatus: "received",
        NumPages: "2",
        MediaSid: "m-1",
        RemoteStationId: "Fax Machine",
        ErrorCode: "",
        Timestamp: "2022-01-13T21:54:46Z",
        MediaUrl: "https://files.example.com/1.pdf",
      },
      faxStatus: "received",
      remoteStationId: "Fax Machine",
      numPages: 2,
      mediaUrl: "https://files.example.com/1.pdf",
      mediaSid: "m-1",
      timestamp: "2022-01-13T21:54:46.000Z",
      issues: [],
    },
  );
  await check(
    "parseFaxCallback(FormData with a file)",
    async () => {
      const { media, params } = parseFaxCallback(delivery);
      return [media.name, media.type, media.size, [...new Uint8Array(await media.arrayBuffer())], params.Media];
    },
    ["fax.pdf", "application/pdf", 6, [37, 80, 68, 70, 0, 255], undefined],
  );
  await check(
    "an offset without a colon",
    () => parseFaxCallback(FORM + "&FaxStatus=failed&Timestamp=2022-01-13T21%3A54%3A46-0500").timestamp.toJSON(),
    "2022-01-14T02:54:46.000Z",
  );
  await check("a status that nobody knows", () => parseFaxCallback(FORM + "&FaxStatus=new-one").faxStatus, "new-one");

  // Every code of an issue
  await check("missing", () => issues(() => parseFaxRequest(FORM.replace("FaxSid", "faxsid"))), ["FaxSid missing"]);
  await check("empty", () => issues(() => parseFaxRequest(FORM.replace("%2B15558675310", ""))), ["To empty"]);
  await check("repeated", () => issues(() => parseFaxRequest(FORM + "&To=1")), ["To repeated"]);
  await check("not-text", () => issues(() => parseFaxRequest({ ...FIELDS, To: { a: 1 } })), ["To not-text"]);
  await check(
    "invalid",
    () =>
      issues(() =>
        parseFaxCallback({
          ...FIELDS,
          FaxSid: "../x",
          FaxStatus: "x",
          NumPages: "1.5",
          MediaUrl: "x",
          Timestamp: "2022-02-30T00:00:00Z",
        }),
      ),
    ["FaxSid invalid", "NumPages invalid", "MediaUrl invalid", "Timestamp invalid"],
  );
  await check(
    "FaxRequestError",
    () => {
      try {
        parseFaxRequest(FORM.replace("FaxSid", "faxsid"));
      } catch (error) {
        return [error instanceof FaxRequestError, error.code, error.message];
      }
    },
    [true, "invalid-parameters", 'FaxSid is missing; "faxsid" came, but names are case-sensitive.'],
  );
  await check("nothing at all", () => issues(() => parseFaxRequest(undefined)), [
    "FaxSid missing",
    "AccountSid missing",
    "From missing",
    "To missing",
    "ApiVersion missing",
  ]);
}

async function signatureChecks(check, { signRequest, verifyRequest }) {
  const url = "https://mycompany.com/myapp.php?foo=1&bar=2";
  const params = {
    CallSid: "CA1234567890ABCDE",
    Caller: "+14158675309",
    Digits: "1234",
    From: "+14158675309",
    To: "+18005551212",
  };
  const signature = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
  const verify = (changes) => () => verifyRequest({ authToken: "12345", signature, url, params, ...changes });

  await check("signRequest: the published vector", () => signRequest({ authToken: "12345", url, params }), signature);
  await check(
    "signRequest: a form body",
    () => signRequest({ authToken: "12345", url: URL_OUTSIDE, params: FORM }),
    SIGNED.post,
  );
  await check(
    "signRequest: URLSearchParams",
    () => signRequest({ authToken: "12345", url: URL_OUTSIDE, params: new URLSearchParams(FORM) }),
    SIGNED.post,
  );
  await check("signRequest: GET", () => signRequest({ authToken: "12345", url: `${URL_OUTSIDE}?${FORM}` }), SIGNED.get);
  await check(
    "signRequest: text that is not ASCII",
    () => signRequest({ authToken: "12345", url: URL_OUTSIDE, params: FORM + "&Note=%C3%A9%FF" }),
    SIGNED.note,
  );
  await check(
    "signRequest: a file is not signed",
    () => {
      const form = new FormData();
      for (const [name, value] of Object.entries({ ...FIELDS, FaxStatus: "received" })) form.append(name, value);
      form.append("Media", new File(["x"], "fax.pdf"));
      return signRequest({ authToken: "12345", url: URL_OUTSIDE, params: form });
    },
    SIGNED.delivery,
  );
  await check("verifyRequest: right", verify({}), true);
  await check("verifyRequest: rotated tokens", verify({ authToken: ["next", "12345"] }), true);
  await check(
    "verifyRequest: a port in the URL",
    verify({ url: "https://mycompany.com:443/myapp.php?foo=1&bar=2" }),
    true,
  );
  await check(
    "verifyRequest: a user in the URL",
    verify({ url: "https://u:p@mycompany.com/myapp.php?foo=1&bar=2#rc=2" }),
    true,
  );
  const refused = {
    "another parameter": { params: { ...params, Digits: "1235" } },
    "one parameter less": { params: { ...params, Digits: undefined } },
    "another URL": { url: url + "3" },
    "another scheme": { url: url.replace("https", "http") },
    "another token": { authToken: "12346" },
    "no signature": { signature: undefined },
    "an empty signature": { signature: "" },
    "two signatures": { signature: [signature] },
    "one character changed": { signature: "SSOYDt4T1cUTdK1PDd93/VVr8B8=" },
    "one character more": { signature: signature + "=" },
    "another spelling of the same bytes": { signature: "RSOYDt4T1cUTdK1PDd93/VVr8B9=" },
    "text that is not ASCII": { signature: "é".repeat(28) },
  };
  for (const [name, changes] of Object.entries(refused)) await check(`verifyRequest: ${name}`, verify(changes), false);
  await check("verifyRequest: an empty token", () => thrown(verify({ authToken: "" })), "TypeError undefined");
  await check(
    "signRequest: an empty token",
    () => thrown(() => signRequest({ authToken: "", url })),
    "TypeError undefined",
  );
}

/**
 * The webhook that the checks talk to, also behind the runtime's own server; `told` gathers what `onRefused` is told.
 */
export function createWebhook({ core, webhook }, options = {}) {
  const told = [];
  // What a callback held is told by the answer to the next fax: callbacks are answered with nothing.
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
        "x-seen": [fax.from, fax.params.Note, request.headers.cookie].map((each) => encodeURIComponent(each)).join(),
      },
    }),
    async onCallback({ faxStatus, numPages, media }) {
      const pages =
        media && [media.name, media.type, media.size, sum(new Uint8Array(await media.arrayBuffer()))].join();
      last = pages ?? `${faxStatus},${numPages}`;
    },
    onRefused: ({ status, reason, urls }) => void told.push([status, reason, urls?.[0]]),
    ...options,
  });
  return { hook, told };
}

function sum(bytes) {
  let total = 0;
  for (const byte of bytes) total = (Math.imul(total, 31) + byte) >>> 0;
  return total;
}

/** A mebibyte in which every byte value and every pair of neighbours of a text format occurs. */
function pages() {
  return Uint8Array.from({ length: 1 << 20 }, (_, i) => i * 7 + (i >> 8));
}

/** Bytes of unknown length: the request has no Content-Length. */
function streamed(bytes, size = 16 * 1024) {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(bytes.slice(at, at + size));
      at += size;
      if (at >= bytes.length) controller.close();
    },
  });
}

const utf8 = (text) => new TextEncoder().encode(text);

/**
 * The requests that a provider and a stranger send, over whatever takes a URL and an init: `fetch` of a handler, or the
 * platform's `fetch` to a server.
 */
async function conversation(check, send, resets = false) {
  const request = (init = {}, query = "") =>
    send(`/fax${query}`, {
      ...init,
      headers: {
        "x-twilio-signature": SIGNED.post,
        ...(init.method === "POST" ? { "content-type": FORM_TYPE } : {}),
        ...init.headers,
      },
    });
  const reply = async (init, query, ...names) => {
    const response = await request(init, query);
    return [response.status, await response.text(), ...names.map((name) => response.headers.get(name))];
  };
  const post = (body, headers = {}) => ({ method: "POST", body, headers });
  const replyAndLast = async (init, query) => {
    const answer = await reply(init, query);
    const [, , last] = await reply(post(FORM), "", "x-last");
    return [...answer, last];
  };
  const get = { "x-twilio-signature": SIGNED.get };

  await check(
    "200 to a POST",
    () => reply(post(FORM, { cookie: "ticket=41" }), "", "content-type", "cache-control", "etag", "x-seen"),
    [200, RECEIVE, "text/xml; charset=utf-8", "no-store", null, "%2B15017122661,undefined,ticket%3D41"],
  );
  await check("cookies", async () => (await request(post(FORM))).headers.getSetCookie(), ["ticket=42; Secure", "b=2"]);
  await check(
    "200 to SignalWire's header",
    () => reply(post(FORM, { "x-twilio-signature": "", "x-signalwire-signature": SIGNED.post })),
    [200, RECEIVE],
  );
  await check(
    "200 to a withheld number",
    () => reply(post(FORM.replace("%2B15017122661", ""), { "x-twilio-signature": SIGNED.withheld }), "", "x-seen"),
    [200, RECEIVE, ",undefined,undefined"],
  );
  await check(
    "200 to bytes that are not UTF-8",
    () =>
      reply(
        post(new Uint8Array([...utf8(FORM + "&Note=%C3%A9"), 0xff]), { "x-twilio-signature": SIGNED.note }),
        "",
        "x-seen",
      ),
    [200, RECEIVE, "%2B15017122661,%C3%A9%EF%BF%BD,undefined"],
  );
  await check("200 to a streamed body", () => reply({ ...post(streamed(utf8(FORM), 7)), duplex: "half" }), [
    200,
    RECEIVE,
  ]);
  await check(
    "200 to a callback",
    () => replyAndLast(post(FORM + "&FaxStatus=received&NumPages=2", { "x-twilio-signature": SIGNED.callback }), ""),
    [200, EMPTY, "received,2"],
  );
  await check(
    "200 to a callback by GET",
    () => replyAndLast({ headers: { "x-twilio-signature": SIGNED.getCallback } }, `?${FORM}&FaxStatus=received`),
    [200, EMPTY, "received,undefined"],
  );
  await check("200 to a GET, with an ETag", () => reply({ headers: get }, `?${FORM}`, "etag", "cache-control"), [
    200,
    RECEIVE,
    ETAG,
    "private, no-cache",
  ]);
  await check(
    "304 to a GET that names the ETag",
    () => reply({ headers: { ...get, "if-none-match": `"x", ${ETAG}` } }, `?${FORM}`, "etag", "content-type"),
    [304, "", ETAG, "text/xml; charset=utf-8"],
  );
  await check(
    "200 to a GET that names another",
    () => reply({ headers: { ...get, "if-none-match": '"x"' } }, `?${FORM}`),
    [200, RECEIVE],
  );
  await check("HEAD", () => reply({ method: "HEAD", headers: get }, `?${FORM}`, "etag", "content-length"), [
    200,
    "",
    ETAG,
    "97",
  ]);
  await check(
    "400 without FaxSid",
    () => reply(post(FORM.replace("FaxSid=FX1&", ""), { "x-twilio-signature": SIGNED.withoutSid })),
    [400, "invalid-parameters"],
  );
  await check("400 without a body", () => reply({ method: "POST" }), [400, "missing-body"]);
  await check(
    "400 to multipart that is none",
    () => reply(post("x", { "content-type": "multipart/form-data; boundary=b" })),
    [400, "unreadable-body"],
  );
  await check("403 without a signature", () => reply(post(FORM, { "x-twilio-signature": "" })), [403, "forbidden"]);
  await check(
    "403 with another's signature",
    () => reply(post(FORM, { "x-twilio-signature": SIGNED.otherToken }), "", "content-type"),
    [403, "forbidden", "text/plain; charset=utf-8"],
  );
  await check("403 to a changed parameter", () => reply(post(FORM + "&x=1")), [403, "forbidden"]);
  await check("403 to a changed path", () => reply(post(FORM), "?x=1"), [403, "forbidden"]);
  await check("405", () => reply({ method: "PUT", body: "x" }, "", "allow"), [
    405,
    "method-not-allowed",
    "GET, HEAD, POST",
  ]);
  await check("413", () => reply(post(FORM + "&x=" + "y".repeat(70_000))), [413, "too-large"]);
  await check(
    "413 to a streamed body",
    () => reply({ ...post(streamed(utf8((FORM + "&x=").padEnd(65_537, "y")))), duplex: "half" }),
    [413, "too-large"],
  );
  if (!resets) {
    await check(
      "413 while the client is sending",
      () => reply({ ...post(streamed(utf8(FORM + "&x=" + "y".repeat(300_000)))), duplex: "half" }),
      [413, "too-large"],
    );
  }
  await check("415", () => reply(post("{}", { "content-type": "application/json" })), [415, "unsupported-media-type"]);
  await check("415 to a compressed body", () => reply(post(FORM, { "content-encoding": "gzip" })), [
    415,
    "unsupported-media-type",
  ]);
  await check(
    "a multipart delivery, byte by byte",
    () => {
      const form = new FormData();
      for (const [name, value] of Object.entries({ ...FIELDS, FaxStatus: "received" })) form.append(name, value);
      form.append("Media", new File([pages()], "fax.pdf", { type: "application/pdf" }));
      return replyAndLast(
        { method: "POST", body: form, headers: { "x-twilio-signature": SIGNED.delivery, "content-type": undefined } },
        "",
      );
    },
    [200, EMPTY, `fax.pdf,application/pdf,1048576,${PAGES_SUM}`],
  );
}

/** A webhook whose `onFax` throws. */
export function createFailing(modules) {
  const onFax = () => {
    throw new RangeError(MINE);
  };
  return createWebhook(modules, { onFax }).hook;
}

const MINE = "not-for-the-provider";

/** What the provider gets of an error, from a server of `createFailing`, or of `createListener` with `x-case`. */
async function answerToError(origin, headers = {}) {
  const response = await fetch(`${origin}/fax`, {
    method: "POST",
    body: FORM,
    headers: { "content-type": FORM_TYPE, "x-twilio-signature": SIGNED.post, ...headers },
  });
  return [response.status, await response.text()];
}

/** The checks of a server that serves `createFailing`'s `fetch`, and what that server's own error page gives away. */
export async function converseFailing(origin, headers) {
  const [status, text] = await answerToError(origin, headers);
  const result = await group((check) => check("500 when onFax throws", status, 500));
  return {
    ...result,
    cannot: text.includes(MINE)
      ? [`keep what onFax throws to itself, by default: the server's error page shows it (${text.length} bytes)`]
      : [],
  };
}

/** `webhook.node` as servers and frameworks call it; the header `x-case` says in which state. */
export function createListener(modules) {
  const { hook } = createWebhook(modules);
  const failing = createFailing(modules);
  const read = async (req) => {
    let text = "";
    for await (const chunk of req) text += new TextDecoder().decode(chunk);
    return text;
  };
  const cases = {
    async parsed(req, res) {
      req.body = Object.fromEntries(new URLSearchParams(await read(req)));
      return hook.node(req, res);
    },
    async text(req, res) {
      req.body = await read(req);
      return hook.node(req, res);
    },
    async bytes(req, res) {
      req.body = new TextEncoder().encode(await read(req));
      return hook.node(req, res);
    },
    async consumed(req, res) {
      await read(req);
      return hook.node(req, res);
    },
    express4: (req, res) => hook.node(Object.assign(req, { body: {} }), res),
    router: (req, res) => hook.node(Object.assign(req, { originalUrl: req.url, url: "/" }), res),
    throws: (req, res) => failing.node(req, res),
    next: (req, res) =>
      failing.node(req, res, (error) => {
        res.statusCode = 503;
        res.end(`next: ${error.name}`);
      }),
  };
  return (req, res) => (cases[req.headers["x-case"]] ?? hook.node)(req, res);
}

/** The conversation with a server of `createListener`, and what only Node's form of a request can be. */
export function converseNode(origin, { resets = false } = {}) {
  return group(async (check) => {
    await conversation(check, (path, init) => fetch(origin + path, initOf(init)), resets);
    const results = {
      parsed: [200, RECEIVE],
      text: [200, RECEIVE],
      bytes: [200, RECEIVE],
      consumed: [400, "missing-body"],
      express4: [200, RECEIVE],
      router: [200, RECEIVE],
      throws: [500, "internal-error"],
      next: [503, "next: RangeError"],
    };
    for (const [name, expected] of Object.entries(results))
      await check(`(req, res): ${name}`, () => answerToError(origin, { "x-case": name }), expected);
  });
}

/**
 * How many of `tries` clients that send far more than is allowed could not read their 413, and why: the server closed
 * the
 * connection on them.
 */
export async function cutOff(origin, tries = 20) {
  const reasons = [];
  for (let i = 0; i < tries; i++) {
    const init = {
      method: "POST",
      body: streamed(new Uint8Array(4_000_000).fill(121)),
      duplex: "half",
      headers: { "content-type": FORM_TYPE, "x-twilio-signature": SIGNED.post },
    };
    try {
      await (await fetch(`${origin}/fax`, init)).text();
    } catch (error) {
      reasons.push(error.cause?.message ?? error.message);
    }
  }
  return reasons.length > 0
    ? [
        `answer 413 to a client that is still sending for certain: ${reasons.length} of ${tries} ` +
          `did not get it (${[...new Set(reasons)].join(", ")})`,
      ]
    : [];
}

/** The offline provider against a handler in the same process. */
async function testingChecks(check, { core, webhook }, { createFaxProvider }) {
  const url = "https://fax.example.com/fax";
  const got = [];
  const onFax = (fax) => (fax.from === "" ? core.reject() : core.receive({ action: "/fax", storeMedia: false }));
  const onCallback = async (callback) => got.push((await webhook.fetchMedia(callback)).type);
  const hook = webhook.faxWebhook({
    ...{ authToken: "key", publicUrl: url, maxMediaBytes: 1 << 20, onFax, onCallback, onRefused() {} },
  });
  for (const flavor of ["signalwire", "twilio"]) {
    const provider = createFaxProvider({ url, authToken: "key", flavor, fetch: hook.fetch });
    const { outcome, pagesLost, exchanges } = await provider.sendFax();
    await check(`${flavor}: a delivery`, [outcome, pagesLost, got.pop()], ["received", false, "application/pdf"]);
    const again = await provider.resend(exchanges[1]);
    await check(`${flavor}: the delivery once more`, [again.response?.status, got.pop()], [200, "application/pdf"]);
    await check(`${flavor}: rejected`, async () => (await provider.sendFax({ from: "" })).outcome, "rejected");
    const forger = createFaxProvider({ url, authToken: "guessed", flavor, fetch: hook.fetch });
    const forged = (await forger.sendFax()).exchanges[0];
    await check(`${flavor}: forged`, [forged.response?.status, forged.error?.code > 0], [403, true]);
    const silent = createFaxProvider({
      url,
      authToken: "key",
      flavor,
      fetch: () => new Promise(() => {}),
      timeoutMs: 50,
    });
    await check(`${flavor}: no answer`, async () => (await silent.sendFax()).error.code, 11200);
  }
}

/** Undefined says that a header is left to the platform. */
const initOf = (init) => ({
  ...init,
  headers: Object.fromEntries(Object.entries(init.headers).filter(([, value]) => value !== undefined)),
});

async function fetchChecks(check, core, webhook) {
  await check(
    "exports",
    Object.keys(webhook)
      .filter((name) => name !== "default" && name !== "__esModule" && name !== "module.exports")
      .sort(),
    ["FaxMediaError", "MEDIA_ERROR_CODES", "faxWebhook", "fetchMedia", "signRequest", "verifyRequest"],
  );
  await check(
    "fetchMedia gives the pages, by their first bytes",
    async () => {
      const callback = { faxSid: "FX1", mediaUrl: "https://files.signalwire.com/1" };
      const pages = await webhook.fetchMedia(callback, { fetch: async () => new Response("%PDF-1.4 x") });
      return [pages.type, pages.name, pages.size];
    },
    ["application/pdf", "FX1.pdf", 10],
  );
  const { hook, told } = createWebhook({ core, webhook });
  await conversation(check, (path, init) => hook.fetch(new Request(`http://127.0.0.1:8080${path}`, initOf(init))));
  await check(
    "onRefused is told, with the URL",
    told.find(([, reason]) => reason === "signature-mismatch"),
    [403, "signature-mismatch", "https://fax.example.com/fax"],
  );

  const send = (options, init = {}) => {
    const { hook } = createWebhook({ core, webhook }, options);
    return hook.fetch(
      new Request("https://fax.example.com/fax", {
        method: "POST",
        body: FORM,
        ...init,
        headers: { "content-type": FORM_TYPE, "x-twilio-signature": SIGNED.post, ...init.headers },
      }),
    );
  };
  const status = async (...all) => {
    const response = await send(...all);
    return [response.status, await response.text()];
  };
  await check(
    "a token function",
    () => status({ authToken: async (sid) => (sid === "AC1" ? ["next", "12345"] : undefined) }),
    [200, RECEIVE],
  );
  await check("a token function that knows no token", () => status({ authToken: () => undefined }), [403, "forbidden"]);
  await check("without publicUrl: the request's own URL", () => status({ publicUrl: undefined }), [200, RECEIVE]);
  await check("a publicUrl function", () => status({ publicUrl: () => "https://fax.example.com" }), [200, RECEIVE]);
  await check("authToken: false", () => status({ authToken: false }, { headers: { "x-twilio-signature": "" } }), [
    200,
    RECEIVE,
  ]);
  await check("no-verb", () => thrown(() => send({ onFax: () => undefined })), "TwimlError no-verb");
  await check(
    "what onFax throws",
    () =>
      thrown(() =>
        send({
          onFax: () => {
            throw Object.assign(new RangeError("mine"), { code: "mine" });
          },
        }),
      ),
    "RangeError mine",
  );
  await check(
    "a body that was read before",
    async () => {
      const { hook } = createWebhook({ core, webhook });
      const request = new Request(URL_OUTSIDE, {
        method: "POST",
        body: FORM,
        headers: { "content-type": FORM_TYPE, "x-twilio-signature": SIGNED.post },
      });
      await request.text();
      const response = await hook.fetch(request);
      return [response.status, await response.text()];
    },
    [400, "missing-body"],
  );
  await check(
    "a stream that breaks",
    () =>
      status(
        {},
        {
          body: new ReadableStream({ pull: (controller) => controller.error(new Error("reset")) }),
          duplex: "half",
        },
      ),
    [400, "unreadable-body"],
  );
  await check(
    "multipart: names of headers and types in any case, a quoted boundary",
    () =>
      status(
        {},
        {
          body: multipart((name) => `content-disposition: form-data; name="${name}"`),
          headers: { "content-type": 'Multipart/Form-Data; boundary="b"' },
        },
      ),
    [200, RECEIVE],
  );
  const dressed = (name) =>
    `Content-Disposition: form-data; name="${name}"\r\nContent-Type: text/plain; ` +
    `charset=US-ASCII\r\nContent-Transfer-Encoding: 8bit\r\nContent-Length: ${FIELDS[name].length}`;
  await check(
    "multipart: fields with headers of their own, as Java's clients write",
    () =>
      status(
        {},
        { body: multipart(dressed), headers: { "content-type": "multipart/form-data; charset=UTF-8; boundary=b" } },
      ),
    [200, RECEIVE],
  );
  await check(
    "multipart: no line end after the closing boundary",
    () =>
      status(
        {},
        {
          body: multipart((name) => `Content-Disposition: form-data; name="${name}"`, "--b--"),
          headers: { "content-type": "multipart/form-data; BOUNDARY=b" },
        },
      ),
    [200, RECEIVE],
  );
  await check(
    "authToken that is empty",
    () => thrown(() => createWebhook({ core, webhook }, { authToken: "" })),
    "TypeError undefined",
  );
  await check(
    "handle with bytes",
    async () => {
      const { hook } = createWebhook({ core, webhook });
      const headers = { "content-type": FORM_TYPE, "x-twilio-signature": SIGNED.post };
      const reply = await hook.handle({ method: "POST", url: "/fax", headers, body: utf8(FORM) });
      return [reply.status, reply.body, reply.headers["content-type"]];
    },
    [200, RECEIVE, "text/xml; charset=utf-8"],
  );
}

const multipart = (header, end = "--b--\r\n", fields = FIELDS) =>
  Object.keys(fields)
    .map((name) => `--b\r\n${header(name)}\r\n\r\n${fields[name]}\r\n`)
    .join("") + end;

/**
 * What only some platforms can do, none of it necessary: providers and their HTTP clients send the plain form. Reading
 * multipart is the platform's `formData()`.
 *
 * @returns what this platform cannot do, a sentence each
 */
export async function limits(modules) {
  const { hook } = createWebhook(modules);
  const plain = (name) => `Content-Disposition: form-data; name="${name}"`;
  const send = async (body, signature = SIGNED.post, parameters = "boundary=b") => {
    const headers = { "content-type": `multipart/form-data; ${parameters}`, "x-twilio-signature": signature };
    const response = await hook.fetch(new Request(URL_OUTSIDE, { method: "POST", body, headers }));
    if (response.status === 200) return `200 ${response.headers.get("x-seen") ?? ""}`;
    const platform = await new Response(body, { headers }).formData().then(
      (form) =>
        typeof form.get("Media") === "string"
          ? "formData() takes the file for text"
          : form.get("FaxSid") === "FX1"
            ? "formData() itself reads it"
            : "formData() loses fields",
      (error) => `formData(): ${error.name}: ${error.message}${error.cause ? `: ${error.cause.message}` : ""}`,
    );
    return `${response.status} ${await response.text()}; ${platform}`;
  };
  const file = (disposition, end = "--b--\r\n") =>
    send(
      multipart(plain, "", { ...FIELDS, FaxStatus: "received" }) +
        `--b\r\nContent-Disposition: form-data; ${disposition}\r\nContent-Type: ` +
        `application/pdf\r\n\r\n%PDF${end && "\r\n" + end}`,
      SIGNED.delivery,
    );
  const onFax = "200 %2B15017122661,undefined,undefined";
  const onPages = `200 fax.pdf,application/pdf,4,${sum(utf8("%PDF"))}`;
  const probes = [
    [
      "multipart names without quotes",
      await send(multipart((name) => `Content-Disposition: form-data; name=${name}`)),
      onFax,
    ],
    [
      "multipart header without spaces",
      await send(multipart((name) => `Content-Disposition:form-data;name="${name}"`)),
      onFax,
    ],
    ["multipart after a preamble", await send("preamble\r\n" + multipart(plain)), onFax],
    ["multipart before an epilogue", await send(multipart(plain, "--b--\r\nepilogue")), onFax],
    ["filename without quotes", await file('name="Media"; filename=fax.pdf'), onPages],
    ["filename and filename*", await file(`name="Media"; filename="fax.pdf"; filename*=UTF-8''fax.pdf`), onPages],
    ["spaces after the closing boundary", await send(multipart(plain, "--b--  \r\n")), onFax],
    [
      "space before the semicolon after a boundary",
      await send(multipart(plain), SIGNED.post, "boundary=b ; charset=utf-8"),
      onFax,
    ],
    [
      "another parameter whose name ends in boundary",
      await send(multipart(plain), SIGNED.post, "xboundary=z; boundary=b"),
      onFax,
    ],
    [
      "a quoted boundary with a comma",
      await send(multipart(plain).replaceAll("--b", "--a,b"), SIGNED.post, 'boundary="a,b"'),
      onFax,
    ],
    ["400 to multipart that ends within a field", await send(multipart(plain, "")), "400 unreadable-body"],
    [
      "400 to multipart that ends within the pages",
      await file('name="Media"; filename="fax.pdf"', ""),
      "400 unreadable-body",
    ],
  ];
  return probes.filter(([, got, expected]) => !got.startsWith(expected)).map(([name, got]) => `${name} (${got})`);
}

/**
 * The conversation with a server that serves `createWebhook`, over the wire. `resets`: the server closes the connection
 * on a client that still sends, which may then not get to read the answer.
 */
export function converse(origin, { resets = false } = {}) {
  return group((check) => conversation(check, (path, init) => fetch(origin + path, initOf(init)), resets));
}
