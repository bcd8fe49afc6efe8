/** Properties of the webhook: a documented status for whatever comes, and no signed request that can be changed. */
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, it } from "vitest";
import { receive } from "../../src/index.js";
import { faxWebhook, signRequest, verifyRequest } from "../../src/webhook/index.js";
import { fuzzRuns } from "./runs.js";

const runs = fuzzRuns(300);
console.log(`webhook properties: FUZZ_SEED=${runs.seed} FUZZ_RUNS=${runs.numRuns}`);
const check = (property: fc.IAsyncProperty<any> | fc.IProperty<any>) =>
  fc.assert(property as fc.IAsyncProperty<any>, runs);

const TOKEN = "secret";
const ORIGIN = "https://fax.example";

// A request is built as a provider builds it, signed, and then broken in one place, or in none.
const text = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: "grapheme", maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 2000 }) },
  { weight: 1, arbitrary: fc.constantFrom("", "\0", "%", "%zz", "+", "__proto__", "a&b=c", "é\r\n") },
);
const sid = fc.uuid();
const common = fc.record({
  FaxSid: sid,
  AccountSid: sid,
  From: text,
  To: fc.constant("+15558675310"),
  ApiVersion: fc.constant("v1"),
});
const callbackOnly = fc.record(
  {
    FaxStatus: fc.constantFrom("received", "failed", "something-new"),
    NumPages: fc.oneof(fc.nat().map(String), text),
    MediaUrl: fc.oneof(fc.webUrl(), text),
    MediaSid: fc.oneof(sid, text),
    RemoteStationId: text,
    Timestamp: fc.oneof(fc.constant("2022-01-13T21:54:46Z"), fc.constant("Thu, 13 Jan 2022 21:54:46 +0000"), text),
  },
  { requiredKeys: ["FaxStatus"] },
);
const extra = fc.dictionary(fc.oneof(text, fc.constantFrom("__proto__", "faxsid", "constructor")), text, {
  maxKeys: 3,
});
const repeated = fc.oneof(
  { weight: 5, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.array(fc.tuple(fc.constantFrom("tag", "tag2"), text), { maxLength: 4 }) },
);
const pairs = fc
  .tuple(extra, common, fc.option(callbackOnly), repeated)
  .map(([extra, five, callback, more]): [string, string][] => [
    ...Object.entries({ ...extra, ...five, ...callback }).map(([name, value]): [string, string] => [
      wellFormed(name),
      wellFormed(value),
    ]),
    ...more.map(([name, value]): [string, string] => [name, wellFormed(value)]),
  ]);
const pages = fc.oneof(fc.constant(undefined), fc.uint8Array({ maxLength: 300 }));

interface Sent {
  method: string;
  url: string;
  headers: Record<string, string>;
  body?: Uint8Array | string | undefined;
}

function wellFormed(value: string): string {
  return (value as string & { toWellFormed(): string }).toWellFormed();
}

/** What providers define as the signed text, written down a second time: distinct values, sorted. */
function signatureOf(url: string, params: readonly [string, string][]): string {
  const distinct = new Map<string, Set<string>>();
  for (const [name, value] of params) distinct.set(name, (distinct.get(name) ?? new Set()).add(value));
  const names = [...distinct.keys()].sort();
  const parts = names.flatMap((name) => [...distinct.get(name)!].sort().map((value) => name + value));
  return createHmac("sha1", TOKEN)
    .update(url + parts.join(""))
    .digest("base64");
}

