#!/usr/bin/env node
/** The command line: `npx twiml-fax send URL` imitates a provider, `npx twiml-fax check FILE` checks a document. */
import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { TwimlError } from "./shared/errors.js";
import { createFaxProvider, type FaxExchange, type FaxProvider, type FaxTranscript } from "./testing/index.js";
import { parseTwiml } from "./twiml/document.js";
import { toTwiml } from "./twiml/response.js";
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

/** A usage error: printed as one line, with exit code 2. */
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

type OptionValues = {
  [Name in keyof typeof OPTIONS]?: (typeof OPTIONS)[Name]["type"] extends "string" ? string : boolean;
};

interface Arguments {
  readonly values: OptionValues;
  readonly command: string | undefined;
  readonly target: string | undefined;
}

/** Runs a command and returns the exit code: 0 success, 1 the server or document failed, 2 usage error. */
async function runCommand(args: string[]): Promise<number> {
  const { values, command, target } = readArguments(args);
  if (values.help) {
    print(USAGE);
    return 0;
  }
  if (command === "send" && target !== undefined) return runSend(target, values);
  if (command === "check" && target !== undefined) return runCheck(target, values);
  throw new UsageError(
    "Say what to do: twiml-fax send URL --token TOKEN, or twiml-fax check FILE (--help tells more).",
  );
}

function readArguments(args: string[]): Arguments {
  const { values, positionals } = parseArguments(args);
  const [command, target, extra] = positionals;
  if (extra === undefined) return { values, command, target };
  throw new UsageError(`Leave out ${JSON.stringify(extra)}: there is one URL or file at a time.`);
}

function parseArguments(args: string[]): { values: OptionValues; positionals: string[] } {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(String((error as Error).message).replaceAll("\n", " "));
  }
}

function print(text: string): void {
  process.stdout.write(text.endsWith("\n") ? text : text + "\n");
}

/** Colors only on a terminal, and not if the user disabled them: https://no-color.org */
const isColorEnabled = process.stdout.isTTY === true && !process.env["NO_COLOR"];
const color = (code: number, text: string): string => (isColorEnabled ? `\u001b[${code}m${text}\u001b[0m` : text);
const green = (text: string): string => color(32, text);
const red = (text: string): string => color(31, text);
const bold = (text: string): string => color(1, text);

async function runCheck(file: string, values: OptionValues): Promise<number> {
  const [option] = Object.keys(values);
  if (option !== undefined) throw new UsageError(`Leave out --${option}: check takes a file alone.`);
  const result = checkDocument(file === "-" ? await buffer(process.stdin) : readFile(file));
  print(result.isValid ? `${green("Well:")} ${result.text}` : `${red("Wrong:")} ${file}: ${result.text}`);
  return result.isValid ? 0 : 1;
}

/** The text of the result: the document as this library writes it, or the error. */
function checkDocument(bytes: Buffer): { isValid: boolean; text: string } {
  if (!isUtf8(bytes)) {
    const text = "Save it as UTF-8: there are bytes in it that are none (the provider's error 12100)";
    return { isValid: false, text };
  }
  try {
    const verb = parseTwiml(bytes.toString("utf8"));
    return { isValid: true, text: verb ? toTwiml(verb) : "<Response/>, the answer to a callback." };
  } catch (error) {
    if (!(error instanceof TwimlError)) throw error;
    const code = error.providerError === undefined ? "" : ` (the provider's error ${error.providerError})`;
    return { isValid: false, text: error.message + code };
  }
}

function readFile(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`Name a file that can be read: ${(error as Error).message}`);
  }
}

async function runSend(url: string, values: OptionValues): Promise<number> {
  if (!values.token) throw new UsageError("Give the signing key or auth token: --token TOKEN.");
  const provider = createProvider(url, values, values.token);
  if (values["pages-port"] !== undefined && !values.pages) {
    throw new UsageError("Give --pages as well: --pages-port is for them.");
  }
  const pages = values.pages === undefined ? undefined : readPagesFile(values.pages);
  const server = pages && (await servePages(pages, values["pages-port"]));
  try {
    const transcript = await sendFax(provider, values, pages, server?.url);
    if (server && isDownloadExpected(transcript)) await server.waitForDownload();
    print(values.json ? JSON.stringify(transcript, omitBytes, 2) : formatTranscript(transcript));
    return transcript.outcome === "error" ? 1 : 0;
  } finally {
    server?.close();
  }
}

