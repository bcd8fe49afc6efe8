/** The command line, run as a separate process against real servers. */
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { receive, reject } from "../src/index.js";
import { faxWebhook, type FaxWebhookOptions, fetchMedia } from "../src/webhook/index.js";

const cli = join(import.meta.dirname, "../dist/cli.js");
const folder = mkdtempSync(join(tmpdir(), "twiml-fax-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(args: string[], input = ""): Promise<Result> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [cli, ...args], (error, out, err) => {
      resolve({ code: error ? Number(error.code) : 0, out, err });
    });
    child.stdin!.end(input);
  });
}

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function serve(options: Partial<FaxWebhookOptions>): Promise<string> {
  const webhook = faxWebhook({
    authToken: "PSK_test",
    onRefused() {},
    onCallback() {},
    ...options,
  } as FaxWebhookOptions);
  const server = createServer(webhook.node).listen(0, "127.0.0.1");
  servers.push(server);
  await new Promise((resolve) => server.once("listening", resolve));
  return `http://127.0.0.1:${(server.address() as { port: number }).port}/fax`;
}

describe("twiml-fax usage errors", () => {
  it.each([
    [[], "Say what to do"],
    [["send"], "Say what to do"],
    [["send", "http://127.0.0.1/"], "--token"],
    [["send", "/fax", "--token", "t"], "url must be"],
    [["send", "http://127.0.0.1/", "--tokn", "t"], "--tokn"],
    [["check", "a", "b"], "one URL or file"],
    [["check", "/no/such/file"], "Name a file"],
    [["check", "x", "--json"], "Leave out --json"],
    [["check", "x", "--token", "t"], "Leave out --token"],
    [["send", "http://127.0.0.1/", "--token", "t", "--pages", import.meta.filename], "Name a PDF or TIFF"],
    [["send", "http://127.0.0.1/", "--token", "t", "--pages-port", "1"], "Give --pages as well"],
    [["dial", "x"], "Say what to do"],
  ])("twiml-fax %j prints one line and exits with 2", async (args, message) => {
    const { code, out, err } = await run(args);
    expect([code, out, err.trim().split("\n").length]).toEqual([2, "", 1]);
    expect(err).toContain(message);
  });
});

describe("twiml-fax in a pipe", () => {
  it("exits without an error if the reader closes the pipe", async () => {
    const child = spawn(process.execPath, [cli, "check", "-"], { stdio: ["pipe", "pipe", "pipe"] });
    child.stdout.destroy();
    let err = "";
    child.stderr.on("data", (data) => (err += data));
    child.stdin.end("<Response/>");
    await new Promise((resolve) => child.once("close", resolve));
    expect(err).toBe("");
  });
});

describe("twiml-fax send --pages-port", () => {
  it.each([
    [() => "x", "must be a number from 0 to 65535"],
    [(url: string) => new URL(url).port, "Choose another --pages-port: listen EADDRINUSE"],
  ])("prints one line and exits with 2 for an unusable port", async (port, message) => {
    const url = await serve({ onFax: () => reject() });
    const pages = ["--pages", file("port.pdf", "%PDF-1.4"), "--pages-port", port(url)];
    const { code, err } = await run(["send", url, "--token", "PSK_test", ...pages]);
    expect([code, err.trim().split("\n").length]).toEqual([2, 1]);
    expect(err).toContain(message);
  });
});

describe("twiml-fax check", () => {
  it("check reports bytes that are not UTF-8", async () => {
    const { code, out } = await run([
      "check",
      file("latin1.xml", Buffer.from("<Response><!--\xe9--></Response>", "latin1")),
    ]);
    expect([code, out]).toEqual([1, expect.stringContaining("error 12100")]);
  });

  it("check reports line, column and the provider's error code", async () => {
    const { code, out } = await run(["check", file("bin.xml", '<Response>\n  <Receive pagesize="a4"/>\n</Response>')]);
    expect(code).toBe(1);
    expect(out).toMatch(/bin\.xml: Line 2, column 12: .*did you mean "pageSize".*error 12200\)\n$/);
    expect(out).not.toContain("\u001b");
  });

  it("check accepts a document from standard input", async () => {
    expect(await run(["check", "-"], "<Response><Reject/></Response>")).toMatchObject({ code: 0, err: "" });
    expect((await run(["check", "-"], "<Response/>")).out).toContain("the answer to a callback");
  });
});

