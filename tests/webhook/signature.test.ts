/** signRequest() and verifyRequest(): what is signed, and what is accepted. */
import { describe, expect, it } from "vitest";
import { signRequest, verifyRequest } from "../../src/webhook/index.js";
import { TOKEN, polluted, sign } from "./support.js";

// Literal signatures of twilio-node's spec/validation.spec.js and twilio-csharp's RequestValidatorTest, token "12345";
// none was computed here.
const authToken = TOKEN;
const url = "https://mycompany.com/myapp.php?foo=1&bar=2";
const params = {
  CallSid: "CA1234567890ABCDE",
  Caller: "+14158675309",
  Digits: "1234",
  From: "+14158675309",
  To: "+18005551212",
};
const signature = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";

describe("signRequest", () => {
  it.each([
    ["Twilio's documented example", url, params, signature],
    ["mixed-case host", "https://MyCompany.com/myapp.php?foo=1&bar=2", params, "g9IN/x4Cft2g517EjYvEvM/W7LU="],
    [
      "credentials",
      "http://username:password@MyCompany.com/myapp.php?foo=1&bar=2",
      params,
      "PJ08CxXr7KLPjEQCTc8LkUSMwSM=",
    ],
    [
      "upper-case scheme",
      "HTTP://username:password@MyCompany.com/myapp.php?foo=1&bar=2",
      params,
      "hy/l8pca+LFms4cvRdv8uiP6NGc=",
    ],
    [
      "a repeated name, each distinct value once, sorted",
      url,
      { Sid: "CA123", SidAccount: "AC123", Digits: ["5678", "1234", "1234"] },
      "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
    ],
    [
      "plus signs, as they are",
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
    [
      "a URL alone, as for GET",
      `${url}&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620`,
      undefined,
      "a9nBmqA0ju/hNViExpshrM61xv4=",
    ],
  ])("signs %s", (_, url, params, expected) => {
    expect(signRequest({ authToken, url, params })).toBe(expected);
  });

  it.each<[string, object | string]>([
    ["pairs", Object.entries(params).reverse()],
    ["a Map", new Map(Object.entries(params))],
    ["URLSearchParams", new URLSearchParams(params)],
    ["a raw form body", new URLSearchParams(params).toString()],
    ["a record without a prototype", Object.assign(Object.create(null), params)],
  ])("takes parameters as %s", (_, source) => {
    expect(signRequest({ authToken, url, params: source })).toBe(signature);
  });

  it("signs the text fields of a FormData, and not the file", () => {
    const form = new FormData();
    form.set("Media", new Blob(["%PDF"]), "fax.pdf");
    for (const [name, value] of Object.entries(params)) form.set(name, value);
    expect(signRequest({ authToken, url, params: form })).toBe(signature);
  });

  it("signs with the first of several tokens", () => {
    expect(signRequest({ authToken: ["12345", "old"], url, params })).toBe(signature);
  });

  it("throws for parameters that are no text", () => {
    expect(() => signRequest({ authToken, url, params: { a: { b: "c" } } })).toThrow(TypeError);
    expect(() => signRequest({ authToken, url, params: { a: "1", b: [{}] } })).toThrow(/text/);
    for (const given of [Promise.resolve(params), () => params, 5] as never[]) {
      expect(() => signRequest({ authToken, url, params: given })).toThrow(/^params must be the parameters, not a?/);
    }
    expect(signRequest({ authToken, url, params: { a: 1, b: true } as never })).toBe(
      signRequest({ authToken, url, params: { a: "1", b: "true" } }),
    );
  });

  it("signs nothing where one value of several is no text", () => {
    expect(() =>
      signRequest({ authToken: TOKEN, url: "https://x.example/", params: { a: ["1", "2"], b: {} } }),
    ).toThrow(new TypeError("A request can only be signed over parameters that are text."));
  });
});

describe("verifyRequest: what was signed", () => {
  it.each([
    ["Twilio's documented example", url, params, signature],
    ["port 443, not signed", "https://mycompany.com:443/myapp.php?foo=1&bar=2", params, signature],
    ["another https port, not signed", "https://mycompany.com:1234/myapp.php?foo=1&bar=2", params, signature],
    [
      "another https port, signed",
      "https://mycompany.com:1234/myapp.php?foo=1&bar=2",
      params,
      "CYn1h0gLBdNxDGkKJg6hYohgeD8=",
    ],
    ["an http port, signed", "http://mycompany.com:1234/myapp.php?foo=1&bar=2", params, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="],
    ["no port, 443 signed", url, params, "kvajT1Ptam85bY51eRf/AJRuM3w="],
    ["no port, 80 signed", "http://mycompany.com/myapp.php?foo=1&bar=2", params, "0ZXoZLH/DfblKGATFgpif+LLRf4="],
    [
      "no port, mixed-case host, 80 signed",
      "http://MyCompany.com/myapp.php?foo=1&bar=2",
      params,
      "XY7AlKOKL6im4yWyX84gldUrtis=",
    ],
    [
      "credentials, signed",
      "https://user:pass@mycompany.com/myapp.php?foo=1&bar=2",
      params,
      "CukzLTc1tT5dXEDIHm/tKBanW10=",
    ],
    [
      "a user name alone, signed",
      "https://user@mycompany.com/myapp.php?foo=1&bar=2",
      params,
      "2YRLlVAflCqxaNicjMpJcSTgzSs=",
    ],
    [
      "credentials and port, signed",
      "https://user:pass@mycompany.com/myapp.php?foo=1&bar=2",
      params,
      "ZQFR1PTIZXF2MXB8ZnKCvnnA+rI=",
    ],
    ["credentials, not signed", "https://user:pass@mycompany.com/myapp.php?foo=1&bar=2", params, signature],
    [
      "credentials with an @ in the password, not signed",
      "https://user:p@ss@mycompany.com/myapp.php?foo=1&bar=2",
      params,
      signature,
    ],
    ["a fragment, not signed", `${url}#rc=2&ot=1`, params, signature],
    ["an apostrophe and plus in the query", `${url}&Body=It's+amazing`, params, "dsq4Ehbj6cs+KdTkpF5sSSplOWw="],
    [
      "a repeated name",
      url,
      { "MessagingBinding.Address": ["+1415xxxxxxx", "+1325xxxxxxx"] },
      "83O6e2vORAoJHUNzJjDWN1jz+BA=",
    ],
  ])("accepts %s", (_, url, params, signature) => {
    expect(verifyRequest({ authToken, url, params, signature })).toBe(true);
  });

  it("accepts a fragment that was signed, and repeated values in the order they came", () => {
    expect(
      verifyRequest({ authToken, url: "https://x.example/fax#rc=2", signature: sign("https://x.example/fax#rc=2") }),
    ).toBe(true);
    const repeated = sign("https://x.example/faxa2a1a2b0");
    expect(
      verifyRequest({ authToken, url: "https://x.example/fax", params: "a=2&b=0&a=1&a=2", signature: repeated }),
    ).toBe(true);
  });

  it("leaves undefined and null out, beside repeated names", () => {
    const params = { A: ["2", "1", undefined, null], B: undefined, C: null, D: "3" };
    expect(
      verifyRequest({
        authToken: TOKEN,
        url: "https://x.example/",
        params,
        signature: sign("https://x.example/A1A2D3"),
      }),
    ).toBe(true);
  });

  it("takes __proto__ for a name like any other", () => {
    const odd = JSON.parse('{ "__proto__": "1", "A": "2" }');
    expect(
      verifyRequest({
        authToken,
        url: "https://x.example/",
        params: odd,
        signature: sign("https://x.example/A2__proto__1"),
      }),
    ).toBe(true);
    expect(
      verifyRequest({
        authToken,
        url: "https://x.example/",
        params: "__proto__=1&A=2",
        signature: sign("https://x.example/A2__proto__1"),
      }),
    ).toBe(true);
  });
});

describe("verifyRequest: what was not signed", () => {
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
    ["another host", { url: "https://mycompany.org/myapp.php?foo=1&bar=2" }],
    ["another scheme", { url: "http://mycompany.com/myapp.php?foo=1&bar=2" }],
    [
      "an http port that was not signed",
      { url: "http://mycompany.com:1234/myapp.php?foo=1&bar=2", signature: "0ZXoZLH/DfblKGATFgpif+LLRf4=" },
    ],
    ["a changed query", { url: "https://mycompany.com/myapp.php?foo=1&bar=3" }],
    ["a query in another order", { url: "https://mycompany.com/myapp.php?bar=2&foo=1" }],
    ["no query", { url: "https://mycompany.com/myapp.php" }],
    ["another token", { authToken: "12346" }],
    ["a truncated signature", { signature: signature.slice(0, -1) }],
    ["a lower-cased signature", { signature: signature.toLowerCase() }],
    ["a hex signature", { signature: Buffer.from(signature, "base64").toString("hex") }],
    ["a padded signature", { signature: signature + "=" }],
    ["white space around the signature", { signature: ` ${signature}` }],
    ["a line end after the signature", { signature: `${signature}\n` }],
    ["another spelling of the same bytes", { signature: "RSOYDt4T1cUTdK1PDd93/VVr8B9=" }],
    ["two signatures in one header", { signature: `${signature}, ${signature}` }],
    ["no signature", { signature: undefined }],
    ["null for a signature", { signature: null }],
    ["an empty signature", { signature: "" }],
    ["an oversized signature", { signature: "A".repeat(1_000_000) }],
    ["an array for a signature", { signature: [signature] }],
    ["a number for a signature", { signature: 5 as unknown as string }],
  ])("refuses %s", (_, change) => {
    expect(verifyRequest({ authToken, url, params, signature, ...change })).toBe(false);
  });

  it.each(["A".repeat(27) + "é", "A".repeat(27) + "A", "A".repeat(26) + "é=", "A".repeat(28) + "="])(
    "is false, and no throw, for %j",
    (signature) => {
      expect(verifyRequest({ authToken: TOKEN, url: "https://x.example/", signature })).toBe(false);
    },
  );
});

