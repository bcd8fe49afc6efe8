/** The limits of Twilio's page about connection overrides, and the SIDs and parameters of both flavors. */
import { describe, expect, it } from "vitest";
import { type FlavorRules, FLAVORS } from "../../src/testing/flavors.js";

const twilio = (fragment: string) => FLAVORS.twilio.limits(new URLSearchParams(fragment));

describe("Twilio's limits", () => {
  it("are the documented defaults without a fragment", () => {
    expect(twilio("")).toEqual({ readMs: 15_000, totalMs: 15_000, retries: 1, retried: ["ct"] });
  });

  it.each([
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
  ])("follow the documented range for #%s", (fragment, limits) => {
    expect(twilio(fragment)).toMatchObject(limits);
  });
});

describe("SignalWire's limits", () => {
  it("ignore the fragment, because its units are not documented", () => {
    const limits = { readMs: 5000, totalMs: Infinity, retries: 0, retried: [] };
    const signalwire: FlavorRules = FLAVORS.signalwire;
    for (const fragment of ["", "rt=100&ot=1&tt=1&rc=3&rp=all"])
      expect(signalwire.limits(new URLSearchParams(fragment))).toEqual(limits);
  });
});

describe("FLAVORS", () => {
  const now = new Date("2026-11-24T10:00:00.123Z");
  const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

  it("creates Twilio's SIDs, headers and parameters", () => {
    const { faxSid, accountSid, headers, callbackParams, mediaParams, ...rest }: FlavorRules = FLAVORS.twilio;
    expect([faxSid(), accountSid()]).toEqual([
      expect.stringMatching(/^FX[\da-f]{32}$/),
      expect.stringMatching(/^AC[\da-f]{32}$/),
    ]);
    expect(faxSid()).not.toBe(faxSid());
    expect(headers()).toEqual({ "i-twilio-idempotency-token": expect.stringMatching(UUID) });
    expect(callbackParams(now)).toEqual({});
    expect(mediaParams("1.pdf")).toEqual({ MediaUrl: "https://media.twiliocdn.com/fax/1.pdf" });
    expect(rest).toMatchObject({
      signatureHeader: "x-twilio-signature",
      maxRedirects: 10,
      errorCodes: { status: 11200 },
    });
    expect(rest.userAgent).toContain("twilio");
  });

  it("creates SignalWire's SIDs, headers and parameters", () => {
    const { faxSid, accountSid, headers, callbackParams, mediaParams, ...rest } = FLAVORS.signalwire;
    for (const sid of [faxSid(), accountSid(), mediaParams("1.pdf")["MediaSid"]]) expect(sid).toMatch(UUID);
    expect(headers()).toEqual({});
    expect(callbackParams(now)).toEqual({ Timestamp: "2026-11-24T10:00:00Z" });
    expect(mediaParams("1.pdf")["MediaUrl"]).toBe("https://files.signalwire.com/1.pdf");
    expect(rest).toMatchObject({
      signatureHeader: "x-signalwire-signature",
      maxRedirects: 3,
      errorCodes: { status: 11217 },
    });
    expect(rest.userAgent).toContain("signalwire");
  });
});
