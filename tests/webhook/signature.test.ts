/** signRequest() and verifyRequest(): published signatures, forged requests, invalid arguments. */
import { timingSafeEqual } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { signRequest, verifyRequest } from "../../src/webhook/index.js";
import { TOKEN, polluted, sign } from "./support.js";

vi.mock("node:crypto", async (importOriginal) => {
  const crypto = await importOriginal<typeof import("node:crypto")>();
  return { ...crypto, timingSafeEqual: vi.fn(crypto.timingSafeEqual) };
});

// The literal signatures are from twilio-node's spec/validation.spec.js and twilio-csharp's RequestValidatorTest.
const authToken = TOKEN;
const path = "/myapp.php?foo=1&bar=2";
const url = `https://mycompany.com${path}`;
const params = {
  CallSid: "CA1234567890ABCDE",
  Caller: "+14158675309",
  Digits: "1234",
  From: "+14158675309",
  To: "+18005551212",
};
const signature = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
const x = "https://x.example/";
const sha256 = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";

describe("signRequest", () => {
  it.each([
    ["Twilio's documented example", url, params, signature],
    ["a mixed-case host", `https://MyCompany.com${path}`, params, "g9IN/x4Cft2g517EjYvEvM/W7LU="],
    ["credentials", `http://username:password@MyCompany.com${path}`, params, "PJ08CxXr7KLPjEQCTc8LkUSMwSM="],
    ["an upper-case scheme", `HTTP://username:password@MyCompany.com${path}`, params, "hy/l8pca+LFms4cvRdv8uiP6NGc="],
    [
      "repeated values: each distinct value once, sorted",
      url,
      { Sid: "CA123", SidAccount: "AC123", Digits: ["5678", "1234", "1234"] },
      "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
    ],
    [
      "plus signs",
      "https://customer.example/cb",
      { From: "+4915123456789", Body: "hello+world" },
      "RPmvJzz674XdYurPkoSZxwiOiWM=",
    ],
    [
      "UTF-8",
      "https://customer.example/cb",
      { Caller: "Müller", Greeting: "Grüß Gott" },
      "1u+8eedolvqsC8ybKmeUbdyKfrU=",
    ],
    ["the URL of a GET", `${url}&bodySHA256=${sha256}`, undefined, "a9nBmqA0ju/hNViExpshrM61xv4="],
  ])("signRequest signs %s", (_, url, params, expected) => {
    expect(signRequest({ authToken, url, params })).toBe(expected);
  });

  it.each<[string, object | string]>([
    ["pairs", Object.entries(params).reverse()],
    ["a Map", new Map(Object.entries(params))],
    ["URLSearchParams", new URLSearchParams(params)],
    ["a form body", new URLSearchParams(params).toString()],
    ["a record without a prototype", Object.assign(Object.create(null), params)],
  ])("signs parameters from %s", (_, source) => {
    expect(signRequest({ authToken, url, params: source })).toBe(signature);
  });

  it("signs the text fields of a FormData, and not its file", () => {
    const form = new FormData();
    form.set("Media", new Blob(["%PDF"]), "fax.pdf");
    for (const [name, value] of Object.entries(params)) form.set(name, value);
    expect(signRequest({ authToken, url, params: form })).toBe(signature);
  });

  it("signs with the first of several tokens", () => {
    expect(signRequest({ authToken: [TOKEN, "old"], url, params })).toBe(signature);
  });

  it("signs numbers and booleans as text", () => {
    expect(signRequest({ authToken, url: x, params: { a: 1, b: true } as never })).toBe(sign(`${x}a1btrue`));
  });

  it.each([{ a: { b: "c" } }, { a: "1", b: [{}] }, { a: ["1", "2"], b: {} }])(
    "throws for a parameter that is not text: %j",
    (params) => expect(() => signRequest({ authToken, url, params })).toThrow(/^params has a value/),
  );
});

