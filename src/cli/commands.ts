/** The commands of `npx twiml-fax`: `send` tests a running server, `check` checks a document. */
import { isUtf8 } from "node:buffer";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { TwimlError } from "../shared/errors.js";
import { didYouMean, formatValue, optionError } from "../shared/messages.js";
import { createFaxProvider, type FaxProvider, type FaxTranscript } from "../testing/index.js";
import { parseTwiml } from "../twiml/document.js";
import { detectPagesType } from "../webhook/media.js";
import { formatTranscript, formatTranscriptAsJson, green, red } from "./transcript.js";

const USAGE = `Usage:
  twiml-fax send URL --token TOKEN   send a test fax to a running server, as a provider would
      --from NUMBER --to NUMBER      calling number ("" withholds it) and called number
      --pages FILE                   send this PDF or TIFF, served at 127.0.0.1 during the conversation
      --pages-port PORT              port of the pages, to be listed in the hosts of fetchMedia (default: 8127)
      --fail                         the fax fails, and no pages are received
      --get                          request the URL by GET
      --twilio                       imitate Twilio (default: SignalWire)
      --json                         print the transcript as JSON
  twiml-fax check FILE               check a TwiML document as strictly as a provider ("-": standard input)`;

/** A usage error: printed as one line, with exit code 2. */
export class UsageError extends Error {}

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

type Print = (text: string) => void;

/** Runs a command and returns the exit code: 0 success, 1 the server or document failed. Rejects with a UsageError. */
export async function runCommand(args: string[], print: Print): Promise<number> {
  const { values, positionals } = parseArguments(args);
  const [command, target, extra] = positionals;
  if (values.help) {
    print(USAGE);
    return 0;
  }
  if (extra !== undefined) throw new UsageError(`Unexpected argument ${formatValue(extra)}. Pass one URL or file.`);
  if (command === "send" && target !== undefined) return runSend(target, values, print);
  if (command === "check" && target !== undefined) return runCheck(target, values, print);
  throw new UsageError(`${formatCommandProblem(command)}. See twiml-fax --help.`);
}

function parseArguments(args: string[]): { values: OptionValues; positionals: string[] } {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(formatArgumentProblem((error as Error).message));
  }
}

/** The message of parseArgs in one line. For an unknown option, the nearest one replaces its advice. */
function formatArgumentProblem(message: string): string {
  const unknown = /^Unknown option '(-[^']*)'/.exec(message)?.[1];
  if (unknown === undefined) return message.replaceAll("\n", " ");
  const options = Object.keys(OPTIONS).map((name) => `--${name}`);
  return `Unknown option ${unknown}${didYouMean(unknown, options)}. See twiml-fax --help.`;
}

function formatCommandProblem(command: string | undefined): string {
  if (command === undefined) return "Missing command: send or check";
  if (command === "send") return "Missing URL: twiml-fax send URL --token TOKEN";
  if (command === "check") return "Missing file: twiml-fax check FILE";
  return `Unknown command ${formatValue(command)}${didYouMean(command, ["send", "check"])}`;
}

async function runCheck(file: string, values: OptionValues, print: Print): Promise<number> {
  const [option] = Object.keys(values);
  if (option !== undefined) throw new UsageError(`Unexpected option --${option}. check has no options.`);
  const problem = findProblem(file === "-" ? await buffer(process.stdin) : readFile(file));
  print(`${file}:${problem ?? ` ${green("OK")}`}`);
  return problem === undefined ? 0 : 1;
}

/** The position and error of an invalid document, in the format of compilers: "2:12: error 12200: …". */
function findProblem(bytes: Buffer): string | undefined {
  if (!isUtf8(bytes)) return ` ${red("error 12100:")} The document is not valid UTF-8. Save it as UTF-8.`;
  try {
    parseTwiml(bytes.toString("utf8"));
    return undefined;
  } catch (error) {
    if (!(error instanceof TwimlError)) throw error;
    const { line, column, code, providerError = code } = error;
    const position = line === undefined ? "" : `${line}:${column}:`;
    const message = error.message.replace(/^Line \d+, column \d+: /, "");
    return `${position} ${red(`error ${providerError}:`)} ${message}`;
  }
}

function readFile(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const [reason] = (error as Error).message.split(",", 1);
    throw new UsageError(`Cannot read ${JSON.stringify(file)}: ${reason}.`);
  }
}

async function runSend(url: string, values: OptionValues, print: Print): Promise<number> {
  if (!values.token) throw new UsageError("Missing --token TOKEN. Pass the signing key or auth token.");
  const provider = createProvider(url, values, values.token);
  if (values["pages-port"] !== undefined && !values.pages) {
    throw new UsageError("--pages-port requires --pages FILE. Without it, no pages are served.");
  }
  const pages = values.pages === undefined ? undefined : readPagesFile(values.pages);
  const server = pages && (await servePages(pages, values["pages-port"]));
  try {
    const transcript = await sendFax(provider, values, pages, server?.url);
    if (server && isDownloadExpected(transcript)) await server.waitForDownload();
    print(values.json ? formatTranscriptAsJson(transcript) : formatTranscript(transcript));
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
  throw new UsageError(`${JSON.stringify(file)} is neither a PDF nor a TIFF. Pass one of them as --pages.`);
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
  /** Resolves after the download of the pages, or if no download starts within a second. */
  waitForDownload(): Promise<void>;
  close(): void;
}

/** Serves the pages at a loopback address during the conversation, so that users can try fetchMedia. */
async function servePages(pages: Buffer, port = "8127"): Promise<PagesServer> {
  let download: Promise<unknown> | undefined;
  const server = createServer((_, res) => {
    download ??= once(res, "close");
    res.end(pages);
  }).listen(parsePort(port), "127.0.0.1");
  await once(server, "listening").catch((error: unknown) => {
    throw new UsageError(`Cannot serve the pages: ${(error as Error).message}. Choose another --pages-port.`);
  });
  const waitForDownload = async (): Promise<void> => {
    // A handler that responds first and saves the pages later, as it should, starts the download a moment later.
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
  throw new UsageError(optionError("--pages-port", "an integer from 0 to 65535", port).message);
}

/** Whether the server received the URL of the pages. */
function isDownloadExpected({ outcome, verb }: FaxTranscript): boolean {
  if (outcome !== "received" || verb?.verb !== "Receive") return false;
  return verb.attributes.action !== undefined && verb.attributes.storeMedia !== false;
}