async function build(kind: string, params: [string, string][], file: Uint8Array | undefined): Promise<Sent> {
  const url = "/fax?line=2";
  if (kind === "GET") {
    const target = `/fax?${new URLSearchParams(params)}`;
    return { method: "GET", url: target, headers: { "x-twilio-signature": signatureOf(ORIGIN + target, []) } };
  }
  const signature = signatureOf(ORIGIN + url, params);
  if (kind === "form") {
    const headers = { "content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature };
    return { method: "POST", url, headers, body: new URLSearchParams(params).toString() };
  }
  const form = new FormData();
  for (const [name, value] of params) form.append(name, value);
  if (file) form.append("Media", new Blob([file as Uint8Array<ArrayBuffer>], { type: "application/pdf" }), "fax.pdf");
  const sent = new Response(form);
  const headers = { "content-type": sent.headers.get("content-type")!, "x-signalwire-signature": signature };
  return { method: "POST", url, headers, body: new Uint8Array(await sent.arrayBuffer()) };
}

/** One change, somewhere. */
const breakage = fc.oneof(
  { weight: 3, arbitrary: fc.constant((sent: Sent) => sent) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat(), fc.nat(255)).map(
      ([at, byte]) =>
        (sent: Sent) =>
          changeByte(sent, at, byte),
    ),
  },
  { weight: 1, arbitrary: fc.nat().map((at) => (sent: Sent) => cutShort(sent, at)) },
  {
    weight: 1,
    arbitrary: text.map((more) => (sent: Sent) => ({ ...sent, url: `${sent.url}&${encodeURIComponent(more)}=1` })),
  },
  {
    weight: 1,
    arbitrary: text.map((type) => (sent: Sent) => ({ ...sent, headers: { ...sent.headers, "content-type": type } })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("PUT", "HEAD", "GET", "POST").map((method) => (sent: Sent) => ({ ...sent, method })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("", "A".repeat(27) + "=").map((value) => (sent: Sent) => resign(sent, value)),
  },
);

function bytesOf({ body = "" }: Sent): Uint8Array {
  return typeof body === "string" ? new TextEncoder().encode(body) : body;
}

function changeByte(sent: Sent, at: number, byte: number): Sent {
  const body = Uint8Array.from(bytesOf(sent));
  if (body.length > 0) body[at % body.length] = byte;
  return { ...sent, body };
}

function cutShort(sent: Sent, at: number): Sent {
  const body = bytesOf(sent);
  return { ...sent, body: body.subarray(0, body.length === 0 ? 0 : at % body.length) };
}

function resign(sent: Sent, value: string): Sent {
  return { ...sent, headers: { ...sent.headers, "x-twilio-signature": value, "x-signalwire-signature": "" } };
}

/** By the README's table. */
const STATUSES = new Set([200, 304, 400, 403, 405, 413, 415]);

describe("faxWebhook.handle", () => {
  it(
    "shows the user's function what was signed, and nothing else, whatever comes",
    { timeout: 3_600_000 },
    async () => {
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
      const kinds = fc.constantFrom("form", "form", "GET", "multipart");
      await check(
        fc.asyncProperty(kinds, pairs, pages, breakage, async (kind, params, file, change) => {
          seen = undefined;
          const sent = change(await build(kind, params, file));
          const reply = await webhook.handle(sent);
          if (!STATUSES.has(reply.status)) throw new Error(`status ${reply.status}`);
          if (reply.status !== 200 && reply.body.length > 30) throw new Error(`body ${reply.body}`);
          if (reply.status !== 200) return;
          accepted++;
          const first = Object.fromEntries([...params].reverse());
          const expected = JSON.stringify(Object.entries(first).sort());
          if (seen === undefined || JSON.stringify(Object.entries(seen).sort()) !== expected)
            throw new Error("not what was signed");
        }),
      );
      // Or the cases would prove little.
      if (accepted < runs.numRuns / 5) throw new Error(`only ${accepted} of ${runs.numRuns} were accepted`);
    },
  );

  it("gives a documented status for anything", { timeout: 3_600_000 }, async () => {
    const webhook = faxWebhook({
      authToken: false,
      onFax: () => receive(),
      onCallback() {},
      onRefused() {},
      maxMediaBytes: 500,
    });
    const headers = fc.record(
      { "content-type": fc.constantFrom("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "") },
      { requiredKeys: [] },
    );
    const body = fc.oneof(
      text,
      fc.uint8Array(),
      fc.anything(),
      fc.dictionary(text, fc.anything()),
      fc.constant(undefined),
    );
    await check(
      fc.asyncProperty(
        fc.constantFrom("POST", "GET", "HEAD", "x"),
        text,
        headers,
        body,
        async (method, url, headers, body) => {
          const reply = await webhook.handle({ method, url, headers: headers as Record<string, string>, body });
          if (!STATUSES.has(reply.status)) throw new Error(`status ${reply.status}`);
        },
      ),
    );
  });
});

/** What providers define as the signed text, written down a second time. */
const signedText = (url: string, params: [string, string][]) =>
  [...params].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).reduce((all, [name, value]) => all + name + value, url);

const short = fc.string({ unit: "grapheme", maxLength: 12 });
const params = fc.uniqueArray(fc.tuple(fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }), short), {
  selector: ([name]) => name,
  maxLength: 8,
});
const path = fc.webPath();

describe("verifyRequest", () => {
  it("accepts what another implementation signed", { timeout: 3_600_000 }, async () => {
    await check(
      fc.property(params, path, fc.boolean(), (params, path, port) => {
        const url = `https://fax.example${path}`;
        const signature = createHmac("sha1", "token")
          .update(signedText(port ? `https://fax.example:443${path}` : url, params))
          .digest("base64");
        const inOneOf = [params, Object.fromEntries(params), new Map(params), new URLSearchParams(params).toString()];
        for (const source of inOneOf) {
          if (!verifyRequest({ authToken: ["other", "token"], url, params: source, signature }))
            throw new Error("refused");
        }
        if (!port && signRequest({ authToken: "token", url, params }) !== signature)
          throw new Error("signed otherwise");
      }),
    );
  });

  it("refuses every change of a signed request", { timeout: 3_600_000 }, async () => {
    type Signed = { token: string; url: string; params: [string, string][]; signature: string };
    const change = fc.oneof(
      fc.tuple(fc.nat(), short).map(([i, value]) => (it: Signed) => ({
        ...it,
        params: it.params.map((pair, j) => (j === i % it.params.length ? [pair[0], value] : pair)),
      })),
      fc.tuple(fc.nat(), short).map(([i, name]) => (it: Signed) => ({
        ...it,
        params: it.params.map((pair, j) => (j === i % it.params.length ? [name, pair[1]] : pair)),
      })),
      fc.nat().map((i) => (it: Signed) => ({ ...it, params: it.params.filter((_, j) => j !== i % it.params.length) })),
      fc.tuple(short, short).map((pair) => (it: Signed) => ({ ...it, params: [...it.params, pair] })),
      path.map((path) => (it: Signed) => ({ ...it, url: `https://fax.example${path}` })),
      fc.domain().map((host) => (it: Signed) => ({ ...it, url: it.url.replace("fax.example", host) })),
      short.map((token) => (it: Signed) => ({ ...it, token: `x${token}x` })),
      fc.base64String({ minLength: 28, maxLength: 28 }).map((signature) => (it: Signed) => ({ ...it, signature })),
      fc.tuple(fc.nat(27), fc.string({ minLength: 1, maxLength: 1 })).map(([i, c]) => (it: Signed) => ({
        ...it,
        signature: it.signature.slice(0, i) + c + it.signature.slice(i + 1),
      })),
      fc.string().map((signature) => (it: Signed) => ({ ...it, signature })),
    );
    await check(
      fc.property(params, path, change, (params, path, change) => {
        const signed: Signed = { token: "token", url: `https://fax.example${path}`, params, signature: "" };
        signed.signature = signRequest({ authToken: signed.token, url: signed.url, params });
        const changed = change(signed) as Signed;
        // Names and values are signed without separators: "A" "bc" and "Ab" "c" are one text, in any implementation.
        const sameText = signedText(changed.url, changed.params) === signedText(signed.url, signed.params);
        // A repeated pair counts once (Twilio's reading), so adding one again changes nothing that is signed.
        const sameSet =
          JSON.stringify([...new Set(changed.params.map(String))].sort()) ===
            JSON.stringify(params.map(String).sort()) && changed.url === signed.url;
        fc.pre(!(sameText || sameSet) || changed.signature !== signed.signature || changed.token !== signed.token);
        if (
          verifyRequest({
            authToken: changed.token,
            url: changed.url,
            params: changed.params,
            signature: changed.signature,
          })
        )
          throw new Error("accepted");
      }),
    );
  });
});