describe("verifyRequest: what it is given", () => {
  it.each([[undefined], [""], [new URL(url)]])("throws for the url %s", (wrong) => {
    expect(() => verifyRequest({ authToken, url: wrong as string, params, signature })).toThrow(/url must be/);
  });

  it.each<[string, unknown[], string]>([
    [
      "the arguments of twilio's validator",
      ["12345", "x", "https://x.example/", {}],
      'verifyRequest takes one object: { authToken, signature, url, params }, not "12345".',
    ],
    ["nothing", [], "verifyRequest takes one object: { authToken, signature, url, params }, not undefined."],
    [
      "a relative URL",
      [{ authToken: TOKEN, url: "/fax", signature: "" }],
      'url must be the full URL as text, with https:// and the host, not "/fax".',
    ],
  ])("is said to be wrong: %s", (_, args, message) => {
    const call = verifyRequest as (...args: unknown[]) => boolean;
    expect(() => call(...args)).toThrow(new TypeError(message));
  });

  it("stays as it was: the list of a repeated name does not grow", () => {
    const list = ["1", "2"];
    const params = [
      ["A", list],
      ["A", "3"],
    ] as const;
    verifyRequest({ authToken: TOKEN, url: "https://x.example/", params, signature: sign("x") });
    expect(list).toEqual(["1", "2"]);
  });

  it("is not moved by a polluted prototype", async () => {
    await polluted({ Extra: "1" }, () => expect(verifyRequest({ authToken, url, params, signature })).toBe(true));
  });
});

describe("what is no request, in words", () => {
  it.each<[unknown, string]>([
    [undefined, "signRequest takes one object: { authToken, url, params }, not undefined."],
    [Promise.resolve(), "{ authToken, url, params }, not a Promise: is an await missing?"],
    [{ authToken, url: "xhttps://a.example/" }, "url must be the full URL as text"],
    [{ authToken: " x", url }, "authToken must be text that is not empty, without white space around it"],
    [{ authToken: "x\n", url }, "without white space around it, or several such. Is the environment variable set?"],
    [{ authToken: ["x", ""], url }, "authToken must be"],
    [{ authToken, url, params: 5 }, "params must be the parameters, not 5."],
    [
      { authToken, url, params: Promise.resolve({}) },
      "params must be the parameters, not a Promise: is an await missing?",
    ],
  ])("signRequest(%o) throws", (options, words) => {
    expect(() => signRequest(options as never)).toThrow(words);
  });

  it.each([`${signature}=`, `a${signature}`, signature.replace("=", "a"), `${signature.slice(0, 26)}-=`, "", null])(
    "the signature %s is false",
    (wrong) => {
      expect(verifyRequest({ authToken, url, params, signature: wrong })).toBe(false);
    },
  );
});
