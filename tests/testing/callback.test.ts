/** The callback's parameters, compared with the payload in SignalWire's guide and Twilio's documentation. */
import { describe, expect, it } from "vitest";
import { createCallbackParams, type CallbackParts } from "../../src/testing/callback.js";
import { FLAVORS } from "../../src/testing/flavors.js";

const incoming = { FaxSid: "FX1", AccountSid: "AC1", From: "+15017122661", To: "+15558675310", ApiVersion: "v1" };
const now = new Date("2022-01-13T21:54:46Z");
const params = (more: Partial<CallbackParts> = {}, flavor: keyof typeof FLAVORS = "signalwire") =>
  createCallbackParams({ incoming, overrides: {}, outcome: "received", now, ...more }, FLAVORS[flavor]);

describe("createCallbackParams", () => {
  it("returns the parameters of SignalWire's guide for stored pages", () => {
    expect(params({ storedMediaType: "application/pdf" })).toEqual({
      ...incoming,
      ...{ RemoteStationId: "+15017122661", FaxStatus: "received", NumPages: "1", Timestamp: "2022-01-13T21:54:46Z" },
      ...{ MediaSid: expect.any(String), MediaUrl: "https://files.signalwire.com/FX1.pdf" },
    });
  });

  it("returns the parameters of Twilio's documentation for stored pages", () => {
    expect(params({ storedMediaType: "image/tiff" }, "twilio")).toEqual({
      ...incoming,
      ...{ RemoteStationId: "+15017122661", FaxStatus: "received", NumPages: "1" },
      MediaUrl: "https://media.twiliocdn.com/fax/FX1.tiff",
    });
  });

  it("replaces MediaUrl for stored pages, and omits it if the callback contains the pages", () => {
    const mediaUrl = "http://127.0.0.1/1";
    expect(params({ storedMediaType: "application/pdf", mediaUrl })["MediaUrl"]).toBe(mediaUrl);
    const multipart = params({ mediaUrl }, "twilio");
    expect(multipart).toEqual({ ...incoming, RemoteStationId: "+15017122661", FaxStatus: "received", NumPages: "1" });
  });

  it("returns an error and no pages for a failed fax", () => {
    expect(params({ outcome: "failed", storedMediaType: "application/pdf" }, "twilio")).toEqual({
      ...incoming,
      ...{ FaxStatus: "failed", ErrorCode: "34007", ErrorMessage: "The sending machine hung up." },
    });
  });

  it.each([
    [{ FaxStatus: "delivered" }, { FaxStatus: "delivered", NumPages: "1" }],
    [
      { FaxStatus: "received", Status: "failed" },
      { FaxStatus: "received", Status: "failed", NumPages: "1" },
    ],
    [
      { Status: "received", NumPages: "7" },
      { Status: "received", NumPages: "7" },
    ],
  ])("lets the status of the overrides %j determine the other parameters", (overrides, expected) => {
    const station = { RemoteStationId: "+15017122661" };
    expect(params({ overrides, outcome: "failed" }, "twilio")).toEqual({ ...incoming, ...station, ...expected });
  });

  it.each(["busy", "no-answer", "canceled"])("adds only the status for %s", (status) => {
    expect(params({ overrides: { FaxStatus: status } }, "twilio")).toEqual({ ...incoming, FaxStatus: status });
    expect(params({ overrides: { Status: status } }, "twilio")).toEqual({ ...incoming, Status: status });
  });

  it("returns an empty RemoteStationId for a caller without a number", () => {
    const { From: _, ...rest } = incoming;
    expect(params({ incoming: rest })["RemoteStationId"]).toBe("");
  });
});
