import { describe, expect, it } from "vitest";
import { parseTwiml, receive, reject, toTwiml, TwimlError, TWIML_ERROR_CODES, type Verb } from "../../src/index.js";
import { catchTwimlError } from "../twiml-error.js";

const inside = (content: string) => `<Response>${content}</Response>`;
const parseAny = parseTwiml as (xml: unknown, options?: unknown) => Verb | undefined;
const D = '<?xml version="1.0" encoding="UTF-8"?>';
const ALL = receive({
  action: "https://example.com",
  method: "GET",
  mediaType: "application/pdf",
  pageSize: "letter",
  storeMedia: true,
});

describe("parseTwiml: documents of other programs", () => {
  it.each<[string, string, Verb | undefined]>([
    // twilio-java, FaxResponseTest and fax/ReceiveTest
    ["Java: empty", `${D}<Response/>`, undefined],
    [
      "Java: every attribute",
      `${D}<Response><Receive action="https://example.com" mediaType="application/pdf" method="GET" ` +
        'pageSize="letter" storeMedia="true"/></Response>',
      ALL,
    ],
    ["Java: without a declaration", "<Response/>", undefined],
    // twilio-csharp, FaxResponseTest; Environment.NewLine is CRLF on Windows
    ["C#: empty", '<?xml version="1.0" encoding="utf-8"?>\r\n<Response></Response>', undefined],
    [
      "C#: every attribute",
      '<?xml version="1.0" encoding="utf-8"?>\r\n<Response>\r\n  <Receive action="https://example.com" method="GET" ' +
        'mediaType="application/pdf" pageSize="letter" storeMedia="true"></Receive>\r\n</Response>',
      ALL,
    ],
    // @signalwire/compatibility-api, "LaML to receive a fax" and "LaML to reject a fax"
    [
      "SignalWire JS: receive",
      `${D}<Response><Receive action="/receive/fax"/></Response>`,
      receive({ action: "/receive/fax" }),
    ],
    ["SignalWire JS: reject", `${D}<Response><Reject/></Response>`, reject()],
    // A public program's own test of what twilio-php writes: a newline after each of the two lines
    [
      "PHP",
      `${D}\n<Response><Receive action="http://localhost/api/twilio/fax-receive" pageSize="a4"/></Response>\n`,
      receive({ action: "http://localhost/api/twilio/fax-receive", pageSize: "a4" }),
    ],
    // twilio.com/docs/fax/twiml/receive
    [
      "Twilio's documentation: TIFF",
      `${D}\n<Response>\n  <Receive mediaType="image/tiff" storeMedia="true"></Receive>\n</Response>`,
      receive({ mediaType: "image/tiff", storeMedia: true }),
    ],
    // developer.signalwire.com, "<Reject>" and "Callback for inbound fax"
    ["SignalWire's documentation: reject", `${D}\n<Response>\n<Reject/>\n</Response>`, reject()],
    [
      "SignalWire's documentation: callback",
      `${D}\n<Response>\n<Receive action="https://YOUR_URL_EXPECTING_A_CALLBACK."/>\n</Response>`,
      receive({ action: "https://YOUR_URL_EXPECTING_A_CALLBACK." }),
    ],
    // Twilio's Python tutorial
    [
      "an indented template literal",
      '\n        <Response>\n            <Receive action="/fax/received"/>\n        </Response>\n    ',
      receive({ action: "/fax/received" }),
    ],
  ])("parseTwiml reads %s", (_, xml, verb) => {
    expect(parseTwiml(xml)).toEqual(verb);
  });

  // The same tests contain documents that providers refuse. They are well-formed.
  it.each([
    ["Java: attributes of Response", '<Response a="b" foo="bar"/>', "unknown-attribute", 11],
    ["Java: text", "<Response>Hey no tags!</Response>", "invalid-value", 11],
    ["Java: mixed", "<Response>before<Child>content</Child>after</Response>", "invalid-value", 11],
    ["Java: a generic node", '<Response><genericTag key="value">someText</genericTag></Response>', "unknown-verb", 11],
    [
      "C#: an element",
      '<Response><Receive><generic-tag a="1">C</generic-tag></Receive></Response>',
      "unknown-verb",
      20,
    ],
    ["C#: text", "<Response><Receive>Here</Receive></Response>", "invalid-value", 20],
    ["C#: attributes", '<Response><Receive newParam1="value"></Receive></Response>', "unknown-attribute", 20],
    ["Java: no Response", "<Receive/>", "not-a-response", 1],
  ] as const)("parseTwiml throws for %s", (_, xml, code, column) => {
    const providerError = code === "not-a-response" ? 12102 : 12200;
    expect(catchTwimlError(() => parseTwiml(xml))).toMatchObject({ code, line: 1, column, providerError });
  });
});

