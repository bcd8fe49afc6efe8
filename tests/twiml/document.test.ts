import { describe, expect, it } from "vitest";
import { parseTwiml, receive, reject, toTwiml, TwimlError, TWIML_ERROR_CODES, type Verb } from "../../src/index.js";

/** The error that a call throws, held against what holds for all of them. */
function refusal(call: () => unknown): TwimlError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(TwimlError);
    expect((error as TwimlError).message).toMatch(/^[\x20-\x7e…]{1,400}$/);
    return error as TwimlError;
  }
  return expect.fail("nothing was thrown");
}

const inside = (content: string) => `<Response>${content}</Response>`;
const parseAny = parseTwiml as (xml: unknown, options?: unknown) => Verb | undefined;
const ALL = { action: "https://example.com", method: "GET", mediaType: "application/pdf", pageSize: "letter" } as const;

describe("documents that others write", () => {
  it.each<[string, string, Verb | undefined]>([
    // twilio-java, FaxResponseTest and fax/ReceiveTest
    ["Java: empty", '<?xml version="1.0" encoding="UTF-8"?><Response/>', undefined],
    [
      "Java: every attribute, by name",
      '<?xml version="1.0" encoding="UTF-8"?><Response><Receive action="https://example.com" ' +
        'mediaType="application/pdf" method="GET" pageSize="letter" storeMedia="true"/></Response>',
      receive({ ...ALL, storeMedia: true }),
    ],
    ["Java: without declaration", "<Response/>", undefined],
    // twilio-csharp, FaxResponseTest; Environment.NewLine is CRLF on Windows
    ["C#: empty", '<?xml version="1.0" encoding="utf-8"?>\r\n<Response></Response>', undefined],
    [
      "C#: every attribute",
      '<?xml version="1.0" encoding="utf-8"?>\r\n<Response>\r\n  <Receive ' +
        'action="https://example.com" method="GET" mediaType="application/pdf" pageSize="letter" ' +
        'storeMedia="true"></Receive>\r\n</Response>',
      receive({ ...ALL, storeMedia: true }),
    ],
    // @signalwire/compatibility-api, "LaML to receive a fax" and "LaML to reject a fax"
    [
      "SignalWire JS: receive",
      '<?xml version="1.0" encoding="UTF-8"?><Response><Receive action="/receive/fax"/></Response>',
      receive({ action: "/receive/fax" }),
    ],
    ["SignalWire JS: reject", '<?xml version="1.0" encoding="UTF-8"?><Response><Reject/></Response>', reject()],
    // A public program's own test of what twilio-php writes: a newline after each of the two lines
    [
      "PHP",
      '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Receive ' +
        'action="http://localhost/api/twilio/fax-receive" pageSize="a4"/></Response>\n',
      receive({ action: "http://localhost/api/twilio/fax-receive", pageSize: "a4" }),
    ],
    // twilio.com/docs/fax/twiml/receive
    [
      "Twilio's documentation: action",
      '<?xml version="1.0" encoding="UTF-8"?>\n<Response>\n  <Receive action="/fax/received"/>\n</Response>\n',
      receive({ action: "/fax/received" }),
    ],
    [
      "Twilio's documentation: TIFF",
      '<?xml version="1.0" encoding="UTF-8"?>\n<Response>\n  <Receive mediaType="image/tiff" ' +
        'storeMedia="true"></Receive>\n</Response>',
      receive({ mediaType: "image/tiff", storeMedia: true }),
    ],
    // developer.signalwire.com, "<Reject>" and "Callback for inbound fax"
    [
      "SignalWire's documentation: reject",
      '<?xml version="1.0" encoding="UTF-8"?>\n<Response>\n<Reject/>\n</Response>',
      reject(),
    ],
    [
      "SignalWire's documentation: callback",
      '<?xml version="1.0" encoding="UTF-8"?>\n<Response>\n<Receive ' +
        'action="https://YOUR_URL_EXPECTING_A_CALLBACK."/>\n</Response>',
      receive({ action: "https://YOUR_URL_EXPECTING_A_CALLBACK." }),
    ],
    // Twilio's Python tutorial builds it as indented text
    [
      "a template literal",
      '\n        <Response>\n            <Receive action="/fax/received"/>\n        </Response>\n    ',
      receive({ action: "/fax/received" }),
    ],
  ])("reads %s", (_, xml, verb) => {
    expect(parseTwiml(xml)).toEqual(verb);
  });

  // The same tests also hold documents that no provider takes: they are well-formed, and read up to the mistake.
  it.each([
    ["Java: attributes of Response", '<Response a="b" foo="bar"/>', "unknown-attribute", 11],
    ["Java: text", "<Response>Hey no tags!</Response>", "invalid-value", 11],
    ["Java: mixed", "<Response>before<Child>content</Child>after</Response>", "invalid-value", 11],
    ["Java: a generic node", '<Response><genericTag key="value">someText</genericTag></Response>', "unknown-verb", 11],
    [
      "C#: in Receive",
      '<Response><Receive><generic-tag tag="True">C</generic-tag></Receive></Response>',
      "unknown-verb",
      20,
    ],
    ["C#: text in Receive", "<Response><Receive>Here</Receive></Response>", "invalid-value", 20],
    [
      "C#: attributes",
      '<Response><Receive newParam1="value" newParam2="1"></Receive></Response>',
      "unknown-attribute",
      20,
    ],
    ["Java: no Response", "<Receive/>", "not-a-response", 1],
  ] as const)("refuses %s", (_, xml, code, column) => {
    const providerError = code === "not-a-response" ? 12102 : 12200;
    expect(refusal(() => parseTwiml(xml))).toMatchObject({ code, line: 1, column, providerError });
  });
});

