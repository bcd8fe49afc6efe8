/** The commands of `npx twiml-fax`: `send` tests a running server, `check` checks a document. */
import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { buffer } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { TwimlError } from "../shared/errors.js";
import { didYouMean, formatValue, optionError } from "../shared/messages.js";
import { createFaxProvider, type FaxProvider, type FaxToSend, type FaxTranscript } from "../testing/index.js";
import { parseTwiml } from "../twiml/document.js";
import { detectPagesType } from "../webhook/media.js";
import { type PagesServer, startPagesServer } from "./pages-server.js";
import {
  escapeControls,
  formatAsJson,
  formatDownload,
  formatOutcome,
  formatTimeline,
  green,
  red,
} from "./transcript.js";

const USAGE = `Usage:
  twiml-fax send URL --token TOKEN   send a test fax to a running server, as a provider would
      --from NUMBER --to NUMBER      calling number ("" withholds it) and called number
      --pages FILE                   send this PDF or TIFF (default: a sample page)
      --pages-port PORT              serve the pages at 127.0.0.1:PORT, for the hosts of fetchMedia (default: 8127)
      --param NAME=VALUE             add or replace a parameter; can be repeated
      --fail                         the fax fails, and no pages are received
      --get                          request the URL by GET
      --twilio                       imitate Twilio (default: SignalWire)
      --json                         print the transcript as JSON
  twiml-fax check FILE               check a TwiML document as strictly as a provider ("-": standard input)
  twiml-fax --version                print the version`;

/** A usage error: printed as one line, with exit code 2. */
export class UsageError extends Error {}

const OPTIONS = {
  token: { type: "string" },
  from: { type: "string" },
  to: { type: "string" },
  pages: { type: "string" },
  "pages-port": { type: "string" },
  param: { type: "string", multiple: true },
  fail: { type: "boolean" },
  get: { type: "boolean" },
  twilio: { type: "boolean" },
  json: { type: "boolean" },
  help: { type: "boolean" },
  version: { type: "boolean" },
} as const;

type OptionValues = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];

type Print = (text: string) => void;

/** Runs a command and returns the exit code: 0 success, 1 the server or document failed. Rejects with a UsageError. */
export async function runCommand(args: string[], print: Print, version = ""): Promise<number> {
  const { values, positionals } = parseArguments(args);
  const [command, target, extra] = positionals;
  if (values.help || values.version) {
    print(values.help ? USAGE : version);
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

/** The message of parseArgs on one line. For an unknown option, our suggestion replaces the advice of parseArgs. */
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
  print(`${escapeControls(file)}:${problem ?? ` ${green("OK")}`}`);
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
    return `${position} ${red(`error ${providerError}:`)} ${escapeControls(message)}`;
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
  const fax = createFax(values);
  const arePagesServed = !values.fail && fax.params?.["MediaUrl"] === undefined;
  const server = arePagesServed ? await servePages(provider, values["pages-port"]) : undefined;
  try {
    if (server) server.start = performance.now();
    const transcript = await sendFax(provider, { ...fax, mediaUrl: server?.mediaUrl });
    if (values.json) {
      if (isDownloadExpected(transcript)) await server?.waitForDownload();
      print(formatAsJson(transcript, server));
    } else {
      await printTranscript(transcript, server, print);
    }
    return transcript.outcome === "error" ? 1 : 0;
  } finally {
    server?.close();
  }
}

/** Prints the timeline before it waits for a download, so that the user does not wait without any output. */
async function printTranscript(
  transcript: FaxTranscript,
  server: PagesServer | undefined,
  print: Print,
): Promise<void> {
  print(formatTimeline(transcript.exchanges, server));
  if (server && isDownloadExpected(transcript)) {
    const shown = server.downloads.length;
    if (shown === 0) print("          Waiting up to 10 s for the server to fetch the pages");
    await server.waitForDownload();
    for (const download of server.downloads.slice(shown)) print(formatDownload(download, server.mediaUrl));
  }
  print(formatOutcome(transcript, server));
}

function createProvider(url: string, values: OptionValues, authToken: string): FaxProvider {
  try {
    return createFaxProvider({ url, authToken, flavor: values.twilio ? "twilio" : "signalwire" });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function createFax({ from, to, pages, fail, get, param = [] }: OptionValues): FaxToSend {
  const params = Object.fromEntries(param.map(parseParam));
  const outcome = fail ? "failed" : undefined;
  const file = pages === undefined ? undefined : readPagesFile(pages);
  return { from, to, params, method: get ? "GET" : "POST", outcome, pages: file };
}

function parseParam(text: string): [name: string, value: string] {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new UsageError(optionError("--param", "NAME=VALUE", text).message);
}

function readPagesFile(file: string): Buffer {
  const pages = readFile(file);
  if (detectPagesType(pages) !== undefined) return pages;
  throw new UsageError(`${JSON.stringify(file)} is neither a PDF nor a TIFF. Pass one of them as --pages.`);
}

/** Sends the fax. The provider rejects only for invalid parameters. */
async function sendFax(provider: FaxProvider, fax: FaxToSend): Promise<FaxTranscript> {
  return provider.sendFax(fax).catch((error: unknown) => {
    throw new UsageError((error as Error).message);
  });
}

async function servePages(provider: FaxProvider, port = "8127"): Promise<PagesServer> {
  return startPagesServer(provider, parsePort(port)).catch((error: unknown) => {
    throw new UsageError(`Cannot serve the pages: ${(error as Error).message}. Choose another --pages-port.`);
  });
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
