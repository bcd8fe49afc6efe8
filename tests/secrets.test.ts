/** Secrets: a token in the place of any argument is not in an error, a refusal or a log. */
import { inspect } from "node:util";
import { expect, it, vi } from "vitest";
import * as core from "../src/index.js";
import * as testing from "../src/testing/index.js";
import * as webhook from "../src/webhook/index.js";
import { CALLBACK, incoming, INCOMING, ORIGIN, outgoing, request, TOKEN } from "./webhook/support.js";

const SECRET = "hunter2_0123456789abcdefABCDEF";

type Parts = Record<string, unknown> | unknown[];

/** Copies of a value, each with the secret in the place of one part, at any depth. */
function* replaceEach(value: unknown): Generator<unknown> {
  yield* [SECRET, [SECRET], { token: SECRET }];
  if (!Array.isArray(value) && !(value && Object.getPrototypeOf(value) === Object.prototype)) return;
  for (const [name, part] of Object.entries(value as Parts)) {
    const copy = (): Parts => (Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) });
    for (const replaced of replaceEach(part)) yield Object.assign(copy(), { [name]: replaced });
  }
}

const url = `${ORIGIN}/fax`;
const onFax = () => core.reject();
const onCallback = () => {};
const logged: unknown[] = [];
const onRefused = (refusal: webhook.Refusal) => void logged.push(refusal);
const offline = () => Promise.reject(new Error("offline"));
const signed = { authToken: TOKEN, url, params: INCOMING };
const options = { authToken: TOKEN, publicUrl: ORIGIN, onFax, onCallback, onRefused, maxFormBytes: 999 };
const media = { hosts: ["a.example"], headers: { a: "b" }, maxBytes: 1, timeoutMs: 1, fetch: offline };
const account = { url, authToken: TOKEN, flavor: "twilio", accountSid: "AC1", timeoutMs: 50, now: () => new Date() };
const fax = { from: "+1", to: "+2", mediaUrl: url, outcome: "failed", method: "POST", params: { A: "1" } };
const { handle, fetch, node } = webhook.faxWebhook(options);
const provider = testing.createFaxProvider({ ...account, flavor: "twilio", fetch: offline });
const { headers, body } = request({ token: "guessed" });
const get = { ...new Request(url), method: "GET", headers: new Headers() };

// The values of a verb, a document and the URL of a request are shown: they are not secrets.
const CALLS: [name: string, call: (...values: never[]) => unknown, values: unknown[]][] = [
  ["receive", core.receive, [new Date(), new Date()]],
  ["toTwiml", core.toTwiml, [new Date()]],
  ["new FaxResponse", (verb) => new core.FaxResponse(verb), [new Date()]],
  ["FaxResponse.receive", (...values) => new core.FaxResponse().receive(...values), [new Date(), new Date()]],
  ["FaxResponse.comment", (text) => new core.FaxResponse().comment(text), [new Date()]],
  ["parseTwiml", core.parseTwiml, ["<Response/>", { unchecked: true }]],
  ["parseFaxRequest", core.parseFaxRequest, [INCOMING]],
  ["parseFaxCallback", core.parseFaxCallback, [CALLBACK]],
  ["parseFax", core.parseFax, [INCOMING]],
  ["signRequest", webhook.signRequest, [signed, "signature", url, INCOMING]],
  ["verifyRequest", webhook.verifyRequest, [{ ...signed, signature: "" }, "signature", url, INCOMING]],
  ["faxWebhook", webhook.faxWebhook, [options]],
  ["deduplicate", webhook.deduplicate, [onCallback, { claim: onCallback, done: onCallback, release: onCallback }]],
  ["handle", (method, headers, body) => handle({ method, url: "/", headers, body }), ["POST", headers, body]],
  ["fetch", fetch, [get]],
  ["node", (req) => node(incoming(req), outgoing(), onCallback), [{ method: "POST", headers, body: INCOMING }]],
  ["fetchMedia", webhook.fetchMedia, [{ faxSid: "FX1", mediaUrl: url }, media]],
  ["createFaxProvider", testing.createFaxProvider, [account]],
  ["sendFax", provider.sendFax, [fax]],
  ["incoming", provider.incoming, [{ A: "1" }]],
  ["callback", provider.callback, [{ A: "1" }]],
  ["delivery", provider.delivery, [new Uint8Array(1), { A: "1" }]],
  ["resend", provider.resend, [{ request: { url, method: "GET", headers: {} } }]],
];

it.each(CALLS)("%s does not show a secret in any argument", async (_, call, values) => {
  for (const level of ["log", "warn", "error"] as const) {
    vi.spyOn(console, level).mockImplementation((...all) => void logged.push(all));
  }
  for (const replaced of replaceEach(values)) {
    if (!Array.isArray(replaced)) continue;
    logged.length = 0;
    try {
      await call(...(replaced as never[]));
    } catch (error) {
      logged.push(error);
    }
    expect(inspect(logged, { depth: 20 }), inspect(replaced, { depth: 3 })).not.toContain(SECRET);
  }
  vi.restoreAllMocks();
});

it("every exported function is tested for secrets, except the error classes", () => {
  const entries = [core, webhook, testing].flatMap((entry) => Object.entries(entry));
  const names = entries.filter(([, value]) => typeof value === "function").map(([name]) => name);
  const untested = names.filter((name) => !CALLS.some(([each]) => each.split(/[ .]/).includes(name)));
  expect(untested.sort()).toEqual(["FaxMediaError", "FaxRequestError", "TwimlError", "reject"]);
});
