/** The examples in doc comments: each compiles and runs, and one that verifies refuses a forged request. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { afterEach, expect, it, vi } from "vitest";
import * as core from "../src/index.js";
import * as testing from "../src/testing/index.js";
import * as webhook from "../src/webhook/index.js";
import { CALLBACK, incoming, INCOMING, ORIGIN, outgoing, request, sign, TEXT, TOKEN } from "./webhook/support.js";

const root = join(import.meta.dirname, "..");
const SOURCE = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((name) => /ts$/.test(name));

/** Every example. That of an option is a property. */
const EXAMPLES = SOURCE.flatMap((name) => {
  const text = readFileSync(join(root, "src", name), "utf8");
  return [...text.matchAll(/@example(.*?)(?=\n *\* @|\*\/)/gs)].map(([, comment]) => {
    const code = comment!.replace(/^ *\* ?/gm, "").trim();
    const isOption = /^\w+: /.test(code);
    const statement = isOption
      ? `const options: Partial<FaxWebhookOptions> | Partial<FaxProviderOptions> = { ${code} };`
      : code;
    return { name: `${name}: ${code.split("\n", 1)[0]}`, code: statement };
  });
});

/** The names that an example may use, with the types for the compiler. */
const HEAD = `
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { ${Object.keys(core).join(", ")} } from "../src/index.js";
import type { FaxCallback, FaxMedia, FaxParamSource, ReceiveAttributes } from "../src/index.js";
import { ${Object.keys(webhook).join(", ")} } from "../src/webhook/index.js";
import type { DeduplicateStore, FaxMediaOptions, FaxPages, FaxWebhook } from "../src/webhook/index.js";
import type { FaxWebhookOptions } from "../src/webhook/index.js";
import { createFaxProvider, type FaxProvider, type FaxProviderOptions } from "../src/testing/index.js";
declare const authToken: string, settings: string, callback: FaxCallback, media: FaxMedia, pages: FaxPages;
declare const webhook: FaxWebhook, form: FormData, request: Request, provider: FaxProvider;
declare const redis: Record<"set" | "get" | "del", (...values: unknown[]) => Promise<unknown>>;
declare function save(callback: FaxCallback): Promise<void>;
declare const req: IncomingMessage & { body: Record<string, string> };
declare const res: ServerResponse & { sendStatus(status: number): void };
`;

/** The values of these names, for an example that runs. */
function createScope() {
  const listeners: webhook.FaxWebhook["node"][] = [];
  const pages = new File(["%PDF-1.4"], "FX1.pdf", { type: "application/pdf" });
  const served = async () => new Response(pages);
  const callback = { ...core.parseFaxCallback(CALLBACK), mediaUrl: "https://files.signalwire.com/1" };
  return {
    ...{ ...core, ...webhook, ...testing, join, listeners, pages, callback, media: pages },
    http: { createServer: (listener: webhook.FaxWebhook["node"]) => ({ listen: () => listeners.push(listener) }) },
    writeFile: vi.fn(),
    fetchMedia: (from: core.FaxCallback, options: object) => webhook.fetchMedia(from, { ...options, fetch: served }),
    ...{
      provider: testing.createFaxProvider({ url: ORIGIN, authToken: TOKEN, fetch: () => new Response() }),
      save() {},
    },
    ...{ authToken: TOKEN, settings: '{ "action": 5 }', form: new FormData() },
    request: new Request(ORIGIN, { method: "POST", body: new URLSearchParams(CALLBACK) }),
    webhook: webhook.faxWebhook({ authToken: "key", publicUrl: ORIGIN, onFax: () => core.reject() }),
    req: { headers: {} as webhook.HandleRequest["headers"], body: INCOMING as Record<string, string> },
    res: { sendStatus: vi.fn(), writeHead: () => ({ end: () => {} }) },
  };
}

/** Runs an example. Returns "continued" if it does not return before its end. */
async function run(code: string, scope: object): Promise<unknown> {
  const { outputText } = ts.transpileModule(`async () => { ${code}\nreturn "continued"; }`, {
    compilerOptions: { target: ts.ScriptTarget.ES2022 },
  });
  const create = new Function(...Object.keys(scope), `return ${outputText}`) as (...values: unknown[]) => () => unknown;
  for (const level of ["log", "warn", "error"] as const) vi.spyOn(console, level).mockReturnValue();
  vi.stubEnv("FAX_AUTH_TOKEN", TOKEN);
  return create(...(Object.values(scope) as unknown[]))();
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

it("every example in a doc comment compiles", () => {
  const file = join(root, "tests/example.ts");
  const text = HEAD + EXAMPLES.map(({ code }, i) => `export async function f${i}() { ${code}\n}`).join("\n");
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile) as { config: object };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const unused = { noUnusedLocals: false, noUnusedParameters: false, noImplicitReturns: false };
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (name, version) =>
    name === file ? ts.createSourceFile(name, text, version) : getSourceFile(name, version);
  const program = ts.createProgram([file], { ...options, ...unused }, host);
  const problems = ts.getPreEmitDiagnostics(program, program.getSourceFile(file));
  expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, " "))).toEqual([]);
});

it.each(EXAMPLES)("the example in $name runs", async ({ code }) => {
  const scope = createScope();
  scope.req.headers = request().headers;
  await run(code, scope);
});

const VERIFYING = EXAMPLES.filter(({ code }) => code.includes("verifyRequest("));
it.each(VERIFYING)("the example in $name accepts a valid request and refuses a forged one", async ({ code }) => {
  const text = "https://example.com/fax" + Object.entries(INCOMING).sort().flat().join("");
  for (const header of ["x-twilio-signature", "x-signalwire-signature"]) {
    const scope = createScope();
    scope.req.headers = { [header]: sign(text) };
    expect(await run(code, scope)).toBe("continued");
    scope.req.body = { ...INCOMING, From: "+1" };
    expect(await run(code, scope)).not.toBe("continued");
    expect(scope.res.sendStatus.mock.calls).toEqual([[403]]);
  }
});

const SERVERS = EXAMPLES.filter(({ code }) => code.includes("webhook.node).listen("));
it.each(SERVERS)("the server in $name accepts a valid request and refuses a forged one", async ({ code }) => {
  const scope = createScope();
  await run(code, scope);
  const statuses = [];
  for (const change of [{}, { body: `${TEXT}&x=1` }]) {
    const res = outgoing();
    await scope.listeners[0]!(incoming(change), res);
    statuses.push(res.statusCode);
  }
  expect(statuses).toEqual([200, 403]);
});

it("has examples that verify, and servers", () => {
  expect([VERIFYING.length, SERVERS.length]).toEqual([1, 1]);
});