describe("parseTwiml", () => {
  it("gives a verb like one of receive(): frozen, and not checked again", () => {
    const verb = parseTwiml(inside('<Receive action="/x" storeMedia="false"/>'))!;
    expect(verb).toEqual(receive({ action: "/x", storeMedia: false }));
    expect(Object.isFrozen(verb) && Object.isFrozen((verb as { attributes: object }).attributes)).toBe(true);
    expect(toTwiml(verb)).toBe(
      `<?xml version="1.0" encoding="UTF-8"?>${inside('<Receive action="/x" storeMedia="false"/>')}`,
    );
  });

  it.each<[string, string]>([
    ["a byte order mark", "\ufeff<Response/>"],
    ["a byte order mark and a declaration", '\ufeff<?xml version="1.0"?><Response/>'],
    ["single quotes", "<?xml version='1.0' encoding='utf-8' standalone='yes'?><Response/>"],
    ["white space in the declaration", '<?xml\n version = "1.1"\tencoding\r\n=\r"Utf-8" ?><Response />'],
    ["white space in tags", "<Response\n\t></Response\r\n>"],
    ["comments", "<!----><!-- - a --><Response><!--<Reject/>--></Response><!-- & -->"],
    ["processing instructions", "<?a?><?xml-stylesheet href='<a'?><Response><?é ?? & > ?></Response>"],
  ])("reads %s", (_, xml) => {
    expect(parseTwiml(xml)).toBeUndefined();
  });

  it("skips comments, processing instructions and white space in a verb", () => {
    expect(parseTwiml(inside("<Reject> <!-- a --><?b?>\n</Reject>"))).toEqual(reject());
  });

  it.each([
    ["&amp;&lt;&gt;&quot;&apos;", `&<>"'`],
    ["&#38;&#x26;&#x1F600;&#x00000041;&#0065;", "&&😀AA"],
    ["&amp;lt;&#38;amp;", "&lt;&amp;"],
    ["a\tb\nc\rd\r\ne", "a b c d e"],
    ["a&#9;b&#xA;c&#xD;d&#13;&#10;", "a\tb\nc\rd\r\n"],
    [`>]]>'`, `>]]>'`],
  ])("reads the value %j as %j", (written, value) => {
    expect(parseTwiml(inside(`<Receive later="${written}"/>`), { unchecked: true })).toEqual(
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
    ["<Response><?a</Response>", 1, 14],
    ["<Response><? a?></Response>", 1, 13],
    ["<Response×/>", 1, 10],
  ])("refuses %j as malformed, at line %i, column %i", (xml, line, column) => {
    const error = refusal(() => parseTwiml(xml));
    expect(error).toMatchObject({ code: "malformed", line, column, providerError: 12100 });
    expect(error.message.startsWith(`Line ${line}, column ${column}: `)).toBe(true);
  });

  it.each<[string, string, number | undefined, number, number]>([
    ["<response/>", "not-a-response", 12102, 1, 1],
    ["\n <html></html>", "not-a-response", 12102, 2, 2],
    ['<Response xmlns="a"/>', "unknown-attribute", 12200, 1, 11],
    [inside("<receive/>"), "unknown-verb", 12200, 1, 11],
    [inside("<é/>"), "unknown-verb", 12200, 1, 11],
    [inside("<a:Receive/>"), "unknown-verb", 12200, 1, 11],
    [inside("<constructor/>"), "unknown-verb", 12200, 1, 11],
    [inside("\n\t<Receive\n\tpagesize='a4'/>"), "unknown-attribute", 12200, 3, 2],
    [inside('<Receive é="1"/>'), "unknown-attribute", 12200, 1, 20],
    [inside('<Receive __proto__="1"/>'), "unknown-attribute", 12200, 1, 20],
    [inside('<Reject reason="busy"/>'), "unknown-attribute", 12200, 1, 19],
    [inside('<Receive pageSize="A4"/>'), "invalid-value", 12200, 1, 20],
    [inside('<Receive action="ftp://a"/>'), "invalid-value", 12200, 1, 20],
    [inside('<Receive action=""/>'), "invalid-value", 12200, 1, 20],
    [inside('<Receive method="GET" storeMedia="no"/>'), "invalid-value", 12200, 1, 33],
    [inside('<Receive storeMedia="false"/>'), "pages-lost", undefined, 1, 20],
    [inside("<Reject/> <Receive/>"), "second-verb", undefined, 1, 21],
    [inside("<Reject/><Say/>"), "unknown-verb", 12200, 1, 20],
    [inside("<Reject>&#32;</Reject>"), "invalid-value", 12200, 1, 19],
    [inside("<Reject>  a</Reject>"), "invalid-value", 12200, 1, 21],
    [inside("<Receive><Reject/></Receive>"), "unknown-verb", 12200, 1, 20],
  ])("refuses %j: %s, %s", (xml, code, providerError, line, column) => {
    const error = refusal(() => parseTwiml(xml));
    expect(error).toMatchObject({ code, line, column });
    expect(error.providerError).toBe(providerError);
  });

  it("says what writing says, after the place", () => {
    const message = refusal(() => receive({ pageSize: "A4" } as object)).message;
    expect(refusal(() => parseTwiml(inside('<Receive pageSize="A4"/>'))).message).toBe(`Line 1, column 20: ${message}`);
    expect(refusal(() => parseTwiml(inside("<receive/>"))).message).toContain(
      'Line 1, column 11: "receive" is not a verb (did you mean "Receive"?)',
    );
  });

  it("looks for malformed text in the whole document before anything else", () => {
    expect(refusal(() => parseTwiml("<response><Say/></respons>")).code).toBe("malformed");
    expect(refusal(() => parseTwiml('<response><Receive pagesize="a4"/></response>')).code).toBe("not-a-response");
  });

  it.each<[string, string]>([
    ["a name", '<Receive later="1" action="/x"/>'],
    ["__proto__", '<Receive __proto__="1" action="/x"/>'],
  ])("takes over %s with unchecked: true", (_, tag) => {
    const verb = parseTwiml(inside(tag), { unchecked: true });
    const name = /e (\w+)=/.exec(tag)![1]!;
    expect(verb).toEqual(receive({ action: "/x" }, { unchecked: Object.fromEntries([[name, "1"]]) }));
    expect(parseTwiml(toTwiml(verb), { unchecked: true })).toEqual(verb);
  });

  it.each([
    ['<Receive pagesize="a4"/>', "invalid-name"],
    ['<Receive xml:lang="en"/>', "invalid-name"],
    ['<Receive é="1"/>', "invalid-name"],
    ['<Reject reason="busy"/>', "unknown-attribute"],
    ['<Receive pageSize="A4"/>', "invalid-value"],
  ])("refuses %s all the same", (tag, code) => {
    expect(refusal(() => parseTwiml(inside(tag), { unchecked: true }))).toMatchObject({
      code,
      line: 1,
      providerError: 12200,
    });
  });

  it.each([undefined, null, 5, {}, Buffer.from("<Response/>"), Promise.resolve("<Response/>")])(
    "refuses %s: it is not text",
    (xml) => {
      const error = refusal(() => parseAny(xml));
      expect(error.code).toBe("invalid-value");
      expect(error.line).toBeUndefined();
    },
  );

  it.each([{ uncheked: true }, "unchecked", []])("refuses the options %j", (options) => {
    expect(refusal(() => parseAny("<Response/>", options)).line).toBeUndefined();
  });

  it("reads 64 kB and not a byte more", () => {
    const document = (bytes: number) => "<Response/>".padEnd(bytes, " ");
    expect(parseTwiml(document(65536))).toBeUndefined();
    for (const xml of [document(65537), `<Response/><!--${"é".repeat(32_761)}-->`, "<".repeat(1e6)]) {
      const error = refusal(() => parseTwiml(xml));
      expect(error).toMatchObject({ code: "too-large", providerError: 11750 });
      expect(error.line).toBeUndefined();
    }
  });
});

describe("providerError", () => {
  it("is set for every code that a provider has a number for", () => {
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

describe("the words of parseTwiml", () => {
  it.each([
    ["<Response>\u0001</Response>", "XML cannot carry"],
    ["\u0001<Response/>", "XML cannot carry"],
    ["<Response>", '"</Response>" is missing'],
    ["<Response/>x", "a document is one element, with nothing beside it"],
    ["<Response><!-- a--b --></Response>", 'expected here is a comment that ends with "-->" and holds no other'],
    ["<Response>]]></Response>", '"]]>" is written "]]&gt;"'],
    ["<Response>x]]></Response>", '"]]>" is written "]]&gt;"'],
    ['<Response/><?xml version="1.0"?>', "the XML declaration stands first, and is <?xml version"],
    ["<Response><?pi </Response>", 'expected here is "?>"'],
    ["<Response></Other>", '"</Response>" is expected here'],
    ["</Response>", "there is no element to end"],
    ["<Response></Response", 'expected here is ">"'],
    ['<Response><Receive action="a"b="c"/></Response>', 'expected here is a space or ">"'],
    ['<Response><Receive action="a" action="b"/></Response>', 'the attribute "action" is there twice'],
    ["<Response><Receive action=a/></Response>", 'expected here is ="…" without "<"'],
    ["<Response><!DOCTYPE x></Response>", 'expected here is a name (TwiML has no DOCTYPE or CDATA, and "<" is written'],
    ["<Response>&bogus;</Response>", '"&bogus;" stands for no character: "&" is written "&amp;"'],
    ["<Response>&</Response>", '"&" stands for no character'],
    ["<root/>", 'the root element must be "Response", not "root"'],
    ["<response/>", 'the root element must be "Response", not "response" (did you mean "Response"?)'],
    ["<Response><Receive>x</Receive></Response>", '<Receive>: it cannot hold "x"'],
    ["<Response><Receive><a/></Receive></Response>", '<Receive>: it cannot hold "<a>"'],
    ["<Response>text</Response>", '<Response>: it cannot hold "text"'],
    ['<Response a="1"/>', '<Response>: there is no attribute "a"'],
  ])("%j: %s", (xml, words) => {
    expect(() => parseTwiml(xml)).toThrow(words);
  });

  it("are for a caller, too", () => {
    for (const [value, words] of [
      [undefined, "the document must be text, not undefined (is an await missing?)"],
      [5, "the document must be text, not 5"],
    ] as const)
      expect(() => parseTwiml(value as never)).toThrow(words);
  });

  it("take the last character there is, and no byte order mark but one", () => {
    const twiml = '<Response><Receive action="/&#x10FFFF;"/></Response>';
    expect(parseTwiml(twiml)).toMatchObject({ attributes: { action: "/\u{10ffff}" } });
    expect(parseTwiml('<Response><Receive action="/\ufeff"/></Response>')).toMatchObject({
      attributes: { action: "/\ufeff" },
    });
    expect(() => parseTwiml('<Response><Receive action="/&#x110000;"/></Response>')).toThrow("stands for no character");
  });
});