describe("parseTwiml", () => {
  it("parseTwiml returns a frozen verb equal to one of receive", () => {
    const verb = parseTwiml(inside('<Receive action="/x" storeMedia="false"/>'))!;
    expect(verb).toEqual(receive({ action: "/x", storeMedia: false }));
    expect(Object.isFrozen(verb) && Object.isFrozen((verb as { attributes: object }).attributes)).toBe(true);
    expect(toTwiml(verb)).toBe(D + inside('<Receive action="/x" storeMedia="false"/>'));
  });

  it.each<[string, string]>([
    ["a byte order mark", "\ufeff<Response/>"],
    ["a byte order mark and a declaration", '\ufeff<?xml version="1.0"?><Response/>'],
    ["single quotes", "<?xml version='1.0' encoding='utf-8' standalone='yes'?><Response/>"],
    ["white space in the declaration", '<?xml\n version = "1.1"\tencoding\r\n=\r"Utf-8" ?><Response />'],
    ["white space in tags", "<Response\n\t></Response\r\n>"],
    ["comments", "<!----><!-- - a --><Response><!--<Reject/>--></Response><!-- & -->"],
    ["processing instructions", "<?a?><?xml-stylesheet href='<a'?><Response><?é ?? & > ?></Response>"],
  ])("parseTwiml accepts %s", (_, xml) => {
    expect(parseTwiml(xml)).toBeUndefined();
  });

  it("parseTwiml skips comments, processing instructions and white space in a verb", () => {
    expect(parseTwiml(inside("<Reject> <!-- a --><?b?>\n</Reject>"))).toEqual(reject());
  });

  it.each([
    ["&amp;&lt;&gt;&quot;&apos;", `&<>"'`],
    ["&#38;&#x26;&#x1F600;&#x00000041;&#0065;&#x10FFFF;", "&&😀AA\u{10ffff}"],
    ["&amp;lt;&#38;amp;", "&lt;&amp;"],
    ["a\tb\nc\rd\r\ne", "a b c d e"],
    ["a&#9;b&#xA;c&#xD;d&#13;&#10;", "a\tb\nc\rd\r\n"],
    [`>]]>'\ufeff`, `>]]>'\ufeff`],
  ])("parseTwiml reads the value %j as %j", (raw, value) => {
    expect(parseTwiml(inside(`<Receive later="${raw}"/>`), { unchecked: true })).toEqual(
      receive({}, { unchecked: { later: value } }),
    );
  });

  it.each<[string, number, number]>([
    ["", 1, 1],
    ["   \n ", 2, 2],
    ["no document", 1, 1],
    ['\n<?xml version="1.0"?><Response/>', 2, 1],
    ['<?xml version="2.0"?><Response/>', 1, 1],
    ['<?xml version="1.0" encoding="latin1"?><Response/>', 1, 1],
    ['<?xml encoding="UTF-8" version="1.0"?><Response/>', 1, 1],
    ["<?xml?><Response/>", 1, 1],
    ['<?XML version="1.0"?><Response/>', 1, 1],
    ["\ufeff\ufeff<Response/>", 1, 1],
    ["<!DOCTYPE html><html></html>", 1, 2],
    ["<Response><![CDATA[a]]></Response>", 1, 12],
    ["<Response>", 1, 11],
    ["<Response", 1, 10],
    ["<Response/", 1, 10],
    ["<Response/><Response/>", 1, 12],
    ["<Response/>\ntext", 2, 1],
    ["text<Response/>", 1, 1],
    ["<Response/>&amp;", 1, 12],
    ["</Response>", 1, 1],
    ["<Response></response>", 1, 11],
    ["<Response><Reject></Response>", 1, 19],
    ["<Response></Response", 1, 21],
    ["<Response></Response/>", 1, 21],
    ["< Response/>", 1, 2],
    ["<1/>", 1, 2],
    ["<Response><", 1, 12],
    ["<Response/ >", 1, 10],
    ['<Response a="1"b="2"/>', 1, 16],
    ['<Response a="1" a="2"/>', 1, 17],
    ["<Response a=1/>", 1, 12],
    ["<Response a/>", 1, 12],
    ['<Response a="/>', 1, 12],
    ['<Response a="<"/>', 1, 12],
    ["<Response a=\"'/>", 1, 12],
    ['<Response a="/x?b=1&c=2"/>', 1, 20],
    ['<Response a="\r\n😀\r\n😀&c"/>', 3, 2],
    ['<Response a="&nbsp;"/>', 1, 14],
    ['<Response a="&#0;"/>', 1, 14],
    ['<Response a="&#xD800;"/>', 1, 14],
    ['<Response a="&#X41;"/>', 1, 14],
    ['<Response a="&#x110000;"/>', 1, 14],
    [`<Response a="&#${"9".repeat(400)};"/>`, 1, 14],
    ['<Response a="&toString;"/>', 1, 14],
    ['<Response a="&amp ;"/>', 1, 14],
    ["<Response>&</Response>", 1, 11],
    ["<Response>a]]></Response>", 1, 12],
    ["<Response>\0</Response>", 1, 11],
    ["<Response>\ud800</Response>", 1, 11],
    ["<Response\u00a0/>", 1, 10],
    ["<Response><!-- a -- b --></Response>", 1, 11],
    ["<Response><!-- a ---></Response>", 1, 11],
    ["<Response><!--></Response>", 1, 11],
    ["<Response><?xml?></Response>", 1, 11],
    ["<Response><?a:b c?></Response>", 1, 11],
    ["<Response><?:?></Response>", 1, 11],
    ["<Response><?a</Response>", 1, 14],
    ["<Response><? a?></Response>", 1, 13],
    ["<Response×/>", 1, 10],
  ])("parseTwiml throws malformed for %j at line %i, column %i", (xml, line, column) => {
    const error = catchTwimlError(() => parseTwiml(xml));
    expect(error).toMatchObject({ code: "malformed", line, column, providerError: 12100 });
    expect(error.message.startsWith(`Line ${line}, column ${column}: `)).toBe(true);
  });

  it.each<[string, string, number, number]>([
    ["<response/>", "not-a-response", 1, 1],
    ["\n <html></html>", "not-a-response", 2, 2],
    ['<Response xmlns="a"/>', "unknown-attribute", 1, 11],
    [inside("<receive/>"), "unknown-verb", 1, 11],
    [inside("<a:Receive/>"), "unknown-verb", 1, 11],
    [inside("<constructor/>"), "unknown-verb", 1, 11],
    [inside("\n\t<Receive\n\tpagesize='a4'/>"), "unknown-attribute", 3, 2],
    [inside('<Receive é="1"/>'), "unknown-attribute", 1, 20],
    [inside('<Receive __proto__="1"/>'), "unknown-attribute", 1, 20],
    [inside('<Reject reason="busy"/>'), "unknown-attribute", 1, 19],
    [inside('<Receive pageSize="A4"/>'), "invalid-value", 1, 20],
    [inside('<Receive action=""/>'), "invalid-value", 1, 20],
    [inside(`<Receive action="/${"a".repeat(2048)}"/>`), "invalid-value", 1, 20],
    [inside('<Receive method="GET" storeMedia="no"/>'), "invalid-value", 1, 33],
    [inside('<Receive storeMedia="false"/>'), "pages-lost", 1, 20],
    [inside("<Reject/> <Receive/>"), "second-verb", 1, 21],
    [inside("<Reject/><Say/>"), "unknown-verb", 1, 20],
    [inside("<Reject>&#32;</Reject>"), "invalid-value", 1, 19],
    [inside("<Reject>  a</Reject>"), "invalid-value", 1, 21],
    [inside("<Receive><Reject/></Receive>"), "unknown-verb", 1, 20],
  ])("parseTwiml throws for %j: %s", (xml, code, line, column) => {
    expect(catchTwimlError(() => parseTwiml(xml))).toMatchObject({ code, line, column });
  });

  it("parseTwiml throws the error of receive with a position", () => {
    const { message } = catchTwimlError(() => receive({ pageSize: "A4" } as object));
    const error = catchTwimlError(() => parseTwiml(inside('<Receive pageSize="A4"/>')));
    expect(error.message).toBe(`Line 1, column 20: ${message}`);
    expect(error).toMatchObject({ verb: "Receive", attribute: "pageSize" });
  });

  it("parseTwiml checks the syntax of the whole document first, then the root", () => {
    expect(catchTwimlError(() => parseTwiml("<response><Say/></respons>")).code).toBe("malformed");
    expect(catchTwimlError(() => parseTwiml("<response><Say/></response>")).code).toBe("not-a-response");
  });

  it.each(["later", "__proto__"])("parseTwiml with unchecked: true keeps the attribute %s", (name) => {
    const verb = parseTwiml(inside(`<Receive ${name}="1" action="/x"/>`), { unchecked: true });
    expect(verb).toEqual(receive({ action: "/x" }, { unchecked: Object.fromEntries([[name, "1"]]) }));
    expect(parseTwiml(toTwiml(verb), { unchecked: true })).toEqual(verb);
  });

  it.each([
    ['<Receive pagesize="a4"/>', "invalid-name"],
    ['<Receive xml:lang="en"/>', "invalid-name"],
    ['<Receive é="1"/>', "invalid-name"],
    ['<Reject reason="busy"/>', "unknown-attribute"],
    ['<Receive pageSize="A4"/>', "invalid-value"],
  ])("parseTwiml with unchecked: true throws for %s", (tag, code) => {
    const error = catchTwimlError(() => parseTwiml(inside(tag), { unchecked: true }));
    expect(error).toMatchObject({ code, line: 1, providerError: 12200 });
  });

  it.each<unknown>([undefined, null, 5, {}, Buffer.from("<Response/>"), Promise.resolve("<Response/>")])(
    "parseTwiml throws for %s, which is not text",
    (xml) => {
      const { code, line } = catchTwimlError(() => parseAny(xml));
      expect([code, line]).toEqual(["invalid-value", undefined]);
    },
  );

  it.each<[unknown, string]>([
    [{ uncheked: true }, "unknown-attribute"],
    ["unchecked", "invalid-value"],
    [[], "invalid-value"],
  ])("parseTwiml throws for the options %j", (options, code) => {
    const error = catchTwimlError(() => parseAny("<Response/>", options));
    expect([error.code, error.line]).toEqual([code, undefined]);
  });

  it("parseTwiml reads 65,536 bytes and throws for one more", () => {
    const document = (bytes: number) => "<Response/>".padEnd(bytes, " ");
    expect(parseTwiml(document(65536))).toBeUndefined();
    for (const xml of [document(65537), `<Response/><!--${"é".repeat(32_761)}-->`, "<".repeat(1e6)]) {
      const error = catchTwimlError(() => parseTwiml(xml));
      expect(error).toMatchObject({ code: "too-large", providerError: 11750 });
      expect(error.line).toBeUndefined();
    }
  });
});

describe("TwimlError.providerError", () => {
  it("TwimlError.providerError is the documented number of each code", () => {
    expect(Object.fromEntries(TWIML_ERROR_CODES.map((code) => [code, new TwimlError(code, "").providerError]))).toEqual(
      {
        malformed: 12100,
        "invalid-text": 12100,
        "not-a-response": 12102,
        "unknown-verb": 12200,
        "unknown-attribute": 12200,
        "invalid-value": 12200,
        "invalid-name": 12200,
        "too-large": 11750,
        "no-verb": 34106,
        "pages-lost": undefined,
        "second-verb": undefined,
      },
    );
  });
});