function createProvider(url: string, values: OptionValues, authToken: string): FaxProvider {
  try {
    return createFaxProvider({ url, authToken, flavor: values.twilio ? "twilio" : "signalwire" });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function readPagesFile(file: string): Buffer {
  const pages = readFile(file);
  if (detectPagesType(pages) !== undefined) return pages;
  throw new UsageError(`Name a PDF or TIFF: ${JSON.stringify(file)} is neither.`);
}

function sendFax(
  provider: FaxProvider,
  { from, to, fail, get }: OptionValues,
  pages: Buffer | undefined,
  mediaUrl: string | undefined,
): Promise<FaxTranscript> {
  const outcome = fail ? "failed" : "received";
  return provider.sendFax({ from, to, pages, outcome, method: get ? "GET" : "POST", mediaUrl });
}

interface PagesServer {
  readonly url: string;
  /** Resolves once the pages are downloaded, or if no download starts within a second. */
  waitForDownload(): Promise<void>;
  close(): void;
}

/** Serves the pages at a loopback address until the conversation ends, so that fetchMedia can be tried. */
async function servePages(pages: Buffer, port = "8127"): Promise<PagesServer> {
  let download: Promise<unknown> | undefined;
  const server = createServer((_, res) => {
    download ??= once(res, "close");
    res.end(pages);
  }).listen(parsePort(port), "127.0.0.1");
  await once(server, "listening").catch((error: Error) => {
    throw new UsageError(`Choose another --pages-port: ${error.message}`);
  });
  const waitForDownload = async (): Promise<void> => {
    // A handler that answers first and saves the pages later, as it should, starts the download a moment later.
    if (!download) await once(server, "request", { signal: AbortSignal.timeout(1000) }).catch(() => undefined);
    await download;
  };
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/fax`, waitForDownload, close };
}

function parsePort(port: string): number {
  if (/^\d{1,5}$/.test(port) && Number(port) <= 65_535) return Number(port);
  throw new UsageError(`--pages-port must be a number from 0 to 65535, not ${JSON.stringify(port)}.`);
}

/** Whether the server was given the URL of the pages. */
function isDownloadExpected({ outcome, verb }: FaxTranscript): boolean {
  if (outcome !== "received" || verb?.verb !== "Receive") return false;
  return verb.attributes.action !== undefined && verb.attributes.storeMedia !== false;
}

/** A JSON replacer: omits the bytes of body and file, because the parameters and the file's type are in the text. */
function omitBytes(name: string, value: unknown): unknown {
  if (name === "body" && value instanceof Object) return undefined;
  return name === "file" && value ? { type: (value as { type: string }).type } : value;
}

/** The conversation as text. */
function formatTranscript(transcript: FaxTranscript): string {
  const { faxSid, outcome, error, pagesLost, exchanges } = transcript;
  const result = outcome === "error" ? red(replaceControls(`error ${error?.code}: ${error?.message}`)) : green(outcome);
  const isForbidden = exchanges.some(({ response }) => response?.status === 403);
  return [
    bold(`Fax ${faxSid}`),
    ...exchanges.flatMap(formatExchange),
    "",
    `${bold("Outcome")}  ${result}`,
    `${bold("Pages")}    ${pagesLost ? red("lost: nobody has them") : formatPages(transcript)}`,
    ...(isForbidden ? ["", ...FORBIDDEN_HINT] : []),
  ].join("\n");
}

/** The location of the pages at the end of the conversation. */
function formatPages({ outcome, verb, exchanges }: FaxTranscript): string {
  if (outcome === "rejected") return "none were taken: the server rejected the fax";
  if (verb?.verb !== "Receive") return "none were taken: the server gave no usable answer";
  if (outcome === "failed") return "none came through";
  if (verb.attributes.action === undefined) return "kept by the provider; nobody was told, because there is no action";
  const callbacks = exchanges.map(({ request }) => request).filter(({ params }) => "FaxStatus" in params);
  if (callbacks.some(({ params }) => params["FaxStatus"] === "failed")) return "none came through";
  if (callbacks.some(({ file }) => file)) return "delivered once, with the callback";
  const url = callbacks.find(({ params }) => params["MediaUrl"])?.params["MediaUrl"];
  const isServedHere = url?.startsWith("http://127.0.0.1");
  return isServedHere ? `kept at ${url}` : `kept at ${url} (made up: --pages FILE serves real ones)`;
}

function formatExchange({ request, response, error, ms }: FaxExchange): string[] {
  const lines = ["", ...formatRequest(request)];
  if (response) {
    const { status, headers, body } = response;
    lines.push(`${bold("Answer")} ${status} ${replaceControls(headers["content-type"] ?? "")} after ${ms} ms`);
    if (body) lines.push(replaceControls(`  ${body.slice(0, 2000)}`));
  }
  if (error) lines.push(red(`  ${error.code}: ${replaceControls(error.message)}`));
  return lines;
}

function formatRequest({ method, url, headers, params, file }: FaxExchange["request"]): string[] {
  const interesting = Object.entries(headers).filter(([name]) => isInteresting(name));
  return [
    `${bold(method)} ${replaceControls(url)}`,
    ...interesting.map(([name, value]) => replaceControls(`  ${name}: ${value}`)),
    ...Object.entries(params).map(([name, value]) => replaceControls(`  ${name}=${value}`)),
    ...(file ? [`  Media: ${file.bytes.length} bytes of ${file.type}`] : []),
  ];
}

/** Whether requests differ in this header. */
function isInteresting(name: string): boolean {
  return /^(x-.*-signature|i-twilio-.*|cookie)$/.test(name);
}

/** Replaces control characters, so that a response cannot control the terminal. */
function replaceControls(text: string): string {
  return text.replace(/[^\n\t\x20-\x7e\xa0-\uffff]/g, "\ufffd");
}

const FORBIDDEN_HINT = [
  "The server answered 403. Compare:",
  "  - the URL above with what the server verifies: set publicUrl to it when they differ",
  "  - --token with authToken: SignalWire's signing key (PSK_…), or Twilio's auth token",
  "  - what the server's onRefused, or its console, says",
];

// `| head` closes the pipe early.
process.stdout.on("error", (error: NodeJS.ErrnoException) =>
  process.exit(error.code === "EPIPE" ? process.exitCode : 1),
);

runCommand(process.argv.slice(2)).then(
  (code) => void (process.exitCode = code),
  (error: unknown) => {
    console.error(error instanceof UsageError ? error.message : error);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  },
);
