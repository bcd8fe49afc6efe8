/** The callback's parameters, held against the payload of SignalWire's guide and Twilio's page. */
import { describe, expect, it } from "vitest";
import { callbackParams, type CallbackParts } from "../../src/testing/callback.js";
import { FLAVORS } from "../../src/testing/flavors.js";

const incoming = { FaxSid: "FX1", AccountSid: "AC1", From: "+15017122661", To: "+15558675310", ApiVersion: "v1" };
const now = new Date("2022-01-13T21:54:46Z");
const params = (more: Partial<CallbackParts> = {}, flavor: keyof typeof FLAVORS = "signalwire") =>
  callbackParams({ incoming, given: {}, outcome: "received", now, ...more }, FLAVORS[flavor]);

describe("callbackParams", () => {
  it("has what SignalWire's guide shows for pages that it keeps", () => {
    expect(params({ kept: "application/pdf" })).toEqual({
      ...incoming,
      ...{ RemoteStationId: "+15017122661", FaxStatus: "received", NumPages: "1", Timestamp: "2022-01-13T21:54:46Z" },
      ...{ MediaSid: expect.any(String), MediaUrl: "https://files.signalwire.com/FX1.pdf" },
    });
  });

  it("has what Twilio's page names", () => {
    expect(params({ kept: "image/tiff" }, "twilio")).toEqual({
      ...incoming,
      ...{ RemoteStationId: "+15017122661", FaxStatus: "received", NumPages: "1" },
      MediaUrl: "https://media.twiliocdn.com/fax/FX1.tiff",
    });
  });

  it("has another address when one is given, and none for pages that come along", () => {
    const mediaUrl = "http://127.0.0.1/1";
    expect(params({ kept: "application/pdf", mediaUrl })["MediaUrl"]).toBe(mediaUrl);
    const along = params({ mediaUrl }, "twilio");
    expect(along).toEqual({ ...incoming, RemoteStationId: "+15017122661", FaxStatus: "received", NumPages: "1" });
  });

  it("has an error and no pages for a failed fax", () => {
    expect(params({ outcome: "failed", kept: "application/pdf" }, "twilio")).toEqual({
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
  ])("takes the status from %j, and lets it win", (given, expected) => {
    const station = { RemoteStationId: "+15017122661" };
    expect(params({ given, outcome: "failed" }, "twilio")).toEqual({ ...incoming, ...station, ...expected });
  });

  it.each(["busy", "no-answer", "canceled"])("has nothing but the status for %s", (status) => {
    expect(params({ given: { FaxStatus: status } }, "twilio")).toEqual({ ...incoming, FaxStatus: status });
    expect(params({ given: { Status: status } }, "twilio")).toEqual({ ...incoming, Status: status });
  });

  it("has an empty station for a caller without a number", () => {
    const { From: _, ...rest } = incoming;
    expect(params({ incoming: rest })["RemoteStationId"]).toBe("");
  });
});
