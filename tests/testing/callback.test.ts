/** The callback's parameters, compared with the payload in SignalWire's guide and Twilio's documentation. */
import { describe, expect, it } from "vitest";
import { createCallbackParams, type CallbackParts } from "../../src/testing/callback.js";
import { FLAVORS } from "../../src/testing/flavors.js";

const RECEIVED = { RemoteStationId: "+15017122661", FaxStatus: "received", NumPages: "1" };
const incoming = { FaxSid: "FX1", AccountSid: "AC1", From: "+15017122661", To: "+15558675310", ApiVersion: "v1" };
const now = new Date("2022-01-13T21:54:46Z");
const params = (more: Partial<CallbackParts> = {}, flavor: keyof typeof FLAVORS = "signalwire") =>
  createCallbackParams({ incoming, overrides: {}, outcome: "received", now, ...more }, FLAVORS[flavor]);

describe("createCallbackParams", () => {
  it("returns the parameters of SignalWire's guide for stored pages", () => {
    expect(params({ storedMediaType: "application/pdf" })).toEqual({
      ...{ ...incoming, ...RECEIVED, Timestamp: "2022-01-13T21:54:46Z" },
      ...{ MediaSid: expect.any(String), MediaUrl: "https://files.signalwire.com/FX1.pdf" },
    });
  });

  it("returns the parameters of Twilio's documentation for stored pages", () => {
    const expected = { ...incoming, ...RECEIVED, MediaUrl: "https://media.twiliocdn.com/fax/FX1.tiff" };
    expect(params({ storedMediaType: "image/tiff" }, "twilio")).toEqual(expected);
  });

  it("returns the given mediaUrl for stored pages", () => {
    const mediaUrl = "http://127.0.0.1/1";
    expect(params({ storedMediaType: "application/pdf", mediaUrl })["MediaUrl"]).toBe(mediaUrl);
  });

  it("returns no MediaUrl if the callback contains the pages", () => {
    expect(params({ mediaUrl: "http://127.0.0.1/1" }, "twilio")).toEqual({ ...incoming, ...RECEIVED });
  });

  it("returns an error and no pages for a failed fax", () => {
    const failure = { FaxStatus: "failed", ErrorCode: "34007", ErrorMessage: "The sending machine hung up." };
    const parts = { outcome: "failed", storedMediaType: "application/pdf" } as const;
    expect(params(parts, "twilio")).toEqual({ ...incoming, ...failure });
  });

  const pages = { RemoteStationId: "+15017122661", NumPages: "1" };
  it.each<[Record<string, string>, object]>([
    [{ FaxStatus: "delivered" }, pages],
    [{ FaxStatus: "received", Status: "failed" }, pages],
    [{ Status: "received", NumPages: "7" }, pages],
    [{ FaxStatus: "busy" }, {}],
    [{ Status: "canceled" }, {}],
  ])("derives the other parameters from the status in %j", (overrides, expected) => {
    expect(params({ overrides, outcome: "failed" }, "twilio")).toEqual({ ...incoming, ...expected, ...overrides });
  });

  it("returns an empty RemoteStationId for a caller without a number", () => {
    const { From: _, ...rest } = incoming;
    expect(params({ incoming: rest })["RemoteStationId"]).toBe("");
  });
});
