#!/usr/bin/env node
/** The command line: `npx twiml-fax send URL` plays the provider, `npx twiml-fax check FILE` reads a document. */
import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { parseTwiml } from "./twiml/document.js";
import { TwimlError } from "./shared/errors.js";
import { toTwiml } from "./twiml/response.js";
import { createFaxProvider, type FaxExchange, type FaxToSend, type FaxTranscript } from "./testing/index.js";
import { detectPagesType } from "./webhook/media.js";

const USAGE = `Usage:
  twiml-fax send URL --token TOKEN   play a fax provider against a running server
      --from NUMBER --to NUMBER      the caller ("" withholds it) and the called number
      --pages FILE                   send this PDF or TIFF, kept at 127.0.0.1 while the conversation lasts
      --pages-port PORT              port of these pages, to be listed in the hosts of fetchMedia (default: 8127)
      --fail                         the pages do not come through
      --get                          request the URL by GET
      --twilio                       play Twilio (default: SignalWire)
      --json                         print the transcript as JSON
  twiml-fax check FILE               say what a provider would complain about ("-": standard input)
`;

/** Wrong usage: one line, and exit code 2. */
class UsageError extends Error {}

const OPTIONS = {
  token: { type: "string" },
  from: { type: "string" },
  to: { type: "string" },
  pages: { type: "string" },
  "pages-port": { type: "string" },
  fail: { type: "boolean" },
  get: { type: "boolean" },
  twilio: { type: "boolean" },
  json: { type: "boolean" },
  help: { type: "boolean" },
} as const;

type Values = { [Name in keyof typeof OPTIONS]?: (typeof OPTIONS)[Name]["type"] extends "string" ? string : boolean };

/** Runs a command; gives the exit code: 0 well, 1 the server or the document failed, 2 wrong usage. */
async function run(args: string[]): Promise<number> {
  const { values, command, target } = readArguments(args);
  if (values.help) return print(USAGE);
  if (command === "send" && target !== undefined) return send(target, values);
  if (command === "check" && target !== undefined) return check(target, Object.keys(values));
  throw new UsageError(
    "Say what to do: twiml-fax send URL --token TOKEN, or twiml-fax check FILE (--help tells more).",
  );
}

function readArguments(args: string[]): { values: Values; command: string | undefined; target: string | undefined } {
  try {
    const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
    const [command, target, more] = positionals;
    if (more !== undefined)
      throw new UsageError(`Leave out ${JSON.stringify(more)}: there is one URL or file at a time.`);
    return { values, command, target };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(String((error as Error).message).replaceAll("\n", " "));
  }
}

function print(text: string): number {
  process.stdout.write(text.endsWith("\n") ? text : text + "\n");
  return 0;
}

/** Colour on a terminal alone, and not where somebody does not want it: https://no-color.org */
const isColoured = process.stdout.isTTY === true && !process.env["NO_COLOR"];
const paint = (code: number, text: string): string => (isColoured ? `\u001b[${code}m${text}\u001b[0m` : text);
const green = (text: string): string => paint(32, text);
const red = (text: string): string => paint(31, text);
const bold = (text: string): string => paint(1, text);

async function check(file: string, options: string[]): Promise<number> {
  if (options[0] !== undefined) throw new UsageError(`Leave out --${options[0]}: check takes a file alone.`);
  const bytes = file === "-" ? await buffer(process.stdin) : readFile(file);
  if (!isUtf8(bytes)) {
    print(
      `${red("Wrong:")} ${file}: Save it as UTF-8: there are bytes in it that are none (the provider's error 12100)`,
    );
    return 1;
  }
  try {
    const verb = parseTwiml(bytes.toString("utf8"));
    return print(
      verb ? `${green("Well:")} ${toTwiml(verb)}` : `${green("Well:")} <Response/>, the answer to a callback.`,
    );
  } catch (error) {
    if (!(error instanceof TwimlError)) throw error;
    const number = error.providerError === undefined ? "" : ` (the provider's error ${error.providerError})`;
    print(`${red("Wrong:")} ${file}: ${error.message}${number}`);
    return 1;
  }
}

function readFile(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`Name a file that can be read: ${(error as Error).message}`);
  }
}

async function send(url: string, values: Values): Promise<number> {
  if (!values.token) throw new UsageError("Give the signing key or auth token: --token TOKEN.");
  const provider = createProvider(url, values, values.token);
  if (values["pages-port"] !== undefined && !values.pages)
    throw new UsageError("Give --pages as well: --pages-port is for them.");
  const pages = values.pages === undefined ? undefined : readPagesFile(values.pages);
  const store = pages && (await servePages(pages, values["pages-port"]));
  try {
    const fax: FaxToSend = {
      from: values.from,
      to: values.to,
      pages,
      outcome: values.fail ? "failed" : "received",
      method: values.get ? "GET" : "POST",
      mediaUrl: store?.url,
    };
    const transcript = await provider.sendFax(fax);
    if (store && wantsPages(transcript)) await store.fetched();
    print(values.json ? JSON.stringify(transcript, withoutBytes, 2) : formatTranscript(transcript));
    return transcript.outcome === "error" ? 1 : 0;
  } finally {
    store?.server.close();
    store?.server.closeAllConnections();
  }
}

function readPagesFile(file: string): Buffer {
  const pages = readFile(file);
  if (detectPagesType(pages) === undefined)
    throw new UsageError(`Name a PDF or TIFF: ${JSON.stringify(file)} is neither.`);
  return pages;
}

