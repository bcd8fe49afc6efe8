/** The servers in docs/examples/ that users copy, each in a process, over real HTTP with the published provider. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { writeFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { createFaxProvider } from "twiml-fax/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { freePort } from "./free-port.mjs";
import { portOf } from "./servers/listen.js";

const root = join(import.meta.dirname, "..");
const examples = join(root, "docs/examples");
const PAGES = new TextEncoder().encode("%PDF-1.4 the pages of a test");
const TOKEN = "PSK_test";

/** The provider's storage. `respond` decides about each request. */
let respond: (response: ServerResponse) => unknown;
let requests = 0;
const storage = createServer((_, response) => {
  requests++;
  respond(response);
}).listen(0, "127.0.0.1");
const sendPages = (response: ServerResponse) => response.end(PAGES);

/** A request that waits until the test responds to it. */
function holdNextRequest(): Promise<ServerResponse> {
  return new Promise((resolve) => (respond = resolve));
}

let project: string;
let mediaUrl: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  expect(existsSync(join(root, "dist/index.js")), "run npm run build first").toBe(true);
  mediaUrl = `http://127.0.0.1:${await portOf(storage)}/1`;
  project = mkdtempSync(join(tmpdir(), "twiml-fax-servers-"));
  mkdirSync(join(project, "node_modules"));
  symlinkSync(root, join(project, "node_modules/twiml-fax"), "junction");
  for (const name of ["server.mjs", "server.cjs", "queue.mjs"]) cpSync(join(examples, name), join(project, name));
  const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  const { outputText } = ts.transpileModule(readExample("server.ts"), { compilerOptions: options });
  writeFileSync(join(project, "server.ts.mjs"), outputText);
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  rmSync(join(project, "faxes"), { recursive: true, force: true });
  respond = sendPages;
  requests = 0;
});
afterAll(() => {
  storage.close();
  storage.closeAllConnections();
  rmSync(project, { recursive: true, force: true });
});

const readExample = (name: string) => readFileSync(join(examples, name), "utf8");

interface RunningServer {
  readonly child: ChildProcess;
  readonly url: string;
  readonly provider: ReturnType<typeof createFaxProvider>;
  /** Everything that the server has printed. */
  readonly output: { text: string };
  /** Resolves when the output contains the text. */
  prints(text: string): Promise<void>;
}

async function startServer(file: string, settings: Record<string, string> = {}): Promise<RunningServer> {
  const { PUBLIC_URL: _, HOST: __, ...inherited } = process.env;
  const port = String(await freePort());
  const env = { ...inherited, FAX_AUTH_TOKEN: TOKEN, PORT: port, MEDIA_HOSTS: new URL(mediaUrl).host, ...settings };
  const child = spawn(process.execPath, [file], { cwd: project, env, stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  const output = { text: "" };
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output.text += String(data)));
  const prints = (text: string) => vi.waitFor(() => expect(output.text).toContain(text), { timeout: 20_000 });
  await prints("waiting for faxes at ");
  const url = `http://127.0.0.1:${port}/fax`;
  return { child, url, provider: createFaxProvider({ url, authToken: TOKEN }), output, prints };
}

/** The exit code of a server after SIGTERM. */
async function terminate({ child }: RunningServer): Promise<unknown> {
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  return (await exit)[0];
}

const getFiles = () => (existsSync(join(project, "faxes")) ? readdirSync(join(project, "faxes")) : []);
const readPages = (faxSid: string) => new Uint8Array(readFileSync(join(project, `faxes/${faxSid}.pdf`)));

describe("the variants of the first example", () => {
  it.each(["server.mjs", "server.ts.mjs", "server.cjs"])("%s has the pages on disk before its 200", async (file) => {
    respond = sendPages;
    const { provider, output, prints } = await startServer(file);
    const { outcome, faxSid } = await provider.sendFax({ mediaUrl });
    expect([outcome, readPages(faxSid), getFiles()]).toEqual(["received", PAGES, [`${faxSid}.pdf`]]);
    await prints(`saved faxes/${faxSid}.pdf`);
    expect(output.text.split("\n").slice(1, 3)).toEqual([`fax ${faxSid}: received`, `saved faxes/${faxSid}.pdf`]);
  });

  it("server.ts is server.mjs with types", () => {
    const withoutTypes = readExample("server.ts")
      .replace("{ type FaxCallback, receive, reject }", "{ receive, reject }")
      .replace(
        "async function save(callback: FaxCallback): Promise<void> {",
        '/** @param {import("twiml-fax").FaxCallback} callback */\nasync function save(callback) {',
      );
    expect(withoutTypes).toBe(readExample("server.mjs"));
  });

  it("server.cjs is server.mjs with require", () => {
    const withImport = readExample("server.cjs").replace(/^const (.*) = require\((.*)\);$/gm, "import $1 from $2;");
    expect(withImport).toBe(readExample("server.mjs"));
  });
});

