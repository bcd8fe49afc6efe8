/** Properties of the webhook: a documented status for any request, and no accepted change of a signed one. */
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, it } from "vitest";
import { receive } from "../../src/index.js";
import { faxWebhook, signRequest, verifyRequest } from "../../src/webhook/index.js";
import { assertSame, assertTrue, oneOf, readRuns, TIMEOUT } from "./support.js";

const runs = readRuns(300);
const timeout = TIMEOUT;
console.log(`webhook properties: FUZZ_SEED=${runs.seed} FUZZ_RUNS=${runs.numRuns}`);
const check = (property: fc.IAsyncProperty<any>) => fc.assert(property, runs);

const TOKEN = "secret";
const ORIGIN = "https://fax.example";
type Pair = [name: string, value: string];

/** An independent implementation of the signed text: the values of a name distinct and sorted, or all in order. */
function getSignedTexts(url: string, params: readonly Pair[]): [distinct: string, ordered: string] {
  const names = [...new Set(params.map(([name]) => name))].sort();
  const getValues = (name: string) => params.filter(([each]) => each === name).map(([, value]) => value);
  const join = (list: (name: string) => string[]) =>
    url + names.flatMap((name) => list(name).map((value) => name + value)).join("");
  return [join((name) => [...new Set(getValues(name))].sort()), join(getValues)];
}

const hmac = (text: string) => createHmac("sha1", TOKEN).update(text).digest("base64");

const text = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: "grapheme", maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 2000 }) },
  { weight: 1, arbitrary: fc.constantFrom("", "\0", "%", "%zz", "+", "__proto__", "a&b=c", "é\r\n") },
);
const sid = fc.uuid();
const TO = fc.constant("+15558675310");
const common = fc.record({ FaxSid: sid, AccountSid: sid, From: text, To: TO, ApiVersion: fc.constant("v1") });
const callbackParams = fc.record(
  {
    FaxStatus: oneOf("received failed something-new"),
    NumPages: fc.oneof(fc.nat().map(String), text),
    MediaUrl: fc.oneof(fc.webUrl(), text),
    MediaSid: fc.oneof(sid, text),
    RemoteStationId: text,
    Timestamp: fc.oneof(fc.constantFrom("2022-01-13T21:54:46Z", "Thu, 13 Jan 2022 21:54:46 +0000"), text),
  },
  { requiredKeys: ["FaxStatus"] },
);
const extra = fc.dictionary(fc.oneof(text, oneOf("__proto__ faxsid constructor")), text, { maxKeys: 3 });
const repeated = fc.oneof(
  { weight: 5, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.array(fc.tuple(oneOf("tag tag2"), text), { maxLength: 4 }) },
);
const toWellFormed = (value: string) => Buffer.from(value).toString();
const pairs = fc
  .tuple(extra, common, fc.option(callbackParams), repeated)
  .map(([extra, five, callback, more]) => [...Object.entries({ ...extra, ...five, ...callback }), ...more])
  .map((all) => all.map(([name, value]): Pair => [toWellFormed(name), toWellFormed(value)]));

interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body?: Uint8Array;
}

/** A request as a provider sends it. */
async function createRequest(kind: string, params: Pair[], file: Uint8Array | undefined): Promise<Sent> {
  if (kind === "GET") {
    const url = `/fax?${new URLSearchParams(params)}`;
    return { method: "GET", url, headers: { "x-twilio-signature": hmac(ORIGIN + url) } };
  }
  const url = "/fax?line=2";
  const form = kind === "form" ? new URLSearchParams() : new FormData();
  for (const [name, value] of params) form.append(name, value);
  const pages = file && new Blob([file as Uint8Array<ArrayBuffer>], { type: "application/pdf" });
  if (pages && form instanceof FormData) form.append("Media", pages, "fax.pdf");
  const sent = new Response(form);
  const signature = hmac(getSignedTexts(ORIGIN + url, params)[0]);
  const header = kind === "form" ? "x-twilio-signature" : "x-signalwire-signature";
  const headers = { "content-type": sent.headers.get("content-type")!, [header]: signature };
  return { method: "POST", url, headers, body: new Uint8Array(await sent.arrayBuffer()) };
}

type Change = (sent: Sent) => Sent;
const changeBody =
  (edit: (body: Uint8Array) => Uint8Array): Change =>
  (sent) => ({ ...sent, body: edit(sent.body ?? new Uint8Array()) });
const setHeaders =
  (headers: Record<string, string>): Change =>
  (sent) => ({ ...sent, headers: { ...sent.headers, ...headers } });
/** One change of a request, or none. */
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 3, arbitrary: fc.constant((sent: Sent) => sent) },
  fc
    .tuple(fc.nat(), fc.nat(255))
    .map(([at, byte]) => changeBody((body) => body.map((old, i) => (i === at % body.length ? byte : old)))),
  fc.nat().map((at) => changeBody((body) => body.subarray(0, at % (body.length || 1)))),
  text.map((more) => (sent: Sent) => ({ ...sent, url: `${sent.url}&${encodeURIComponent(toWellFormed(more))}=1` })),
  text.map((type) => setHeaders({ "content-type": type })),
  oneOf("PUT HEAD GET POST").map((method) => (sent: Sent) => ({ ...sent, method })),
  fc
    .constantFrom("", "A".repeat(27) + "=")
    .map((signature) => setHeaders({ "x-twilio-signature": signature, "x-signalwire-signature": "" })),
);

const STATUSES = new Set([200, 304, 400, 403, 405, 413, 415]);