function createProvider(url: string, values: Values, authToken: string): ReturnType<typeof createFaxProvider> {
  try {
    return createFaxProvider({ url, authToken, flavor: values.twilio ? "twilio" : "signalwire" });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

interface Store {
  readonly server: Server;
  readonly url: string;
  /** Until the pages are fetched, or nobody came for them within a second. */
  fetched(): Promise<void>;
}

/** The pages at a loopback address, for as long as the conversation lasts, so that fetchMedia can be tried. */
async function servePages(pages: Buffer, port = "8127"): Promise<Store> {
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new UsageError(`--pages-port must be a number from 0 to 65535, not ${JSON.stringify(port)}.`);
  }
  let running: Promise<unknown> | undefined;
  const server = createServer((_, res) => {
    running ??= once(res, "close");
    res.end(pages);
  }).listen(Number(port), "127.0.0.1");
  await once(server, "listening").catch((error: Error) => {
    throw new UsageError(`Choose another --pages-port: ${error.message}`);
  });
  const fetched = async (): Promise<void> => {
    // Who answers before the pages are saved, as is right, fetches them a moment later.
    if (!running) await once(server, "request", { signal: AbortSignal.timeout(1000) }).catch(() => undefined);
    await running;
  };
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/fax`, fetched };
}

function wantsPages({ outcome, verb }: FaxTranscript): boolean {
  if (outcome !== "received" || verb?.verb !== "Receive") return false;
  return verb.attributes.action !== undefined && verb.attributes.storeMedia !== false;
}

/** The parameters and the type of the pages are there as text. */
function withoutBytes(name: string, value: unknown): unknown {
  if (name === "body" && value instanceof Object) return undefined;
  return name === "file" && value ? { type: (value as { type: string }).type } : value;
}

/** The conversation, to be read. */
function formatTranscript(transcript: FaxTranscript): string {
  const { faxSid, outcome, error, pagesLost, exchanges } = transcript;
  const lines = [bold(`Fax ${faxSid}`), ...exchanges.flatMap(formatExchange)];
  const end = outcome === "error" ? red(printable(`error ${error?.code}: ${error?.message}`)) : green(outcome);
  lines.push("", `${bold("Outcome")}  ${end}`);
  lines.push(`${bold("Pages")}    ${pagesLost ? red("lost: nobody has them") : formatPages(transcript)}`);
  if (exchanges.some(({ response }) => response?.status === 403)) lines.push("", ...ADVICE);
  return lines.join("\n");
}

/** Where the pages are at the end. */
function formatPages({ outcome, verb, exchanges }: FaxTranscript): string {
  if (outcome === "rejected") return "none were taken: the server rejected the fax";
  if (verb?.verb !== "Receive") return "none were taken: the server gave no usable answer";
  if (outcome === "failed") return "none came through";
  if (verb.attributes.action === undefined) return "kept by the provider; nobody was told, because there is no action";
  const told = exchanges.map(({ request }) => request).filter(({ params }) => "FaxStatus" in params);
  if (told.some(({ params }) => params["FaxStatus"] === "failed")) return "none came through";
  if (told.some(({ file }) => file)) return "delivered once, with the callback";
  const url = told.find(({ params }) => params["MediaUrl"])?.params["MediaUrl"];
  return url?.startsWith("http://127.0.0.1")
    ? `kept at ${url}`
    : `kept at ${url} (made up: --pages FILE serves real ones)`;
}

function formatExchange({ request, response, error, ms }: FaxExchange): string[] {
  const { method, url, headers, params, file } = request;
  const lines = ["", `${bold(method)} ${printable(url)}`];
  for (const name of Object.keys(headers).filter(isInteresting)) lines.push(printable(`  ${name}: ${headers[name]}`));
  for (const [name, value] of Object.entries(params)) lines.push(printable(`  ${name}=${value}`));
  if (file) lines.push(`  Media: ${file.bytes.length} bytes of ${file.type}`);
  if (response) {
    const { status, headers, body } = response;
    lines.push(`${bold("Answer")} ${status} ${printable(headers["content-type"] ?? "")} after ${ms} ms`);
    if (body) lines.push(printable(`  ${body.slice(0, 2000)}`));
  }
  if (error) lines.push(red(`  ${error.code}: ${printable(error.message)}`));
  return lines;
}

/** The headers by which two requests differ. */
function isInteresting(name: string): boolean {
  return /^(x-.*-signature|i-twilio-.*|cookie)$/.test(name);
}

/** What a terminal would obey is shown, not sent. */
function printable(text: string): string {
  return text.replace(/[^\n\t\x20-\x7e\xa0-\uffff]/g, "\ufffd");
}

const ADVICE = [
  "The server answered 403. Compare:",
  "  - the URL above with what the server verifies: set publicUrl to it when they differ",
  "  - --token with authToken: SignalWire's signing key (PSK_…), or Twilio's auth token",
  "  - what the server's onRefused, or its console, says",
];

// Whoever reads only the beginning closes the pipe.
process.stdout.on("error", (error: NodeJS.ErrnoException) =>
  process.exit(error.code === "EPIPE" ? process.exitCode : 1),
);

run(process.argv.slice(2)).then(
  (code) => void (process.exitCode = code),
  (error: unknown) => {
    console.error(error instanceof UsageError ? error.message : error);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  },
);
