/** The verification step: the headers that are read, and captured requests that are changed. */
import { describe, expect, it } from "vitest";
import { signRequest, verifyRequest } from "../../src/webhook/index.js";
import { INCOMING, ORIGIN, TOKEN, plain, request, requestWithout, setUp } from "./support.js";

describe("handle: signature headers", () => {
  it.each(["x-twilio-signature", "x-signalwire-signature", "X-Twilio-Signature", "X-SIGNALWIRE-SIGNATURE"])(
    "reads %s",
    async (header) => {
      expect((await setUp().handle(request({ header }))).status).toBe(200);
    },
  );

  it("takes either header when the other is wrong", async () => {
    const wrong = { "x-signalwire-signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" };
    expect((await setUp().handle(request({ headers: wrong }))).status).toBe(200);
  });

  it("verifies nothing with authToken: false, and checks all the rest", async () => {
    const { handle } = setUp({ authToken: false });
    expect((await handle(requestWithout("x-twilio-signature"))).status).toBe(200);
    expect((await handle(request({ token: "guessed" }))).status).toBe(200);
    expect(plain(await handle(request({ params: { FaxSid: "FX1" } })))).toEqual([400, "invalid-parameters"]);
    expect(plain(await handle({ ...request(), method: "PUT" }))).toEqual([405, "method-not-allowed"]);
  });
});

describe("handle: what a captured request cannot become", () => {
  const FaxSid = "FX0123456789abcdef0123456789abcdef";
  const captured = {
    ...{ AccountSid: "AC1", ApiVersion: "v1", FaxSid, FaxStatus: "received", From: "+1", MediaSid: "MD1" },
    ...{ MediaUrl: "https://x.example/1.pdf", NumPages: "2", RemoteStationId: "+1", To: "+2" },
  };
  const { FaxStatus: _, ...rest } = captured;
  const middle = "MediaSidMD1MediaUrlhttps://x.example/1.pdfNumPages2RemoteStationId+1";
  const five = { AccountSid: "AC1", ApiVersion: "v1", FaxSid, To: "+2" };

  it.each<[string, Record<string, string>, Record<string, string>]>([
    [
      "into a longer SID",
      { AccountSid: "AC1", ApiVersion: "v1", FaxSid, FaxStatus: "received", From: "+1", To: "+2" },
      { AccountSid: "AC1", ApiVersion: "v1", FaxSid: `${FaxSid}FaxStatusreceived`, From: "+1", To: "+2" },
    ],
    ["into a new name", captured, { ...five, FaxStatusreceived: "", From: `+1${middle}` }],
    ["into the caller", { ...rest, Status: "received" }, { ...five, From: `+1${middle}Statusreceived` }],
    [
      "into names of its own",
      { ...rest, Status: "received" },
      { ...five, From: "+1Media", [middle.slice(5)]: "Statusreceived" },
    ],
  ])("cuts no captured callback anew %s", async (_, params, recut) => {
    const signature = signRequest({ authToken: TOKEN, url: `${ORIGIN}/fax`, params });
    expect(signRequest({ authToken: TOKEN, url: `${ORIGIN}/fax`, params: recut })).toBe(signature);
    const { handle, onFax } = setUp();
    expect(plain(await handle(request({ params: recut })))).toEqual([400, "invalid-parameters"]);
    expect(onFax).not.toHaveBeenCalled();
  });

  it("cuts no captured callback anew into a name that is repeated, whose first value looks harmless", async () => {
    const MediaUrl = "https://x.example/Mz.pdf";
    const params = { AccountSid: "AC1", ApiVersion: "v1", FaxSid, From: "+1", MediaUrl, Status: "received", To: "+2" };
    const signature = signRequest({ authToken: TOKEN, url: `${ORIGIN}/fax`, params });
    const { MediaUrl: _url, Status: _status, ...harmless } = params;
    const recut = new URLSearchParams(harmless);
    recut.append("M", "z.pdfStatusreceived");
    recut.append("M", "ediaUrlhttps://x.example/");
    expect(verifyRequest({ authToken: TOKEN, signature, url: `${ORIGIN}/fax`, params: recut })).toBe(true);
    const { handle, onFax } = setUp();
    const sent = request({ body: recut.toString(), headers: { "x-twilio-signature": signature } });
    expect(plain(await handle(sent))).toEqual([400, "invalid-parameters"]);
    expect(onFax).not.toHaveBeenCalled();
  });

  it("moves no form of a captured POST into the URL of a GET", async () => {
    const evil = `?FaxSid=FXevil&AccountSid=AC1&From=a&To=b&ApiVersion=v1&FaxStatus=received&z=`;
    const params = { ...INCOMING, From: evil };
    const signature = signRequest({ authToken: TOKEN, url: `${ORIGIN}/fax`, params });
    const text = Object.keys(params)
      .sort()
      .reduce((all, name) => all + name + params[name as "From"], "");
    for (const publicUrl of [ORIGIN, undefined]) {
      const { handle, onFax, onCallback } = setUp({ publicUrl });
      const headers = { host: "fax.example.com", "x-twilio-signature": signature };
      expect(plain(await handle({ method: "GET", url: `/fax${text}`, headers }))).toEqual([403, "forbidden"]);
      expect([onFax.mock.calls, onCallback.mock.calls]).toEqual([[], []]);
    }
  });
});
