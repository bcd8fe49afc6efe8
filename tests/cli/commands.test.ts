/** The command `send` against real servers. tests/messages.snap.md has the texts of both commands. */
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { runCommand, UsageError } from "../../src/cli/commands.js";
import { receive, reject } from "../../src/index.js";
import { faxWebhook, type FaxWebhookOptions, fetchMedia } from "../../src/webhook/index.js";

const folder = mkdtempSync(join(tmpdir(), "twiml-fax-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

function createFile(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

/** The exit code and the output, without colors. */
async function run(...args: string[]): Promise<{ code: number; out: string }> {
  let out = "";
  const code = await runCommand(args, (text) => void (out += text.replace(/\u001b\[\d+m/g, "")));
  return { code, out };
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

const TOKEN = ["--token", "PSK_test"];
const ANY_PORT = ["--pages-port", "0"];

describe("send", () => {
  it("sends a POST as SignalWire by default", async () => {
    const url = await serve({ onFax: () => receive({ action: "fax" }) });
    const { code, out } = await run("send", url, ...TOKEN, "--from", "", "--to", "+2");
    expect(code).toBe(0);
    expect(out).toMatch(/^POST http[^]*x-signalwire-signature: [^]* {2}From=\n {2}To=\+2\n[^]*Outcome {2}received/m);
  });

  it("sends a GET as Twilio with --get --twilio --fail", async () => {
    const url = await serve({ onFax: () => receive({ action: "fax" }) });
    const { code, out } = await run("send", url, ...TOKEN, "--get", "--twilio", "--fail");
    expect(code).toBe(0);
    expect(out).toMatch(/^GET http[^]*x-twilio-signature: [^]*i-twilio-idempotency-token: [^]*Outcome {2}failed/m);
  });

  it("--json prints the transcript without the bytes of body and file", async () => {
    const url = await serve({ onFax: () => receive({ action: "fax", storeMedia: false }) });
    const { out } = await run("send", url, ...TOKEN, "--json");
    const { outcome, exchanges } = JSON.parse(out) as { outcome: string; exchanges: { request: object }[] };
    expect([outcome, exchanges.length]).toEqual(["received", 2]);
    expect(exchanges[1]!.request).toMatchObject({ file: { type: "application/pdf" }, params: { NumPages: "1" } });
    expect(exchanges[1]!.request).not.toHaveProperty("body");
    expect(exchanges[1]!.request).not.toHaveProperty("file.bytes");
  });

  it.each([
    [[], "\ufffd31m<Response/>\ufffd[8m\ufffd"],
    [["--json"], "\\u009b31m<Response/>\\u001b[8m\\u007f"],
  ])("%j prints no control characters of a response", async (args, expected) => {
    const body = "\u009b31m<Response/>\u001b[8m\u007f";
    const url = await listen((_, res) => res.writeHead(500, { "content-type": "text/plain" }).end(body));
    let out = "";
    expect(await runCommand(["send", url, ...TOKEN, ...args], (text) => void (out += text))).toBe(1);
    expect(out).toContain(expected);
    expect(out.replace(/\u001b\[\d+m/g, "")).not.toMatch(/[\u007f-\u009f\u001b]/);
  });

  it.each([true, false])("--pages serves the pages to fetchMedia (storeMedia: %s)", async (storeMedia) => {
    let saved: Promise<ArrayBuffer> | undefined;
    const url = await serve({
      onFax: () => receive({ action: "fax", storeMedia }),
      onCallback(callback) {
        const hosts = [new URL(callback.mediaUrl ?? url).host];
        saved = fetchMedia(callback, { hosts }).then((pages) => pages.arrayBuffer());
      },
    });
    const pages = new TextEncoder().encode("%PDF-1.4 these pages");
    expect((await run("send", url, ...TOKEN, ...ANY_PORT, "--pages", createFile("fax.pdf", pages))).code).toBe(0);
    expect(new Uint8Array((await saved)!)).toEqual(pages);
  });

  it("waits for the end of a download", async () => {
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
    ["a verb without action", receive(), []],
    ["<Reject>", reject(), []],
    ["storeMedia: false", receive({ action: "fax", storeMedia: false }), []],
    ["a failed fax", receive({ action: "fax" }), ["--fail"]],
  ])("does not wait for a download after %s", async (_, verb, args) => {
    const url = await serve({ onFax: () => verb });
    const timeout = vi.spyOn(AbortSignal, "timeout");
    await run("send", url, ...TOKEN, ...ANY_PORT, ...args, "--pages", createFile("fax.pdf", "%PDF-1.4"));
    expect(timeout).not.toHaveBeenCalled();
  });

  it.each(["65536", "-1", "1.5", "123456"])("rejects with a UsageError for --pages-port=%s", async (port) => {
    const pages = ["--pages", createFile("fax.pdf", "%PDF-1.4"), `--pages-port=${port}`];
    const running = run("send", "http://127.0.0.1/", ...TOKEN, ...pages);
    await expect(running).rejects.toThrow(UsageError);
    await expect(running).rejects.toThrow("--pages-port must be");
  });
});
