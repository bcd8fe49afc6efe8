/** Byte for byte what the public helper libraries write, for every document that they and this library both write. */
import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { FaxResponse, receive, type ReceiveAttributes, reject, toTwiml } from "../../src/index.js";
import { reread } from "../fuzz/reread.js";

/** The part of the peers' classes that these tests use; their own declarations take a second to compile. */
interface Peer {
  receive(attributes?: object): unknown;
  toString(): string;
}
interface Twilio extends Peer {
  comment(text: string): unknown;
  addChild(name: string, attributes?: object): unknown;
}
interface SignalWire extends Peer {
  reject(): unknown;
}

const require = createRequire(import.meta.url);
const { FaxResponse: TwilioFax } = (require("twilio") as { twiml: { FaxResponse: new () => Twilio } }).twiml;
const { FaxResponse: SignalWireFax } = (
  require("@signalwire/compatibility-api") as { RestClient: { LaML: { FaxResponse: new () => SignalWire } } }
).RestClient.LaML;

const peers: [string, new () => Peer][] = [
  ["twilio", TwilioFax],
  ["@signalwire/compatibility-api", SignalWireFax],
];

function theirs(Peer: new () => Peer, attributes?: object): string {
  const response = new Peer();
  response.receive(attributes);
  return response.toString();
}

describe.each(peers)("%s writes the same bytes", (_, Peer) => {
  it("for the empty response", () => {
    expect(toTwiml()).toBe(new Peer().toString());
    expect(new FaxResponse().toString()).toBe(new Peer().toString());
  });

  it.each<ReceiveAttributes | undefined>([
    undefined,
    {},
    { action: null, method: null, mediaType: null, pageSize: null, storeMedia: null },
    { action: undefined, method: undefined, mediaType: undefined, pageSize: undefined, storeMedia: undefined },
    { action: "/fax/received", method: "POST", mediaType: "application/pdf", pageSize: "letter", storeMedia: true },
    { storeMedia: true, pageSize: "legal", mediaType: "image/tiff", method: "GET", action: "https://example.com/fax" },
    { pageSize: "a4", action: "fax" },
    { action: "fax", pageSize: "a4" },
    { method: null, action: "/x", pageSize: undefined, storeMedia: false },
    { storeMedia: false, method: "POST", action: "/x" },
    { storeMedia: true },
    { action: "https://user:password@example.com:8443/fax?a=1&b=2&amp;c=%3C#rc=2&ot=5" },
    { action: `/quotes '"' and <tags/>` },
    { action: "/tab\tline\nfeed\r\n" },
    { action: "/]]><!-- x --><![CDATA[ &#x41; &bogus; & &&" },
    { action: "/é/日本/😀/\u{10ffff}\ufffd\ue000\ud7ff\x7f\x85\u2028\ufeff" },
    { action: " /around " },
    { action: `?"/><Reject/><Receive action="` },
    { action: "#$&$1$$" },
  ])("for receive(%j)", (attributes) => {
    const twiml = toTwiml(receive(attributes));
    expect(twiml).toBe(theirs(Peer, attributes));
    expect(new FaxResponse().receive(attributes).toString()).toBe(twiml);
    const present = Object.entries(attributes ?? {}).filter(([, value]) => value !== null && value !== undefined);
    expect(reread(twiml).verbs).toEqual([
      { name: "Receive", attributes: present.map(([name, value]) => [name, String(value)]) },
    ]);
  });

  it("for the text of a URL object", () => {
    const action = new URL("https://example.com/ä ö?x=<&>\"'#é");
    expect(toTwiml(receive({ action }))).toBe(theirs(Peer, { action: action.href }));
  });

  it("for attributes that this library does not know", () => {
    const twiml = toTwiml(receive({ action: "/x" }, { unchecked: { retention: `1 "day" & <more>\n`, "x-1.b_C": "" } }));
    expect(twiml).toBe(theirs(Peer, { action: "/x", retention: `1 "day" & <more>\n`, "x-1.b_C": "" }));
  });

  const runs = Number(process.env.FUZZ_RUNS ?? 300);
  const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31);
  it(`for ${runs} random attributes (FUZZ_SEED=${seed})`, { timeout: 3_600_000 }, () => {
    const random = generator(seed);
    for (let run = 0; run < runs; run++) {
      const attributes = randomAttributes(random);
      const twiml = toTwiml(receive(attributes));
      expect(twiml, JSON.stringify(attributes)).toBe(theirs(Peer, attributes));
      const present = Object.entries(attributes).filter(([, value]) => value !== null && value !== undefined);
      expect(reread(twiml).verbs[0]?.attributes).toEqual(present.map(([name, value]) => [name, String(value)]));
    }
  });
});

