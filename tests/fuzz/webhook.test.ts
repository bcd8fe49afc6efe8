/** Properties of the webhook: a documented status for whatever comes, and no signed request that can be changed. */
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, it } from "vitest";
import { receive } from "../../src/index.js";
import { faxWebhook, signRequest, verifyRequest } from "../../src/webhook/index.js";

const numRuns = Number(process.env.FUZZ_RUNS ?? 300);
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31);
console.log(`webhook properties: FUZZ_SEED=${seed} FUZZ_RUNS=${numRuns}`);
const check = (property: fc.IAsyncProperty<any> | fc.IProperty<any>) =>
  fc.assert(property as fc.IAsyncProperty<any>, { numRuns, seed });

const form = { FaxSid: "FX1", AccountSid: "AC1", From: "+1", To: "+2", ApiVersion: "v1" };
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string(),
  fc.constantFrom("", "\0", "\ud800", "%", "%zz", "+", "__proto__"),
);
const name = fc.oneof(
  fc.constantFrom("FaxSid", "faxsid", "FaxStatus", "Media", "NumPages", "MediaUrl", "Timestamp", "__proto__"),
  text,
);
const texts = fc.dictionary(name, text);
const record = fc.dictionary(name, fc.oneof({ weight: 5, arbitrary: text }, { weight: 1, arbitrary: fc.anything() }));

/** A form that is right but for what was added to it. */
const body = fc.oneof(
  record.map((extra) => ({ ...form, ...extra })),
  texts.map((extra) => new URLSearchParams({ ...form, ...extra }).toString()),
  text,
  fc.uint8Array(),
  fc.anything(),
  fc.array(fc.uint8Array()).map(async function* (chunks) {
    yield* chunks;
  }),
  fc.constant(undefined),
);
const contentType = fc.constantFrom(
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "multipart/form-data",
  "application/json",
  "",
);
const headers = fc.record(
  {
    "content-type": contentType,
    host: fc.oneof(fc.constantFrom("fax.example", "evil/path?", "a b", ""), text),
    "x-twilio-signature": text,
    "X-SignalWire-Signature": text,
    "content-length": fc.oneof(fc.nat().map(String), text),
    "content-encoding": fc.constantFrom("gzip", "identity", ""),
    "if-none-match": fc.oneof(fc.constantFrom("*", 'W/"x"'), text),
    "x-forwarded-host": text,
  },
  { requiredKeys: [] },
);
const method = fc.oneof(fc.constantFrom("POST", "GET", "HEAD", "post", "PUT"), text);
const url = fc.oneof(
  fc.constant("/fax"),
  fc.constant(`/fax?${new URLSearchParams(form)}`),
  text.map((each) => `/${each}`),
  text,
  texts.map((extra) => `/fax?${new URLSearchParams({ ...form, ...extra })}`),
);

/** By the README's table. */
const STATUSES = new Set([200, 304, 400, 403, 405, 413, 415]);

describe("faxWebhook.handle", () => {
  it.each([
    ["without verification", false as const, STATUSES],
    ["with verification, and nobody who can sign", "secret", new Set([400, 403, 405, 413, 415])],
  ])("gives a documented status for any request, %s", { timeout: 3_600_000 }, async (_, authToken, statuses) => {
    const webhook = faxWebhook({
      authToken,
      onFax: () => receive({ action: "/fax" }),
      maxFormBytes: 500,
      maxMediaBytes: 500,
    });
    await check(
      fc.asyncProperty(method, url, headers, body, async (method, url, headers, body) => {
        const reply = await webhook.handle({ method, url, headers, body });
        if (!statuses.has(reply.status)) throw new Error(`status ${reply.status}`);
        if (reply.status !== 200 && reply.body.length > 30) throw new Error(`body ${reply.body}`);
      }),
    );
  });
});

/** What providers define as the signed text, written down a second time. */
const signedText = (url: string, params: [string, string][]) =>
  [...params].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).reduce((all, [name, value]) => all + name + value, url);

const wellFormed = fc.string({ unit: "grapheme", maxLength: 12 });
const params = fc.uniqueArray(fc.tuple(fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }), wellFormed), {
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
      fc.tuple(fc.nat(), wellFormed).map(([i, value]) => (it: Signed) => ({
        ...it,
        params: it.params.map((pair, j) => (j === i % it.params.length ? [pair[0], value] : pair)),
      })),
      fc.tuple(fc.nat(), wellFormed).map(([i, name]) => (it: Signed) => ({
        ...it,
        params: it.params.map((pair, j) => (j === i % it.params.length ? [name, pair[1]] : pair)),
      })),
      fc.nat().map((i) => (it: Signed) => ({ ...it, params: it.params.filter((_, j) => j !== i % it.params.length) })),
      fc.tuple(wellFormed, wellFormed).map((pair) => (it: Signed) => ({ ...it, params: [...it.params, pair] })),
      path.map((path) => (it: Signed) => ({ ...it, url: `https://fax.example${path}` })),
      fc.domain().map((host) => (it: Signed) => ({ ...it, url: it.url.replace("fax.example", host) })),
      wellFormed.map((token) => (it: Signed) => ({ ...it, token: `x${token}` })),
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