describe("the first example", () => {
  it("saves pages that are late", async () => {
    const { provider } = await startServer("server.mjs");
    respond = (response) => {
      response.writeHead(404).end();
      respond = sendPages;
    };
    const { outcome, faxSid } = await provider.sendFax({ mediaUrl });
    expect([outcome, readPages(faxSid), requests]).toEqual(["received", PAGES, 2]);
  });

  it("saves once for five callbacks at the same time", async () => {
    const { provider, output } = await startServer("server.mjs");
    const held = holdNextRequest();
    const parameters = { FaxSid: "FX-five", FaxStatus: "received", MediaUrl: mediaUrl };
    const sent = Array.from({ length: 5 }, async () => fetch(await provider.callback(parameters)));
    sendPages(await held);
    expect((await Promise.all(sent)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect([requests, getFiles(), output.text.match(/^saved /gm)]).toEqual([1, ["FX-five.pdf"], ["saved "]]);
  });

  it("reports a failed fax, and saves nothing", async () => {
    const { provider, prints } = await startServer("server.mjs");
    const { outcome, faxSid } = await provider.sendFax({ outcome: "failed", mediaUrl });
    await prints(`fax ${faxSid}: failed\n`);
    await prints(`NO PAGES: ${faxSid} failed The sending machine hung up.\n`);
    expect([outcome, requests, getFiles()]).toEqual(["failed", 0, []]);
  });

  it("responds with 500 if the pages cannot be saved, and saves them at the next callback", async () => {
    const { provider, prints } = await startServer("server.mjs");
    writeFileSync(join(project, "faxes"), "not a folder");
    const parameters = { FaxSid: "FX-again", FaxStatus: "received", MediaUrl: mediaUrl };
    expect((await fetch(await provider.callback(parameters))).status).toBe(500);
    await prints("EEXIST");
    rmSync(join(project, "faxes"));
    expect((await fetch(await provider.callback(parameters))).status).toBe(200);
    expect(readPages("FX-again")).toEqual(PAGES);
  });

  it("after SIGTERM, refuses connections, finishes the running callback, and exits with code 0", async () => {
    const server = await startServer("server.mjs");
    const held = holdNextRequest();
    const sending = server.provider.sendFax({ mediaUrl });
    const response = await held;
    const exit = terminate(server);
    await vi.waitFor(() => expect(fetch(server.url)).rejects.toThrow());
    sendPages(response);
    const { outcome, faxSid } = await sending;
    expect([outcome, readPages(faxSid), await exit]).toEqual(["received", PAGES, 0]);
  });

  it("after SIGTERM, finishes a callback whose client has disconnected", async () => {
    const server = await startServer("server.mjs");
    const held = holdNextRequest();
    const client = new AbortController();
    const parameters = { FaxSid: "FX-gone", FaxStatus: "received", MediaUrl: mediaUrl };
    const sending = fetch(await server.provider.callback(parameters), { signal: client.signal });
    const response = await held;
    client.abort();
    await expect(sending).rejects.toThrow();
    const exit = terminate(server);
    setTimeout(sendPages, 300, response);
    expect([await exit, readPages("FX-gone")]).toEqual([0, PAGES]);
  });

  it.each([
    [{}, "127.0.0.1"],
    [{ PUBLIC_URL: "https://fax.example.com/fax" }, "0.0.0.0"],
    [{ PUBLIC_URL: "https://fax.example.com/fax", HOST: "127.0.0.1" }, "127.0.0.1"],
  ])("with %j, listens at %s", async (settings, host) => {
    const { output } = await startServer("server.mjs", settings);
    expect(output.text).toMatch(`waiting for faxes at http://${host}:`);
  });
});

describe("the example with a queue", () => {
  it("responds before the pages are saved, and saves them afterwards", async () => {
    const { provider, prints } = await startServer("queue.mjs");
    const held = holdNextRequest();
    const { outcome, faxSid } = await provider.sendFax({ mediaUrl });
    expect([outcome, existsSync(join(project, `faxes/${faxSid}.pdf`))]).toEqual(["received", false]);
    sendPages(await held);
    await prints(`saved faxes/${faxSid}.pdf`);
    expect([readPages(faxSid), readdirSync(join(project, "faxes/queue"))]).toEqual([PAGES, []]);
  });

  it.each(["SIGKILL", "SIGTERM"] as const)("after %s, saves the remaining faxes at the next start", async (signal) => {
    const server = await startServer("queue.mjs");
    const held = holdNextRequest();
    const first = await server.provider.sendFax({ mediaUrl });
    const second = await server.provider.sendFax({ mediaUrl });
    const response = await held;
    const exit = once(server.child, "exit");
    server.child.kill(signal);
    respond = sendPages;
    if (signal === "SIGTERM") setTimeout(sendPages, 300, response);
    expect(await exit).toEqual(signal === "SIGTERM" ? [0, null] : [null, "SIGKILL"]);
    expect(getFiles().filter((name) => name.endsWith(".pdf"))).toHaveLength(signal === "SIGTERM" ? 1 : 0);

    const { prints } = await startServer("queue.mjs");
    await prints("saved ");
    await vi.waitFor(() => expect(readdirSync(join(project, "faxes/queue"))).toEqual([]), { timeout: 10_000 });
    expect([readPages(first.faxSid), readPages(second.faxSid)]).toEqual([PAGES, PAGES]);
  });

  it("reports a failed fax, and puts nothing in the queue", async () => {
    const { provider, prints } = await startServer("queue.mjs");
    const { outcome, faxSid } = await provider.sendFax({ outcome: "failed" });
    await prints(`NO PAGES: ${faxSid} failed The sending machine hung up.\n`);
    expect([outcome, readdirSync(join(project, "faxes/queue"))]).toEqual(["failed", []]);
  });
});
