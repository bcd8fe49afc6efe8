/** Accepted and rejected arguments. tests/messages.snap.md has a message for each kind of mistake. */
import { describe, expect, it } from "vitest";
import { createFaxProvider } from "../../src/testing/index.js";

const URL_ = "https://fax.example.com/fax";
const create = (more: object = {}) =>
  createFaxProvider({ url: URL_, authToken: "PSK_test", fetch: () => new Response(), ...more });

describe("createFaxProvider", () => {
  it.each<[string, unknown]>([
    ["authToken", "  "],
    ["url", "https:/fax.example.com/fax"],
    ["url", `https://x/${"a".repeat(2039)}`],
    ["timeoutMs", NaN],
    ["timeoutMs", Infinity],
    ["timeoutMs", "5000"],
    ["fetch", "webhook"],
    ["accountSid", 12345],
    ["fallbackUrl", "/fallback"],
    ["connectTo", "localhost:3000"],
    ["connectTo", "http://localhost:3000/fax"],
    ["connectTo", "http://localhost:3000?"],
    ["connectTo", "http://user@localhost:3000"],
    ["connectTo", "ftp://localhost"],
    ["connectTo", 3000],
  ])("createFaxProvider throws for %s: %j", (name, value) => {
    expect(() => create({ [name]: value })).toThrow(new RegExp(`^${name} must be`));
  });

  it.each(["HTTPS://user:p%40ss@fax.example.com:8443/fax?a=1#rc=2&rp=all", "http://:pass@127.0.0.1/"])(
    "createFaxProvider accepts the URL %s",
    (url) => {
      expect(() => create({ url })).not.toThrow();
    },
  );

  it.each(["http://localhost:3000", "HTTP://LOCALHOST:3000/"])("accepts the origin %s as connectTo", (connectTo) => {
    expect(() => create({ connectTo, fetch: undefined })).not.toThrow();
    expect(() => create({ connectTo })).toThrow("Remove one of them");
  });

  it("createFaxProvider accepts a URL of 2,048 characters", () => {
    expect(() => create({ url: `https://x/${"a".repeat(2038)}` })).not.toThrow();
  });

  it("sendFax rejects if now returns a number", async () => {
    await expect(create({ now: Date.now }).sendFax()).rejects.toThrow(/^The value returned by now/);
  });
});

describe("sendFax", () => {
  it.each<[string, object]>([
    ['"To" is set twice', { to: "+1", params: { To: "+2" } }],
    ['"MediaUrl" is set twice', { mediaUrl: "https://x/", params: { MediaUrl: "https://y/" } }],
    ["The outcome is set twice", { outcome: "received", params: { Status: "received" } }],
    ["to must be a string", { to: 1 }],
    ["pages must be", { pages: new Uint8Array(9) }],
    ['did you mean "Media"', { params: { media: "x" } }],
    ['did you mean "MediaUrl"', { params: { media_url: "x" } }],
    ["params must be an object", { params: [] }],
  ])("sendFax rejects with the message %s", async (message, fax) => {
    await expect(create().sendFax(fax)).rejects.toThrow(message);
  });
});