describe("verifyRequest", () => {
  it.each([
    ["Twilio's documented example", url, signature],
    ["a URL with port 443, signed without", `https://mycompany.com:443${path}`, signature],
    ["a URL with another https port, signed without", `https://mycompany.com:1234${path}`, signature],
    ["a signed https port", `https://mycompany.com:1234${path}`, "CYn1h0gLBdNxDGkKJg6hYohgeD8="],
    ["a signed http port", `http://mycompany.com:1234${path}`, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="],
    ["an https URL without a port, signed with 443", url, "kvajT1Ptam85bY51eRf/AJRuM3w="],
    ["an http URL without a port, signed with 80", `http://mycompany.com${path}`, "0ZXoZLH/DfblKGATFgpif+LLRf4="],
    ["a mixed-case host, signed with port 80", `http://MyCompany.com${path}`, "XY7AlKOKL6im4yWyX84gldUrtis="],
    ["signed credentials", `https://user:pass@mycompany.com${path}`, "CukzLTc1tT5dXEDIHm/tKBanW10="],
    ["a signed user name", `https://user@mycompany.com${path}`, "2YRLlVAflCqxaNicjMpJcSTgzSs="],
    ["signed credentials and port", `https://user:pass@mycompany.com${path}`, "ZQFR1PTIZXF2MXB8ZnKCvnnA+rI="],
    ["unsigned credentials", `https://user:pass@mycompany.com${path}`, signature],
    ["unsigned credentials with an @ in the password", `https://user:p@ss@mycompany.com${path}`, signature],
    ["an unsigned fragment", `${url}#rc=2&ot=1`, signature],
    ["an apostrophe and a plus in the query", `${url}&Body=It's+amazing`, "dsq4Ehbj6cs+KdTkpF5sSSplOWw="],
  ])("verifyRequest accepts %s", (_, url, signature) => {
    expect(verifyRequest({ authToken, url, params, signature })).toBe(true);
  });

  it.each<[string, object | string | undefined, string]>([
    ["the signed text with repeated values in received order", "a=2&b=0&a=1&a=2", "a2a1a2b0"],
    ["undefined and null as absent", { A: ["2", "1", undefined, null], B: undefined, C: null, D: "3" }, "A1A2D3"],
    ["__proto__ as a name in an object", JSON.parse('{ "__proto__": "1", "A": "2" }'), "A2__proto__1"],
    ["__proto__ as a name in a form", "__proto__=1&A=2", "A2__proto__1"],
    ["a signed fragment", undefined, "#rc=2"],
    ["a URL with the names of parameters as one value", undefined, "?AccountSid=ApiVersion"],
    ["a URL with the names of parameters in two pairs", undefined, "?keys=AccountSid&ApiVersion=v1"],
  ])("verifyRequest accepts %s", (_, params, text) => {
    const seen = params === undefined ? x + text : x;
    expect(verifyRequest({ authToken, url: seen, params: params as string, signature: sign(x + text) })).toBe(true);
  });

  it("verifyRequest accepts repeated values as Twilio signs them", () => {
    const params = { "MessagingBinding.Address": ["+1415xxxxxxx", "+1325xxxxxxx"] };
    expect(verifyRequest({ authToken, url, params, signature: "83O6e2vORAoJHUNzJjDWN1jz+BA=" })).toBe(true);
  });

  it.each([
    ["a changed parameter", { params: { ...params, Digits: "1235" } }],
    ["an added parameter", { params: { ...params, X: "", Y: "1" } }],
    ["a removed parameter", { params: { ...params, Digits: undefined } }],
    ["a renamed parameter", { params: { ...params, Digits: undefined, digits: "1234" } }],
    ["a repeated parameter", { params: { ...params, Digits: ["1234", "1235"] } }],
    ["no parameters", { params: undefined }],
    ["a nested parameter", { params: { ...params, Digits: { x: "1234" } } }],
    ["another path", { url: "https://mycompany.com/myapp2.php?foo=1&bar=2" }],
    ["a path in another case", { url: "https://mycompany.com/MyApp.php?foo=1&bar=2" }],
    ["another host", { url: `https://mycompany.org${path}` }],
    ["another scheme", { url: `http://mycompany.com${path}` }],
    [
      "an http port if another was signed",
      { url: `http://mycompany.com:1234${path}`, signature: "0ZXoZLH/DfblKGATFgpif+LLRf4=" },
    ],
    ["a changed query", { url: "https://mycompany.com/myapp.php?foo=1&bar=3" }],
    ["a reordered query", { url: "https://mycompany.com/myapp.php?bar=2&foo=1" }],
    ["a missing query", { url: "https://mycompany.com/myapp.php" }],
    ["another token", { authToken: "12346" }],
  ])("verifyRequest returns false for %s", (_, change) => {
    expect(verifyRequest({ authToken, url, params, signature, ...change })).toBe(false);
  });

  it.each<[string, unknown]>([
    ["a truncated signature", signature.slice(0, -1)],
    ["a lower-cased signature", signature.toLowerCase()],
    ["a hex signature", Buffer.from(signature, "base64").toString("hex")],
    ["another Base64 encoding of the same bytes", "RSOYDt4T1cUTdK1PDd93/VVr8B9="],
    ["a second padding character", `${signature}=`],
    ["a letter for the padding", signature.replace("=", "a")],
    ["URL-safe Base64", `${signature.slice(0, 26)}-=`],
    ["a leading space", ` ${signature}`],
    ["a trailing line break", `${signature}\n`],
    ["27 characters", `${"A".repeat(26)}=`],
    ["29 characters", `${"A".repeat(28)}=`],
    // In Latin-1, U+0152 has the byte of "R", the first character of the signature.
    ["a character whose low byte is that of the signature", signature.replace("R", "\u0152")],
    ["28 characters outside ASCII", `${"A".repeat(26)}é=`],
    ["two signatures in one string", `${signature}, ${signature}`],
    ["undefined", undefined],
    ["null", null],
    ["an empty string", ""],
    ["a megabyte", "A".repeat(1_000_000)],
    ["a number", 5],
    ["an empty list", []],
    ["a list of other values", ["A".repeat(27) + "=", null, 5, [signature]]],
  ])("verifyRequest returns false for a signature that is %s", (_, signature) => {
    expect(verifyRequest({ authToken, url, params, signature: signature as string })).toBe(false);
  });

  it("verifyRequest accepts a list of signatures if any of them matches", () => {
    expect(verifyRequest({ authToken, url, params, signature: ["A".repeat(27) + "=", signature] })).toBe(true);
  });

  it("verifyRequest compares signatures with timingSafeEqual", () => {
    const compare = vi.mocked(timingSafeEqual).mockReturnValueOnce(true);
    expect(verifyRequest({ authToken, url, params, signature: "A".repeat(27) + "=" })).toBe(true);
    expect(compare.mock.lastCall).toEqual([Buffer.from(signature), Buffer.from("A".repeat(27) + "=")]);
  });

  it.each([undefined, "", "/fax", "xhttps://a.example/", new URL(url)])("throws for the url %s", (url) => {
    expect(() => verifyRequest({ authToken, url: url as string, params, signature })).toThrow(/^url must be/);
  });

  it.each([5, () => params, Promise.resolve(params)])("verifyRequest throws for the params %s", (params) => {
    expect(() => verifyRequest({ authToken, url, params: params as never, signature })).toThrow(/^params must be/);
  });

  it.each([undefined, "12345", Promise.resolve({ authToken, url, signature })])(
    "verifyRequest throws for the options %s",
    (options) =>
      expect(() => verifyRequest(options as never)).toThrow(
        /^The argument of verifyRequest must be \{ authToken, signature(?!.*12345)/,
      ),
  );

  it("verifyRequest does not change a list in params", () => {
    const list = ["1", "2"];
    const pairs = [["A", list] as const, ["A", "3"] as const];
    verifyRequest({ authToken, url, params: pairs, signature });
    expect(list).toEqual(["1", "2"]);
  });

  it("ignores properties of Object.prototype in params", async () => {
    await polluted({ Extra: "1" }, () => expect(verifyRequest({ authToken, url, params, signature })).toBe(true));
  });
});
