/** The calls that produce the messages of the section "webhook". */
import { type NodeRequest } from "../../src/webhook/index.js";
import { FaxResponse, receive, reject } from "../../src/index.js";
import {
  deduplicate,
  faxWebhook,
  type FaxWebhookOptions,
  signRequest,
  verifyRequest,
} from "../../src/webhook/index.js";
import {
  INCOMING,
  incoming,
  outgoing,
  request,
  requestWithout,
  type Sent,
  setUp,
  thrower,
} from "../webhook/support.js";
import type { Messages } from "./types.js";

const authToken = "12345";
const url = "https://fax.example.com/fax";

/** The refusal of a request, which is signed for https://fax.example.com/fax unless `sent` says otherwise. */
async function refuse(sent: Sent & { readonly without?: string }, options: Partial<FaxWebhookOptions> = {}) {
  const { handle, refusals } = setUp(options);
  const { method = "POST", without } = sent;
  const signed = request({ ...sent, method: method === "GET" ? "GET" : "POST" });
  await handle(without === undefined ? { ...signed, method } : requestWithout(without, sent));
  const [{ status, reason, message }] = refusals as [(typeof refusals)[0]];
  return `${status} ${reason}: ${message}`;
}

/** The warning for a refused request if `onRefused` is not set. */
async function warn(sent: Sent, options: Partial<FaxWebhookOptions> = {}) {
  const { warn: original } = console;
  const shown: unknown[] = [];
  console.warn = (text: unknown) => void shown.push(text);
  await setUp({ onRefused: undefined, ...options }).handle(request(sent));
  console.warn = original;
  return shown.join("\n");
}

/** Handles a new fax for which `onFax` returns `result`. */
const answer = (result: unknown) => setUp({ onFax: () => result as never }).handle(request());

/** Passes to `next` the error for a handler that throws `thrown`. */
async function throwInNode(thrown: unknown): Promise<Error> {
  const { node } = setUp({ onFax: thrower(thrown) });
  return new Promise((next) => void node(incoming() as NodeRequest, outgoing(), next));
}

/** Passes to `next` the error for wrong arguments. */
async function passToNode(req?: unknown, res?: unknown): Promise<Error> {
  return new Promise((next) => void setUp().node(req as never, res as never, next));
}

const { handle, fetch } = setUp();
const params = INCOMING;
const onFax = () => reject();
const onCallback = () => {};
const scope = { authToken, url, params, onFax, onCallback, receive, reject, FaxResponse, Headers };
const store = { claim: () => true, done() {}, release() {} };
const callback = { faxSid: "FX1", faxStatus: "received" };
const fail = () => Promise.reject(new Error("disk full"));
const functions = { signRequest, verifyRequest, faxWebhook, refuse, warn, answer, throwInNode };
const adapters = { webhook: { handle, fetch, node: passToNode }, Request };

export const webhook: Messages = {
  scope: { ...scope, ...functions, ...adapters, deduplicate, store, callback, fail },
  calls: [
    // signature.ts and tokens.ts
    "signRequest()",
    'verifyRequest("12345", "signature", url, params)',
    "verifyRequest(Promise.resolve({}))",
    "signRequest({ url, params })",
    "signRequest({ authToken: Promise.resolve(authToken), url })",
    "signRequest({ authToken: () => authToken, url })",
    'signRequest({ authToken, url: "/fax" })',
    "signRequest({ authToken, url, params: 5 })",
    "signRequest({ authToken, url, params: Promise.resolve(params) })",
    'signRequest({ authToken, url, params: { a: { b: "c" } } })',

    // options.ts
    "faxWebhook()",
    "faxWebhook({ authToken, onFax, onCalback: onCallback })",
    "faxWebhook({ authToken: undefined, onFax })",
    "faxWebhook({ authToken })",
    "faxWebhook({ authToken, onFax: receive() })",
    "faxWebhook({ authToken, onFax, maxMediaBytes: 1_000_000 })",
    "faxWebhook({ authToken, onFax, maxFormBytes: 0 })",
    'faxWebhook({ authToken, onCallback, maxMediaBytes: "1 MB" })',
    'faxWebhook({ authToken, onFax, publicUrl: "fax.example.com" })',
    'faxWebhook({ authToken, onFax, publicUrl: "https://user:sec?ret@fax.example.com" })',
    "faxWebhook({ authToken, onFax, publicUrl: Promise.resolve(url) })",

    // refusal.ts
    'refuse({ method: "PUT" })',
    'refuse({ without: "x-twilio-signature" })',
    'refuse({ token: "another" })',
    "refuse({}, { authToken: () => undefined })",
    "refuse({}, { publicUrl: () => undefined })",
    "refuse({}, { onFax: undefined })",
    'refuse({ params: { FaxSid: "FX1" } })',
    'refuse({ body: "" })',
    'refuse({ body: "a=b".repeat(50_000) })',
    'refuse({ headers: { "content-type": "text/plain" } })',

    // hints.ts
    'refuse({ headers: { "x-twilio-signature": "a".repeat(40) } })',
    'refuse({ url: "https://a.example/fax", headers: { "x-forwarded-host": "a.example" } })',
    'refuse({ header: "x-signalwire-signature", token: "PSK_1" }, { authToken: "PT1" })',
    `refuse({}, { authToken: '"PSK_1"' })`,
    'refuse({ body: { ...params, a: { b: "c" } } })',
    'refuse({ token: "another", headers: { "x-twilio-webhooks-signature-settings": "key=1,algorithm=HMAC_SHA256" } })',
    'refuse({ path: "/fax?FaxSid=FX1&AccountSid=AC1&ApiVersion=v1" })',

    // options.ts, the default of onRefused, and authToken: false
    "warn({}, { authToken: false })",
    'warn({ method: "GET", token: "another" })',
    'warn({ token: "another" })',
    'warn({ token: "another", headers: { host: "" } }, { publicUrl: undefined })',
    'warn({ params: { FaxSid: "FX1" } })',
    'warn({ body: (async function* () { throw new Error("aborted"); })() })',

    // reply.ts
    "answer(undefined)",
    "answer(receive)",
    "answer(new FaxResponse())",
    'answer({ comment() {}, toString: () => "<Response><Reject/></Response>" })',
    "answer({ twiml: reject(), header: {} })",
    'answer(receive({ action: "/fax", storeMedia: false }))',
    "answer({ twiml: reject(), headers: new Headers() })",
    'answer({ twiml: reject(), headers: { "x note": "1" } })',
    'answer({ twiml: reject(), headers: { "x-note": "a\\nb" } })',
    'answer({ twiml: reject(), headers: { "content-length": "0" } })',

    'answer("<Response><Reject/></Response>")',

    // deduplicate.ts
    "deduplicate()",
    "deduplicate(onCallback, {})",
    "deduplicate(onCallback, { ...store, claim: () => 1 })(callback)",
    "deduplicate(fail, { ...store, release: fail })(callback)",

    // http.ts
    "webhook.handle()",
    'webhook.handle("FaxSid=FX1")',
    "webhook.handle({ url, headers: {} })",
    'webhook.handle({ method: "POST", url: new URL(url), headers: {} })',
    'webhook.handle({ method: "POST", url, headers: null })',
    'webhook.handle({ method: "POST", url, headers: Promise.resolve({}) })',

    // fetch.ts
    "webhook.fetch({ req: { raw: new Request(url) } })",

    // node.ts
    'throwInNode("route")',
    "webhook.node({ raw: {} }, { raw: {} })",
    "webhook.node(new Request(url))",
  ],
};