describe("twilio writes the same bytes", () => {
  it.each([
    [["before"], []],
    [[], ["after"]],
    [
      ["one", "two"],
      ["three", "four"],
    ],
    [
      ["", " ", "-", "- -", "<Reject/> & \"'", "é\n\t😀", "-->".slice(1), "]]>"],
      ["]]>", "a-"],
    ],
  ])("for the comments %j before and %j after the verb", (before, after) => {
    const ours = new FaxResponse();
    const twilio = new TwilioFax();
    for (const text of before) [ours.comment(text), twilio.comment(text)];
    [ours.receive({ action: "/x" }), twilio.receive({ action: "/x" })];
    for (const text of after) [ours.comment(text), twilio.comment(text)];
    expect(ours.toString()).toBe(twilio.toString());
    expect(reread(ours.toString()).comments).toEqual([...before, ...after].map((text) => ` ${text} `));
  });

  it("for a comment alone", () => {
    const twilio = new TwilioFax();
    twilio.comment("nothing to do");
    expect(new FaxResponse().comment("nothing to do").toString()).toBe(twilio.toString());
  });

  it('for addChild("Reject"): it has no reject()', () => {
    const twilio = new TwilioFax();
    twilio.addChild("Reject");
    expect(toTwiml(reject())).toBe(twilio.toString());
  });

  it("refuses -- in a comment, as twilio does", () => {
    expect(() => new TwilioFax().comment("a--b")).toThrow();
    expect(() => new FaxResponse().comment("a--b")).toThrow('a comment cannot hold "--"');
  });
});

describe("@signalwire/compatibility-api writes the same bytes", () => {
  it("for reject()", () => {
    const signalWire = new SignalWireFax();
    signalWire.reject();
    expect(toTwiml(reject())).toBe(signalWire.toString());
    expect(new FaxResponse().reject().toString()).toBe(signalWire.toString());
  });
});

describe.each(peers)("what %s changes in silence or writes wrongly is refused here", (_, Peer) => {
  it.each<[string, object]>([
    ["a control character", { action: "/a\u0001b" }],
    ["a lone surrogate", { action: "/a\ud800" }],
    ["U+FFFE", { action: "/a\ufffe" }],
    ["an empty action", { action: "" }],
    ["a page size in the wrong case", { pageSize: "A4" }],
    ["an attribute in the wrong case", { pagesize: "a4" }],
    ["a flag as text", { storeMedia: "false", action: "/x" }],
    ["pages that nobody gets", { storeMedia: false }],
  ])("%s", (_, attributes) => {
    expect(() => theirs(Peer, attributes)).not.toThrow();
    expect(() => receive(attributes)).toThrow(expect.objectContaining({ name: "TwimlError" }));
  });
});

/** mulberry32: small, and the same everywhere for a seed. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

function randomAttributes(random: (below: number) => number): ReceiveAttributes {
  const pick = <T>(...values: T[]): T => values[random(values.length)]!;
  const text = (): string => {
    let text = "";
    for (let length = random(12); length > 0; length--) {
      text += pick(
        "a",
        " ",
        "é",
        "😀",
        "&",
        "<",
        ">",
        '"',
        "'",
        "\t",
        "\n",
        "\r",
        "--",
        "]]>",
        "&amp;",
        "&#10;",
        "%",
        "=",
        "?",
        "#",
        "$&",
        `\\`,
      );
    }
    return text;
  };
  // No "/" directly after these: "//" begins a host, and a random one seldom is a host.
  const action = (): string => pick("/x", "https://example.com/", "http://a?", "?", "#", "./", "../x") + text();
  const keep = random(2) === 0;
  const pairs: [string, unknown][] = [
    ["action", keep ? pick(action(), action(), null, undefined) : action()],
    ["method", keep ? pick("GET", "POST", null, undefined) : pick("POST", null, undefined)],
    ["mediaType", pick("application/pdf", "image/tiff", null, undefined)],
    ["pageSize", pick("letter", "legal", "a4", null, undefined)],
    ["storeMedia", keep ? pick(true, null, undefined) : false],
  ];
  // Any order (Fisher-Yates), and any of those left out that may be.
  for (let i = pairs.length - 1; i > 0; i--) {
    const j = random(i + 1);
    [pairs[i], pairs[j]] = [pairs[j]!, pairs[i]!];
  }
  return Object.fromEntries(
    pairs.filter(([name]) => (!keep && (name === "action" || name === "storeMedia")) || random(3) > 0),
  ) as ReceiveAttributes;
}
