/** The messages of `npx twiml-fax`: usage, usage errors, documents and transcripts. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../../src/cli/commands.js";
import { formatOutcome, formatTimeline } from "../../src/cli/transcript.js";
import { receive, type ReceiveAttributes, reject } from "../../src/index.js";
import { createFaxProvider, type FaxToSend, type FaxTranscript, type ProviderFetch } from "../../src/testing/index.js";
import { faxWebhook, fetchMedia } from "../../src/webhook/index.js";
import type { Messages } from "./types.js";

const folder = mkdtempSync(join(tmpdir(), "twiml-fax-messages-"));
const url = "https://fax.example.com/fax";

/** Masks what differs between runs: folders, SIDs, times and ports. */
function mask(text: string): string {
  const plain = text.replaceAll(folder + "/", "").replace(/\u001b\[\d+m/g, "");
  const withoutSids = plain.replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, "SID").replace(/\d\.\d\d s/g, "0.00 s");
  return withoutSids.replace(/127\.0\.0\.1:\d{3,}/g, "127.0.0.1:PORT");
}

/** What the command prints. */
async function run(...args: string[]): Promise<string> {
  const printed: string[] = [];
  try {
    const code = await runCommand(args, (text) => printed.push(text), "1.2.3");
    return mask(`${printed.join("\n")}\nexit code ${code}`);
  } catch (error) {
    return mask(`${(error as Error).message}\nexit code 2`);
  }
}

/** What `twiml-fax check` prints for a document. */
function check(document: string | Uint8Array): Promise<string> {
  writeFileSync(join(folder, "answer.xml"), document);
  return run("check", join(folder, "answer.xml"));
}

/** What `twiml-fax send` prints for a webhook whose onFax returns these attributes, or for a handler. */
async function send(server: ReceiveAttributes | "reject" | ProviderFetch, fax?: FaxToSend, authToken = "PSK_1") {
  const onFax = () => (server === "reject" ? reject() : receive(server as ReceiveAttributes));
  const options = { publicUrl: url, onFax, onCallback() {}, onRefused() {}, maxMediaBytes: 1 << 20 };
  const { fetch } = faxWebhook({ authToken: "PSK_1", ...options });
  const provider = createFaxProvider({ url, authToken, fetch: typeof server === "function" ? server : fetch });
  return format(await provider.sendFax(fax));
}

const format = (transcript: FaxTranscript) =>
  mask(`${formatTimeline(transcript.exchanges)}\n${formatOutcome(transcript)}`);

/** What `twiml-fax send` prints for a running server, without a terminal's wait for a download. */
async function sendTo(listener: RequestListener, ...args: string[]): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const port = String((server.address() as AddressInfo).port);
  const waitingTime = AbortSignal.timeout;
  AbortSignal.timeout = () => AbortSignal.abort();
  const printed = await run("send", `http://127.0.0.1:${port}/fax`, token!, "--pages-port", "0", ...args);
  AbortSignal.timeout = waitingTime;
  server.close();
  return printed;
}

/** A server that saves the pages before it responds, or only logs the callback. */
const createWebhook = (save: boolean) =>
  faxWebhook({
    authToken: "PSK_1",
    onFax: () => receive({ action: "/fax" }),
    onCallback: (callback) => save && fetchMedia(callback, { hosts: [new URL(callback.mediaUrl!).host] }),
  }).node;

const respond403: RequestListener = (_, res) => {
  res.writeHead(403, { "content-type": "text/plain" }).end("Cross-site POST form submissions are forbidden");
};

const fail: RequestListener = (_, res) => {
  res.writeHead(500, { "content-type": "text/html" }).end("<body><pre>Error: no database</pre>");
};

/** What it prints for a provider with a fallback URL, and a number that is withheld. */
async function sendToFallback(): Promise<string> {
  const fetch: ProviderFetch = (request) => {
    if (request.url === url) return new Response("no database", { status: 503 });
    if (request.url.endsWith("/callback")) return new Response();
    const headers = { "content-type": "text/xml" };
    return new Response(`<Response><Receive action="/callback"/></Response>`, { headers });
  };
  const fallbackUrl = "https://backup.example.com/fax";
  return format(await createFaxProvider({ url, fallbackUrl, authToken: "PSK_1", fetch }).sendFax({ from: "" }));
}

/** The lines about the outcome alone. */
const outcome = async (...args: Parameters<typeof send>) => (await send(...args)).replace(/^[^]*(?=^Outcome)/m, "");

/** A port that is in use. */
async function findUsedPort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1").unref();
  await new Promise((resolve) => server.once("listening", resolve));
  return String((server.address() as AddressInfo).port);
}

writeFileSync(join(folder, "fax.pdf"), "%PDF-1.4");
writeFileSync(join(folder, "fax.txt"), "text");
const [pdf, txt, token] = [join(folder, "fax.pdf"), join(folder, "fax.txt"), "--token=PSK_1"];

const lost: ProviderFetch = ({ url }) => {
  const twiml = url.includes("/moved") ? "" : '<Receive action="/callback" storeMedia="false"/>';
  if (url.endsWith("/callback")) return new Response(null, { status: 302, headers: { location: "/moved" } });
  return new Response(`<Response>${twiml}</Response>`, { headers: { "content-type": "text/xml" } });
};

export const cli: Messages = {
  scope: {
    run,
    check,
    send,
    sendTo,
    createWebhook,
    respond403,
    fail,
    outcome,
    sendToFallback,
    url,
    pdf,
    txt,
    token,
    findUsedPort,
    lost,
  },
  calls: [
    'run("--help")',
    "run()",
    'run("send")',
    'run("check")',
    'run("chek", "answer.xml")',
    'run("check", "a.xml", "b.xml")',
    'run("send", url, "--tokn", "PSK_1")',
    'run("send", url)',
    'run("send", "/fax", token)',
    'run("--version")',
    'run("send", url, token, "--param", "Trunk")',
    'run("send", url, token, "--pages-port", "0", "--param", "from=+1")',
    'run("send", url, token, "--pages", "/no/such/file.pdf")',
    'run("send", url, token, "--pages", txt)',
    'run("send", url, token, "--pages-port", "x")',
    'findUsedPort().then((port) => run("send", url, token, "--pages", pdf, "--pages-port", port))',
    'run("check", "answer.xml", "--json")',
    'run("check", "/no/such/file.xml")',
    'check("<Response/>")',
    "check('<Response>\\n  <Receive pagesize=\"a4\"/>\\n</Response>')",
    'check("<Response><Reject/><Reject/></Response>")',
    'check("x".repeat(100_000))',
    "check(Uint8Array.of(0xff))",
    'send({ action: "/fax" })',
    'send({ action: "/fax" }, undefined, "guessed")',
    "sendTo(createWebhook(true))",
    "sendTo(createWebhook(false))",
    'sendTo(createWebhook(false), "--fail")',
    "sendTo(respond403)",
    "sendTo(fail)",
    'run("send", "http://127.0.0.1:2/", token, "--pages-port", "0")',
    "sendToFallback()",
    'send({ action: "/fax", storeMedia: false })',
    "outcome(() => new Response('<Response><Receive/></Response>', { headers: { 'content-type': 'text/xml' } }))",
    'outcome("reject")',
    "outcome(() => new Response('<Response/>', { headers: { 'content-type': 'text/xml' } }))",
    "outcome(lost)",
  ],
};
