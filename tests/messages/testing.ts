/** The messages of "twiml-fax/testing": wrong arguments, and what the provider rejects in a server's response. */
import { receive, toTwiml, type Verb } from "../../src/index.js";
import { createFaxProvider, type FaxProviderOptions, type ProviderFetch } from "../../src/testing/index.js";
import type { Messages } from "./types.js";

const URL_ = "https://fax.example.com/fax";
const XML = { "content-type": "text/xml" };
const HTML = { "content-type": "text/html" };
const options = (more: object = {}) => ({ url: URL_, authToken: "PSK_secret", ...more }) as FaxProviderOptions;
const provider = createFaxProvider(options({ fetch: () => new Response() }));

/** The message for what `fetch` returns, or for the Response with these parts. */
async function send(fetch: ProviderFetch, more: object = {}): Promise<string> {
  const { error } = await createFaxProvider(options({ fetch, ...more })).sendFax();
  return `${error?.code}: ${error?.message}`;
}

function respond(
  body: string | Uint8Array<ArrayBuffer> | null,
  status = 200,
  headers: Record<string, string> = XML,
): Promise<string> {
  return send(() => new Response(body, { status, headers }));
}

const readResponse = new Response("<Response/>");
await readResponse.text();

/** The same document for the new fax and the callback. */
const respondTwice = (verb: Verb) => send(() => new Response(toTwiml(verb), { headers: XML }));

const redirect = (location: string) => respond(null, 302, { location });

/** The message for an error of the platform's fetch, with the messages that undici and Node have. */
async function failToConnect(code: string, message: string): Promise<string> {
  const platformFetch = globalThis.fetch;
  const cause = Object.assign(new Error(message), { code });
  const unreachable = createFaxProvider(options({ url: "https://unreachable.example/" }));
  globalThis.fetch = async (input, init) => {
    if (!(input instanceof Request) || !input.url.includes("unreachable")) return platformFetch(input, init);
    throw new TypeError("fetch failed", { cause });
  };
  try {
    const { error } = await unreachable.sendFax();
    return `${error?.code}: ${error?.message}`;
  } finally {
    globalThis.fetch = platformFetch;
  }
}

/** A document whose callback is redirected with this status. */
const redirectCallback = (status: number) =>
  send(({ url }) => {
    if (url.includes("/end")) return new Response("<Response/>", { headers: XML });
    if (url.endsWith("/callback")) return new Response(null, { status, headers: { location: "/end" } });
    return new Response('<Response><Receive action="/callback" storeMedia="false"/></Response>', { headers: XML });
  });

export const testing: Messages = {
  scope: {
    URL_,
    createFaxProvider,
    options,
    provider,
    send,
    respond,
    readResponse,
    respondTwice,
    receive,
    HTML,
    redirect,
    failToConnect,
    redirectCallback,
  },
  calls: [
    // options.ts
    "createFaxProvider()",
    'createFaxProvider(options({ flavour: "twilio" }))',
    'createFaxProvider(options({ url: "/fax" }))',
    "createFaxProvider(options({ url: new URL(URL_) }))",
    "createFaxProvider(options({ authToken: undefined }))",
    'createFaxProvider(options({ fallbackUrl: "fallback" }))',
    'createFaxProvider(options({ connectTo: "localhost:3000" }))',
    'createFaxProvider(options({ connectTo: "http://localhost:3000", fetch }))',
    'createFaxProvider(options({ flavor: "Twilio" }))',
    'createFaxProvider(options({ accountSid: "AC 1" }))',
    "createFaxProvider(options({ timeoutMs: 0 }))",
    "createFaxProvider(options({ fetch: fetch(URL_).catch(() => 0) }))",
    "createFaxProvider(options({ now: 5 }))",
    "createFaxProvider(options({ now: () => new Date(NaN) })).sendFax()",
    "provider.sendFax(null)",
    'provider.sendFax({ From: "" })',
    'provider.sendFax({ outcome: "fail" })',
    'provider.sendFax({ method: "PUT" })',
    "provider.sendFax({ from: 15017122661 })",
    'provider.sendFax({ mediaUrl: "/1.pdf" })',
    'provider.sendFax({ pages: new Blob(["%PDF-"]) })',
    'provider.sendFax({ from: "", params: { From: "anonymous" } })',
    'provider.sendFax({ outcome: "failed", params: { FaxStatus: "busy" } })',
    "provider.sendFax({ params: null })",
    "provider.incoming({ NumPages: 2 })",
    'provider.callback({ faxsid: "FX1" })',
    "provider.delivery(new Uint8Array(9))",
    "provider.resend(provider.sendFax())",
    // http-client.ts
    'failToConnect("ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:3000")',
    'failToConnect("ENOTFOUND", "getaddrinfo ENOTFOUND fax.example.com")',
    'failToConnect("DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed certificate")',
    'failToConnect("UND_ERR_SOCKET", "other side closed")',
    'send(() => new Promise(() => {}), { flavor: "twilio", url: `${URL_}#rt=100&rc=0` })',
    'redirect("/fax")',
    'respond("x".repeat(100_000))',
    'send(() => Promise.reject("no database"))',
    'send(() => "<Response/>")',
    "send(() => readResponse)",
    // conversation.ts
    'respond("Cannot POST /fax", 404)',
    'respond("x".repeat(500), 500)',
    'respond("<html><head><style></style></head><body><pre>Error: no database</pre>", 500, HTML)',
    "respond(null, 204)",
    "respond(null, 304)",
    "respond(null, 302)",
    'redirect("mailto:user:password@example.com")',
    'redirect("http://[")',
    'respond("hello", 200, { "content-type": "text/html" })',
    "respond(new Uint8Array(1), 200, {})",
    "respond(Uint8Array.of(0xe9))",
    'respond("<Response/>")',
    'respond("<Response>")',
    'respond("<Response><Reject/><Reject/></Response>")',
    "redirectCallback(302)",
    "respondTwice(receive({ action: URL_ }))",
  ],
};