describe("faxWebhook.handle", () => {
  it("handle passes exactly the signed parameters to a handler, for any change of a request", { timeout }, async () => {
    let seen: Readonly<Record<string, string>> | undefined;
    let accepted = 0;
    const webhook = faxWebhook({
      authToken: TOKEN,
      publicUrl: ORIGIN,
      onFax: (fax) => ((seen = fax.params), receive({ action: "/fax" })),
      onCallback: (callback) => void (seen = callback.params),
      onRefused: () => {},
      maxMediaBytes: 1000,
    });
    const pages = fc.option(fc.uint8Array({ maxLength: 300 }), { nil: undefined });
    await check(
      fc.asyncProperty(oneOf("form form GET multipart"), pairs, pages, change, async (kind, params, file, change) => {
        seen = undefined;
        const reply = await webhook.handle(change(await createRequest(kind, params, file)));
        assertTrue(STATUSES.has(reply.status), `status ${reply.status}`);
        assertTrue(reply.status === 200 || reply.body.length <= 30, `body ${reply.body}`);
        if (reply.status !== 200) return;
        accepted++;
        const first = Object.fromEntries(params.filter((pair) => pair.join("") !== "").reverse());
        assertSame(Object.entries(seen ?? {}).sort(), Object.entries(first).sort());
      }),
    );
    assertTrue(accepted >= runs.numRuns / 5, `only ${accepted} of ${runs.numRuns} were accepted, which proves little`);
  });

  it("handle returns a documented status for any input", { timeout }, async () => {
    const handlers = { onFax: () => receive(), onCallback() {}, onRefused() {} };
    const webhook = faxWebhook({ authToken: false, ...handlers, maxMediaBytes: 500 });
    const types = fc.constantFrom("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "");
    const headers = fc.record({ "content-type": types }, { requiredKeys: [] }) as fc.Arbitrary<Record<string, string>>;
    const body = fc.oneof(text, fc.uint8Array(), fc.anything(), fc.dictionary(text, fc.anything()));
    await check(
      fc.asyncProperty(oneOf("POST GET HEAD x"), text, headers, body, async (method, url, headers, body) => {
        const { status } = await webhook.handle({ method, url, headers, body });
        assertTrue(STATUSES.has(status), `status ${status}`);
      }),
    );
  });
});

const short = fc.string({ unit: "grapheme", maxLength: 12 });
const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
const params = fc.uniqueArray(fc.tuple(name, short), { selector: ([name]) => name, maxLength: 8 });
const path = fc.webPath();

interface Signed {
  readonly authToken: string;
  readonly url: string;
  readonly params: readonly Pair[];
  readonly signature: string;
}

/** Changes one parameter, if there is one: an empty list removes it. */
const changeParam = (i: number, edit: (pair: Pair) => Pair[]) => (it: Signed) => ({
  ...it,
  params: it.params.flatMap((pair, j) => (j === i % it.params.length ? edit(pair) : [pair])),
});
const changeSigned: fc.Arbitrary<(it: Signed) => Signed> = fc.oneof(
  fc.tuple(fc.nat(), short).map(([i, value]) => changeParam(i, ([name]) => [[name, value]])),
  fc.tuple(fc.nat(), short).map(([i, name]) => changeParam(i, ([, value]) => [[name, value]])),
  fc.nat().map((i) => changeParam(i, () => [])),
  fc.tuple(short, short).map((pair) => (it: Signed) => ({ ...it, params: [...it.params, pair] })),
  path.map((path) => (it: Signed) => ({ ...it, url: ORIGIN + path })),
  fc.domain().map((host) => (it: Signed) => ({ ...it, url: it.url.replace("fax.example", host) })),
  short.map((token) => (it: Signed) => ({ ...it, authToken: `x${token}x` })),
  fc.tuple(fc.nat(27), fc.string({ minLength: 1, maxLength: 1 })).map(([i, char]) => (it: Signed) => {
    return { ...it, signature: it.signature.slice(0, i) + char + it.signature.slice(i + 1) };
  }),
  fc.oneof(fc.base64String({ minLength: 28, maxLength: 28 }), fc.string()).map((signature) => (it: Signed) => {
    return { ...it, signature };
  }),
);

describe("verifyRequest", () => {
  it("verifyRequest accepts what another implementation signed, also with the default port", { timeout }, async () => {
    await check(
      fc.asyncProperty(params, path, fc.boolean(), async (params, path, hasPort) => {
        const url = ORIGIN + path;
        const signature = hmac(getSignedTexts(hasPort ? `${ORIGIN}:443${path}` : url, params)[0]);
        const query = new URLSearchParams(params).toString();
        for (const source of [params, Object.fromEntries(params), new Map(params), query]) {
          assertTrue(verifyRequest({ authToken: ["other", TOKEN], url, params: source, signature }), "refused");
        }
        if (!hasPort) assertSame(signRequest({ authToken: TOKEN, url, params }), signature);
      }),
    );
  });

  it("verifyRequest returns false for every change of a signed request", { timeout }, async () => {
    await check(
      fc.asyncProperty(params, path, changeSigned, async (params, path, change) => {
        const url = ORIGIN + path;
        const signature = signRequest({ authToken: TOKEN, url, params });
        const changed = change({ authToken: TOKEN, url, params, signature });
        // Names and values are signed without separators, and a repeated pair counts once: the text may be the same.
        const isSameText = getSignedTexts(changed.url, changed.params).includes(getSignedTexts(url, params)[0]);
        fc.pre(!isSameText || changed.signature !== signature || changed.authToken !== TOKEN);
        assertTrue(!verifyRequest(changed), "accepted");
      }),
    );
  });
});
