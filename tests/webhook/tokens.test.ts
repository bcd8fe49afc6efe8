/** The tokens: which values of authToken are valid, and which tokens verify a request. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it, vi } from "vitest";
import { type FaxRequest, reject } from "../../src/index.js";
import { faxWebhook, type FaxWebhookOptions, signRequest, verifyRequest } from "../../src/webhook/index.js";
import { INCOMING, ORIGIN, TEXT, TOKEN, plain, refusalOf, request, setUp, sign, thrower } from "./support.js";

const url = `${ORIGIN}/fax`;
const params = INCOMING;
const signature = sign(url + Object.entries(params).sort().flat().join(""));

/** The bytes of the heap that are in use. */
function usedHeap(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}

describe("authToken", () => {
  it.each([
    [""],
    [" "],
    [" x"],
    ["x\n"],
    [[]],
    [[TOKEN, ""]],
    [[,]],
    [[undefined]],
    [undefined],
    [null],
    [12345],
    [{}],
  ])("throws for the authToken %j", (authToken) => {
    const options = { authToken, url, params, signature, onFax: () => reject() } as never;
    const message = /^authToken must be a non-empty string (?!.*12345).* Is the environment variable set\?$/;
    expect(() => signRequest(options)).toThrow(message);
    expect(() => verifyRequest(options)).toThrow(message);
    const { onFax } = options as FaxWebhookOptions;
    expect(() => faxWebhook({ authToken, onFax } as never)).toThrow(message);
  });

  it("throws for a promise as authToken, and asks for an await", () => {
    expect(() => signRequest({ authToken: Promise.resolve(TOKEN), url } as never)).toThrow(/ Is an await missing\?$/);
  });

  it("verifyRequest accepts any of several tokens, and no other", () => {
    expect(verifyRequest({ authToken: ["new", TOKEN], url, params, signature })).toBe(true);
    expect(verifyRequest({ authToken: ["new", "newer"], url, params, signature })).toBe(false);
  });

  it("handle accepts any of several tokens, and no other", async () => {
    const { handle } = setUp({ authToken: ["next", TOKEN] });
    const sent = [request(), request({ token: "next" }), request({ token: "last" })];
    expect((await Promise.all(sent.map(handle))).map(({ status }) => status)).toEqual([200, 200, 403]);
  });
});

describe("authToken: functions", () => {
  it.each<[string, FaxWebhookOptions["authToken"]]>([
    ["a token", (sid) => (sid === "AC1" ? TOKEN : undefined)],
    ["several tokens", () => ["next", TOKEN]],
    ["a promise", async (sid) => (sid === "AC1" ? TOKEN : null)],
  ])("accepts a function as authToken that returns %s", async (_, authToken) => {
    const webhook = setUp({ authToken });
    for (const method of ["POST", "GET"]) expect((await webhook.handle(request({ method }))).status).toBe(200);
    expect(await refusalOf(webhook, request({ token: "guessed" }))).toEqual([403, "forbidden", "signature-mismatch"]);
  });

  it.each<[string, unknown]>([
    ["undefined", undefined],
    ["null", null],
    ["an empty string", ""],
    ["white space", " "],
    ["an empty array", []],
    ["an array with an empty token", [TOKEN, ""]],
    ["a promise of undefined", Promise.resolve(undefined)],
    ["true", true],
    ["false", false],
    ["a number", 12345],
    ["an object", {}],
    ["a function, such as the constructor of a record", Object],
  ])("refuses a request with no-token if authToken returns %s", async (_, found) => {
    const webhook = setUp({ authToken: (() => found) as never });
    expect(await refusalOf(webhook, request())).toEqual([403, "forbidden", "no-token"]);
    expect(webhook.onFax).not.toHaveBeenCalled();
    expect(webhook.refusals[0]!.message).toMatch(/is the environment variable set\?$/);
  });

  it.each(["../../etc", "", "x".repeat(41), "AC1\n", undefined])(
    "does not call authToken for the AccountSid %j",
    async (sid) => {
      const authToken = vi.fn(() => TOKEN);
      const { AccountSid: _, ...others } = INCOMING;
      const params = sid === undefined ? others : { ...others, AccountSid: sid };
      expect(await refusalOf(setUp({ authToken }), request({ params }))).toEqual([403, "forbidden", "no-token"]);
      expect(authToken).not.toHaveBeenCalled();
    },
  );

  it("calls authToken with the first of two AccountSids, and refuses the request", async () => {
    const authToken = vi.fn(() => TOKEN);
    const body = `${TEXT}&AccountSid=AC2`;
    const signature = signRequest({ authToken: TOKEN, url, params: body });
    const reply = await setUp({ authToken }).handle(request({ body, headers: { "x-twilio-signature": signature } }));
    expect(plain(reply)).toEqual([400, "invalid-parameters"]);
    expect(authToken.mock.calls).toEqual([["AC1"]]);
  });

  it("passes a copy of the SIDs, so that keeping them does not keep the body in memory", async () => {
    const kept: string[] = [];
    const keep = (sid: string): string => (kept.push(sid), TOKEN);
    const onFax = ({ faxSid, accountSid }: FaxRequest) => (kept.push(faxSid, accountSid), reject());
    const { handle } = faxWebhook({ authToken: keep, publicUrl: ORIGIN, onFax });
    const sids = { FaxSid: "F".repeat(36), AccountSid: "A".repeat(36) };
    const sent = request({ params: { ...INCOMING, ...sids, Extra: "x".repeat(60_000) } });
    const body = Buffer.from(String(sent.body));
    const before = usedHeap();
    for (let i = 0; i < 100; i++) await handle({ ...sent, body });
    expect(usedHeap() - before).toBeLessThan(1_000_000);
    expect(new Set(kept)).toEqual(new Set(Object.values(sids)));
    expect(kept).toHaveLength(300);
  });

  it("rejects with the error that authToken throws", async () => {
    const error = new Error("no vault");
    await expect(setUp({ authToken: () => Promise.reject(error) }).handle(request())).rejects.toBe(error);
    await expect(setUp({ authToken: thrower(error) }).handle(request())).rejects.toBe(error);
  });
});
