/** The command `send` against real servers. tests/messages.snap.md has the texts of both commands. */
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { runCommand, UsageError } from "../../src/cli/commands.js";
import { type FaxCallback, receive, reject } from "../../src/index.js";
import { faxWebhook, type FaxWebhookOptions, fetchMedia, type WebhookRequest } from "../../src/webhook/index.js";

const folder = mkdtempSync(join(tmpdir(), "twiml-fax-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

function createFile(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

/** The exit code and the output, without colors. */
async function run(...args: string[]): Promise<{ code: number; out: string }> {
  const printed: string[] = [];
  const code = await runCommand(args, (text) => void printed.push(text.replace(/\u001b\[\d+m/g, "")));
  return { code, out: printed.join("\n") };
}

const servers: Server[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  servers.splice(0).forEach((server) => server.close());
});

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/fax`;
}

function serve(options: Partial<FaxWebhookOptions>): Promise<string> {
  const defaults = { authToken: "PSK_test", onRefused() {}, onCallback() {}, maxMediaBytes: 1 << 20 };
  return listen(faxWebhook({ ...defaults, ...options } as FaxWebhookOptions).node);
}

/** A handler that saves the pages before it responds. */
const save: FaxWebhookOptions["onCallback"] = async (callback) => {
  if (callback.mediaUrl) await fetchMedia(callback, { hosts: [new URL(callback.mediaUrl).host] });
};

/** The lines of the conversation, without their times. */
const getTimeline = (out: string) => [...out.matchAll(/^ +\d+\.\d\d s {2}(.*)$/gm)].map(([, text]) => text!);

/** Ends the wait for a download at once. */
const doNotWait = () => vi.spyOn(AbortSignal, "timeout").mockReturnValue(AbortSignal.abort());

const TOKEN = ["--token", "PSK_test"];
const ANY_PORT = ["--pages-port", "0"];

describe("send", () => {
  it("prints the conversation of a POST as SignalWire by default", async () => {
    const url = await serve({ onFax: () => receive({ action: "fax" }), onCallback: save });
    const { code, out } = await run("send", url, ...TOKEN, ...ANY_PORT, "--from", "", "--to", "+2");
    expect(code).toBe(0);
    const uuid = "[\\da-f]{8}(?:-[\\da-f]{4}){3}-[\\da-f]{12}";
    expect(getTimeline(out)).toEqual([
      expect.stringMatching(`^→ POST ${url}  +new fax ${uuid} from a withheld number to \\+2$`),
      '← 200 <Receive action="fax"/>',
      expect.stringMatching(`^→ POST ${url}  +callback: received, 1 page$`),
      expect.stringMatching(/^← GET http:\/\/127\.0\.0\.1:\d+\/fax {2,}the server fetches the pages$/),
      "← 200 <Response/>",
    ]);
    expect(out).toMatch(/\n\nOutcome {2}received\nPages {4}fetched from http:\/\/127\.0\.0\.1:\d+\/fax$/);
  });

  it("prints the conversation of a GET as Twilio with --get --twilio --fail", async () => {
    const url = await serve({ onFax: () => receive({ action: "fax?a=1", method: "GET" }) });
    const { code, out } = await run("send", `${url}?a=1`, ...TOKEN, "--get", "--twilio", "--fail");
    expect(code).toBe(0);
    expect(getTimeline(out)).toEqual([
      expect.stringMatching(/^→ GET http\S+\/fax\?a=1&FaxSid=… {2}new fax FX/),
      expect.stringContaining("<Receive"),
      expect.stringMatching(/a=1&FaxSid=… {2}callback: failed, 34007 The sending machine hung up\.$/),
      "← 200 <Response/>",
    ]);
    expect(out).toMatch(/Outcome {2}failed\nPages {4}none: the fax failed$/);
  });

  it("sends the parameters of --param, also those of the callback", async () => {
    const seen: object[] = [];
    const url = await serve({
      onFax: ({ params }) => (seen.push(params), receive({ action: "fax" })),
      onCallback: ({ params }) => void seen.push(params),
    });
    const params = ["--param", "Trunk=a=b", "--param", "NumPages=7", "--param", "MediaUrl=https://x.example/1"];
    const { out } = await run("send", url, ...TOKEN, ...params);
    expect(seen).toEqual([
      expect.objectContaining({ Trunk: "a=b" }),
      expect.objectContaining({ Trunk: "a=b", NumPages: "7" }),
    ]);
    expect(seen[0]).not.toHaveProperty("NumPages");
    expect(out).toMatch(/callback: received, 7 pages\n[^]*Pages {4}stored at https:\/\/x\.example\/1$/);
  });

  it.each([
    [["--param", "Trunk"], "--param must be NAME=VALUE"],
    [["--param", "=1"], "--param must be NAME=VALUE"],
    [["--param", "from=1"], 'did you mean "From"'],
    [["--from", "+1", "--param", "From=+2"], '"From" is set twice'],
    [["--fail", "--param", "FaxStatus=busy"], "The outcome is set twice"],
  ])("rejects with a UsageError for %j", async (args, message) => {
    const running = run("send", "http://127.0.0.1:2/", ...TOKEN, ...ANY_PORT, ...args);
    await expect(running).rejects.toThrow(UsageError);
    await expect(running).rejects.toThrow(message);
  });

  it("prints the target of a redirect, and marks a retry", async () => {
    const responses = [307, 503, 307, 200];
    const url = await listen((_, res) => {
      const headers = { "content-type": "text/xml", location: "/moved" };
      res.writeHead(responses.shift()!, headers).end("<Response><Reject/></Response>");
    });
    const { out } = await run("send", `${url}#rp=5xx`, ...TOKEN, ...ANY_PORT, "--twilio");
    const lines = getTimeline(out).map((line) => line.replace(/new fax FX.*\+\d+/, "new fax"));
    const moved = url.replace("/fax", "/moved");
    expect(lines.map((line) => line.replace(/ +/g, " "))).toEqual([
      `→ POST ${url} new fax`,
      "← 307 to /moved",
      `→ POST ${moved} new fax`,
      "← 503 <Reject/>",
      `→ POST ${url} new fax`,
      "← 307 to /moved",
      `→ POST ${moved} new fax`,
      "← 200 <Reject/>",
    ]);
    responses.push(503, 200);
    expect(getTimeline((await run("send", `${url}#rp=5xx`, ...TOKEN, ...ANY_PORT, "--twilio")).out)[2]).toMatch(
      /, again$/,
    );
  });

  it.each(["", "--fail"])("--json %s prints the transcript without the bytes of body and file", async (option) => {
    const url = await serve({ onFax: () => receive({ action: "fax", storeMedia: false }) });
    const { out } = await run("send", url, ...TOKEN, ...ANY_PORT, "--json", ...(option ? [option] : []));
    const { outcome, exchanges, pagesFetched } = JSON.parse(out);
    expect([outcome, exchanges.length]).toEqual([option ? "failed" : "received", 2]);
    expect(pagesFetched).toBe(option ? undefined : false);
    if (!option) {
      expect(exchanges[1].request).toMatchObject({ file: { type: "application/pdf" }, params: { NumPages: "1" } });
    }
    expect(exchanges[1].request).not.toHaveProperty("body");
    expect(exchanges[1].request).not.toHaveProperty("file.bytes");
  });

  it("--json waits for the download and has pagesFetched", async () => {
    const onCallback = (callback: FaxCallback) => void setTimeout(() => save!(callback, {} as WebhookRequest), 50);
    const url = await serve({ onFax: () => receive({ action: "fax" }), onCallback });
    const { out } = await run("send", url, ...TOKEN, ...ANY_PORT, "--json");
    expect(JSON.parse(out)).toMatchObject({ outcome: "received", pagesFetched: true });
  });

  const CONTROLS = "\u009b31m \u009d \u001b[8m \u007f \u202e \u2066 \u{e0041}";
  const ESCAPED = "\\u009b31m \\u009d \\u001b[8m \\u007f \\u202e \\u2066 \\udb40\\udc41";
  const UNSAFE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]|\p{Cf}/u;

  it.each([
    ["a response that is an error", 500, {}, []],
    ["a response without a verb", 200, {}, []],
    ["a response", 500, {}, ["--json"]],
  ])("escapes control and bidi characters of %s (status %i)", async (_, status, headers, args) => {
    const type = { "content-type": "text/xml; charset=utf-8" };
    const url = await listen((_, res) => res.writeHead(status, { ...type, ...headers }).end(CONTROLS));
    let out = "";
    expect(await runCommand(["send", url, ...TOKEN, ...ANY_PORT, ...args], (text) => void (out += text))).toBe(1);
    expect(out.replaceAll("\\\\", "\\")).toContain(ESCAPED);
    expect(out.replace(/\u001b\[\d+m/g, "")).not.toMatch(UNSAFE);
    if (args.length > 0) expect(JSON.parse(out).exchanges[0].response.body).toBe(CONTROLS);
  });

  it("escapes control and bidi characters of parameters", async () => {
    const url = await serve({ onFax: () => reject() });
    const { out } = await run("send", url, ...TOKEN, ...ANY_PORT, "--from", `${CONTROLS}\r\n`);
    expect(out).toContain(`from ${ESCAPED}\\u000d\\u000a to`);
    expect(out).not.toMatch(UNSAFE);
  });

  it.each([
    [200, "text/xml"],
    [200, "text/html"],
    [500, "text/plain"],
  ])("a response cannot imitate a line of the output (status %i, %s)", async (status, type) => {
    const body = "x\nOutcome  received\r\nOutcome  received\u2028Outcome  received\u0085Outcome  received";
    const headers = { "content-type": `${type}; charset=utf-8` };
    const url = await listen((_, res) => res.writeHead(status, headers).end(body));
    const { out } = await run("send", url, ...TOKEN, ...ANY_PORT);
    expect(out.split(/[\n\r\u0085\u2028]/).filter((line) => line.startsWith("Outcome"))).toEqual([
      expect.stringMatching(/^Outcome {2}error \d+$/),
    ]);
  });

  it("prints an HTML error page once, as text", async () => {
    const page = "<!DOCTYPE html><head><title>Error</title></head><body><pre>Error: no database<br></pre></body>";
    const url = await listen((_, res) => res.writeHead(500, { "content-type": "text/html" }).end(page));
    const { code, out } = await run("send", url, ...TOKEN, ...ANY_PORT);
    expect(code).toBe(1);
    expect(out.split("no database")).toHaveLength(2);
    expect(getTimeline(out).slice(1)).toEqual([
      "← 500",
      expect.stringMatching(/^! error 11217: The server responded with status 500 \("Error: no database"\)\. See/),
    ]);
  });

  it.each([
    ["forbidden", "set publicUrl to the URL above"],
    ["Cross-site POST form submissions are forbidden", "trustedOrigins"],
    ["Forbidden", "mount the webhook before csrf()"],
  ])("says what to check after a 403 with the body %s", async (body, hint) => {
    const url = await listen((_, res) => res.writeHead(403, { "content-type": "text/plain" }).end(body));
    const { out } = await run("send", url, ...TOKEN, ...ANY_PORT);
    expect(out).toContain(hint);
    expect(out.includes("set publicUrl")).toBe(body === "forbidden");
  });

  it.each([
    ["MediaUrl", "PDF", true],
    ["MediaUrl", "TIFF", true],
    ["multipart callback", "PDF", false],
  ])("--pages sends the pages by %s (%s)", async (_, type, storeMedia) => {
    let saved: Promise<ArrayBuffer> | undefined;
    const url = await serve({
      onFax: () => receive({ action: "fax", storeMedia }),
      onCallback(callback) {
        const hosts = [new URL(callback.mediaUrl ?? url).host];
        saved = fetchMedia(callback, { hosts }).then((pages) => pages.arrayBuffer());
      },
    });
    const pages = new TextEncoder().encode(type === "PDF" ? "%PDF-1.4 these pages" : "II*\0 these pages");
    expect((await run("send", url, ...TOKEN, ...ANY_PORT, "--pages", createFile("fax", pages))).code).toBe(0);
    expect(new Uint8Array((await saved)!)).toEqual(pages);
  });

  it.each(["application/pdf", "image/tiff"] as const)("serves a sample page in the verb's type: %s", async (type) => {
    let saved: Promise<string> | undefined;
    const url = await serve({
      onFax: () => receive({ action: "fax", mediaType: type }),
      onCallback(callback) {
        saved = fetchMedia(callback, { hosts: [new URL(callback.mediaUrl!).host] }).then((pages) => pages.type);
      },
    });
    await run("send", url, ...TOKEN, ...ANY_PORT);
    expect(await saved).toBe(type);
  });

  it("waits for a download that starts after the conversation, and says so before", async () => {
    const onCallback = (callback: FaxCallback) => void setTimeout(() => save!(callback, {} as WebhookRequest), 50);
    const url = await serve({ onFax: () => receive({ action: "fax" }), onCallback });
    const { out } = await run("send", url, ...TOKEN, ...ANY_PORT);
    expect(out).toMatch(
      /Waiting up to 10 s .*\n .*← GET .*the server fetches the pages\n\nOutcome.*\nPages {4}fetched/,
    );
  });

  it("says that the pages were not fetched after 10 seconds", async () => {
    const timeout = doNotWait();
    const url = await serve({ onFax: () => receive({ action: "fax" }) });
    const { code, out } = await run("send", url, ...TOKEN, ...ANY_PORT);
    expect([code, timeout.mock.calls]).toEqual([0, [[10_000]]]);
    expect(out).toMatch(/Pages {4}not fetched from http:\S+ within 10 s\..* hosts: \["127\.0\.0\.1:\d+"\]\.$/);
  });

  it("does not report an aborted download as fetched", async () => {
    doNotWait();
    const onCallback = async (callback: FaxCallback) => {
      const response = await fetch(callback.mediaUrl!);
      await response.body!.cancel();
    };
    const url = await serve({ onFax: () => receive({ action: "fax" }), onCallback });
    const file = createFile("large.pdf", Buffer.concat([Buffer.from("%PDF-1.4"), Buffer.alloc(32 << 20)]));
    expect((await run("send", url, ...TOKEN, ...ANY_PORT, "--pages", file)).out).toContain("Pages    not fetched");
  });

  it("send waits for the end of a download", async () => {
    let size = 0;
    const url = await serve({
      onFax: () => receive({ action: "fax" }),
      onCallback: (callback) => {
        void fetch(callback.mediaUrl!).then(async ({ body }) => {
          for await (const chunk of body!) {
            size += (chunk as Uint8Array).length;
            if (size < 1 << 20) await new Promise((resolve) => setTimeout(resolve, 30));
          }
        });
      },
    });
    const file = createFile("large.pdf", Buffer.concat([Buffer.from("%PDF-1.4"), Buffer.alloc(8 << 20)]));
    expect((await run("send", url, ...TOKEN, ...ANY_PORT, "--pages", file)).code).toBe(0);
    await vi.waitFor(() => expect(size).toBe((8 << 20) + 8));
  });

  it.each<[string, ReturnType<typeof receive | typeof reject>, string[]]>([
    ["<Reject>", reject(), []],
    ["storeMedia: false", receive({ action: "fax", storeMedia: false }), []],
    ["a failed fax", receive({ action: "fax" }), ["--fail"]],
    ["a fax with a failed status", receive({ action: "fax" }), ["--param", "Status=busy"]],
    ["a callback that gets an error", receive({ action: "http://127.0.0.1:2/" }), []],
  ])("send does not wait for a download after %s", async (_, verb, args) => {
    const url = await serve({ onFax: () => verb });
    const timeout = vi.spyOn(AbortSignal, "timeout");
    await run("send", url, ...TOKEN, ...ANY_PORT, ...args);
    await run("send", url, ...TOKEN, ...ANY_PORT, ...args, "--json");
    expect(timeout).not.toHaveBeenCalled();
  });

  it.each(["65536", "-1", "1.5", "123456"])("rejects with a UsageError for --pages-port=%s", async (port) => {
    const running = run("send", "http://127.0.0.1/", ...TOKEN, `--pages-port=${port}`);
    await expect(running).rejects.toThrow(UsageError);
    await expect(running).rejects.toThrow("--pages-port must be");
  });
});

describe("check", () => {
  it("escapes control and bidi characters of the file's name and content", async () => {
    const name = "a\u009b\u202e\n.xml";
    const { code, out } = await run("check", createFile(name, "<\u009b\u009d\u007f\u202e/>"));
    expect([code, out.endsWith("\n")]).toEqual([1, false]);
    expect(out).toContain("a\\u009b\\u202e\\u000a.xml:1:");
    expect(out).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});
