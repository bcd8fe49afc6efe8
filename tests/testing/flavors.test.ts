/** The limits of Twilio's page about connection overrides, and the SIDs and parameters of both flavors. */
import { describe, expect, it } from "vitest";
import { FLAVORS } from "../../src/testing/flavors.js";

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

describe("FLAVORS.twilio", () => {
  it.each([
    ["", { readMs: 15_000, totalMs: 15_000, retries: 1, retried: ["ct"] }],
    ["rt=100", { readMs: 100 }],
    ["rt=15000", { readMs: 15_000 }],
    ["rt=99", { readMs: 15_000 }],
    ["rt=15001", { readMs: 15_000 }],
    ["tt=100", { totalMs: 100 }],
    ["tt=99", { totalMs: 15_000 }],
    ["tt=15001", { totalMs: 15_000 }],
    ["rc=0", { retries: 0 }],
    ["rc=5", { retries: 5 }],
    ["rc=6", { retries: 1 }],
    ["rc=-1", { retries: 1 }],
    ["rc=1.5", { retries: 1 }],
    ["rc=many", { retries: 1 }],
    ["rp=4xx,5xx", { retried: ["4xx", "5xx"] }],
    ["rp=all", { retried: ["all"] }],
  ])("has the documented limits for #%s", (fragment, limits) => {
    expect(FLAVORS.twilio.limits(new URLSearchParams(fragment))).toMatchObject(limits);
  });

  it("FLAVORS.twilio has Twilio's SIDs, headers, parameters and error numbers", () => {
    const { faxSid, accountSid, headers, callbackParams, mediaParams, ...rest } = FLAVORS.twilio;
    expect(faxSid()).toMatch(/^FX[\da-f]{32}$/);
    expect(accountSid()).toMatch(/^AC[\da-f]{32}$/);
    expect(headers()).toEqual({ "i-twilio-idempotency-token": expect.stringMatching(UUID) });
    expect(callbackParams(new Date())).toEqual({});
    expect(mediaParams("1.pdf")).toEqual({ MediaUrl: "https://media.twiliocdn.com/fax/1.pdf" });
    expect(rest).toMatchObject({ signatureHeader: "x-twilio-signature", maxRedirects: 10 });
    expect(rest.errorCodes.status).toBe(11200);
    expect(rest.userAgent).toContain("twilio");
  });
});

describe("FLAVORS.signalwire", () => {
  it.each([
    ["", {}],
    ["rt=100", { readMs: 100 }],
    ["rt=15000", { readMs: 15_000 }],
    ["rt=99", {}],
    ["rt=15001", {}],
    ["tt=100", { totalMs: 100 }],
    ["tt=15001", {}],
    ["ot=100&rc=3&rp=all", {}],
  ])("has the documented limits for #%s", (fragment, limits) => {
    const defaults = { readMs: 5000, totalMs: 15_000, retries: 0, retried: [] };
    expect(FLAVORS.signalwire.limits(new URLSearchParams(fragment))).toEqual({ ...defaults, ...limits });
  });

  it("FLAVORS.signalwire has SignalWire's SIDs, headers, parameters and error numbers", () => {
    const { faxSid, accountSid, headers, callbackParams, mediaParams, ...rest } = FLAVORS.signalwire;
    for (const sid of [faxSid(), accountSid(), mediaParams("1.pdf")["MediaSid"]]) expect(sid).toMatch(UUID);
    expect(headers()).toEqual({});
    expect(callbackParams(new Date("2026-11-24T10:00:00.123Z"))).toEqual({ Timestamp: "2026-11-24T10:00:00Z" });
    expect(mediaParams("1.pdf")["MediaUrl"]).toBe("https://files.signalwire.com/1.pdf");
    expect(rest).toMatchObject({ signatureHeader: "x-signalwire-signature", maxRedirects: 3 });
    expect(rest.errorCodes.status).toBe(11217);
    expect(rest.userAgent).toContain("signalwire");
  });
});
