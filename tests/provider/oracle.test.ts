/** The oracle against published vectors and recorded signatures, so that it can be trusted in the other tests. */
import { describe, expect, it } from "vitest";
import { SIGNED } from "../peers/inputs.mjs";
import { recorded } from "../peers/recorded.js";
import { readDocument } from "./document.js";
import { sign } from "./sign.js";

describe("sign", () => {
  it("sign returns the signature that Twilio publishes", () => {
    const params = new URLSearchParams(
      "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212",
    );
    const url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    expect(sign("12345", url, params)).toBe("RSOYDt4T1cUTdK1PDd93/VVr8B8=");
  });

  it.each(["twilio", "signalwire"] as const)("returns the signatures that the SDK of %s validates", (flavor) => {
    const { authToken, url, [flavor]: forms } = SIGNED;
    for (const name of ["incoming", "callback", "odd"] as const) {
      const signature = sign(authToken, url, new URLSearchParams(forms[name]), flavor);
      expect(signature, name).toBe(recorded.signatures[flavor][name]);
    }
  });

  it("sign signs a repeated value once for Twilio, and each time for SignalWire", () => {
    const [once, twice] = ["a=1", "a=1&a=1"].map((form) => new URLSearchParams(form));
    const signatures = [sign("key", "u", twice), sign("key", "u", twice, "signalwire")];
    expect(signatures.map((each) => each === sign("key", "u", once))).toEqual([true, false]);
  });
});

describe("readDocument", () => {
  it.each([
    ['<Response><Receive action="/a?b=1&amp;c=&#x9;&quot;>"/></Response>', { action: '/a?b=1&c=\t">' }],
    ['<Response><Receive action="/a\n\tb"/></Response>', { action: "/a  b" }],
    ['<?xml version="1.0" encoding="UTF-8"?>\n<!-- a - b -->\n<Response>\n  <Receive></Receive>\n</Response>\n', {}],
    ['<Response><!-- x --><Receive pageSize="a4"/><Reject/></Response>', { pageSize: "a4" }],
  ])("readDocument reads the first verb of %s", (xml, attributes) => {
    expect(readDocument(xml)).toEqual({ name: "Receive", attributes });
  });

  it.each([
    [12100, "<Response><Receive></Response>"],
    [12100, "<Response/>junk"],
    [12100, "<Response/>junk<!-- x -->"],
    [12100, "<Response/><Response/>"],
    [12100, '<Response><Receive action="/a&b"/></Response>'],
    [12100, '<Response><Receive action="/a&nbsp;b"/></Response>'],
    [12100, '<Response><Receive action="/a&#1;b"/></Response>'],
    [12100, '<Response><Receive action="/a<b"/></Response>'],
    [12100, '<Response><Receive action="/a" action="/b"/></Response>'],
    [12100, "<Response>\u0001<Receive/></Response>"],
    [12100, "<Response><!-- a -- b --><Receive/></Response>"],
    [12102, "<response><Receive/></response>"],
    [12102, "<!DOCTYPE html><html><body>It works</body></html>"],
    [12200, "<Response><RECEIVE/></Response>"],
    [12200, "<Response><Say/></Response>"],
    [12200, "<Response><Receive/><reject/></Response>"],
    [12200, '<Response><Receive pagesize="a4"/></Response>'],
    [12200, '<Response><Receive constructor="a4"/></Response>'],
    [12200, '<Response><Receive pageSize="A4"/></Response>'],
    [12200, '<Response><Receive method="post"/></Response>'],
    [12200, '<Response><Receive action=""/></Response>'],
    [12200, '<Response><Reject reason="busy"/></Response>'],
    [12200, '<Response version="1"><Reject/></Response>'],
    [12200, "<Response><Receive>text</Receive></Response>"],
    [12200, "<Response><Receive> </Receive></Response>"],
    [12200, "<Response><Receive><Reject/></Receive></Response>"],
    [12200, "<Response>text<Receive/></Response>"],
    [12200, "<Response><![CDATA[text]]><Receive/></Response>"],
  ])("readDocument throws error %i for %s", (code, xml) => {
    expect(() => readDocument(xml)).toThrow(expect.objectContaining({ code }));
  });
});