describe("twiml-fax send", () => {
  it("send prints the conversation", async () => {
    const url = await serve({ onFax: () => receive({ action: "fax" }) });
    const { code, out } = await run(["send", url, "--token", "PSK_test", "--from", ""]);
    expect(code).toBe(0);
    for (const part of [
      `POST ${url}`,
      "  x-signalwire-signature: ",
      "From=\n",
      "Answer 200 text/xml",
      "<Receive",
      "FaxStatus=received",
      "Outcome  received",
    ]) {
      expect(out).toContain(part);
    }
    expect(out).toMatch(/Pages +kept at https:/);
    expect(out).not.toContain("\u001b");
  });

  it("send prints a rejected fax (--twilio) and a failed one (--get --fail)", async () => {
    const rejecting = await serve({ onFax: () => reject() });
    expect((await run(["send", rejecting, "--token", "PSK_test", "--twilio"])).out).toContain("rejected");
    const url = await serve({ onFax: () => receive({ action: "fax" }) });
    const { code, out } = await run(["send", url, "--token", "PSK_test", "--get", "--fail"]);
    expect([code, out.includes("Outcome  failed"), out.includes("GET http")]).toEqual([0, true, true]);
  });

  it("send prints what to compare if the server responds with 403", async () => {
    const url = await serve({ onFax: () => reject() });
    const { code, out } = await run(["send", url, "--token", "guessed"]);
    expect(code).toBe(1);
    expect(out).toContain("error 11217");
    expect(out).toContain("set publicUrl");
  });

  it("send --json prints the transcript", async () => {
    const url = await serve({ onFax: () => reject() });
    const { out } = await run(["send", url, "--token", "PSK_test", "--json"]);
    const transcript: unknown = JSON.parse(out);
    expect(out).not.toMatch(/"body": \{/);
    expect(transcript).toMatchObject({
      outcome: "rejected",
      verb: { verb: "Reject" },
      exchanges: [{ response: { status: 200 } }],
    });
  });

  it("send waits for a download that has started, and not if none will start", async () => {
    let size = 0;
    const url = await serve({
      onFax: (fax) => receive(fax.from === "" ? {} : { action: "fax" }),
      onCallback: (callback) => {
        void fetch(callback.mediaUrl!).then(async ({ body }) => {
          for await (const chunk of body!) {
            size += (chunk as Uint8Array).length;
            if (size < 1 << 20) await new Promise((resolve) => setTimeout(resolve, 30));
          }
        });
      },
    });
    const pages = file("large.pdf", Buffer.concat([Buffer.from("%PDF-1.4"), Buffer.alloc(8 << 20)]));
    const args = ["send", url, "--token", "PSK_test", "--pages", pages, "--pages-port", "0"];
    expect((await run(args)).code).toBe(0);
    await vi.waitFor(() => expect(size).toBe((8 << 20) + 8));
    expect((await run([...args, "--from", ""])).out).toContain("nobody was told");
  });

  it("send replaces control characters of a response", async () => {
    const body = "\u009b31m<Response/>\u001b[8m";
    const server = createServer((_, res) => res.writeHead(500, { "content-type": "text/plain" }).end(body));
    servers.push(server.listen(0, "127.0.0.1"));
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    const { code, out } = await run(["send", `http://127.0.0.1:${port}/`, "--token", "t"]);
    expect(code).toBe(1);
    expect(out).not.toMatch(/[\u009b\u001b]/);
    expect(out).toContain("\ufffd31m<Response/>\ufffd[8m");
  });

  it.each([true, false])("send --pages serves the pages to fetchMedia (storeMedia: %s)", async (storeMedia) => {
    let got: Promise<ArrayBuffer> | undefined;
    const url = await serve({
      maxMediaBytes: 1 << 20,
      onFax: () => receive({ action: "fax", storeMedia }),
      onCallback(callback) {
        const hosts = [callback.mediaUrl === undefined ? "x" : new URL(callback.mediaUrl).host];
        got = fetchMedia(callback, { hosts }).then((pages) => pages.arrayBuffer());
      },
    });
    const pages = new TextEncoder().encode("%PDF-1.4 these pages");
    const anyPort = ["--pages-port", "0"];
    expect((await run(["send", url, "--token", "PSK_test", "--pages", file("fax.pdf", pages), ...anyPort])).code).toBe(
      0,
    );
    expect(new Uint8Array((await got)!)).toEqual(pages);
  });
});
