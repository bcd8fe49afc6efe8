/** The inputs of the helper libraries for recorded.json, and of this library in the tests. */
import { createHash } from "node:crypto";

/** Attributes of a verb that both write. */
export const ATTRIBUTES = [
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
  { action: "/tab\tline\nfeed\r\nend" },
  { action: "/]]><!-- x --><![CDATA[ &#x41; &bogus; & &&" },
  { action: "/é/日本/😀/\u{10ffff}\ufffd\ue000\ud7ff\x7f\x85\u2028\ufeff." },
  { action: "/ around ." },
  { action: `?"/><Reject/><Receive action="` },
  { action: "#$&$1$$" },
];

/** A URL object. The helper libraries receive its text. */
export const ACTION_URL = new URL("https://example.com/ä ö?x=<&>\"'#é");

export const ACTION = { action: "/x" };
/** Attributes that this library does not know. */
export const UNCHECKED = { retention: `1 "day" & <more>\n`, "x-1.b_C": "" };

/** Comments before and after the verb. */
export const COMMENTS = [
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
];
export const COMMENT_ALONE = "nothing to do";
export const COMMENT_REFUSED = "a--b";

/** Input that the helper libraries change silently or write incorrectly. */
export const WRONG = [
  ["a control character", { action: "/a\u0001b" }],
  ["a lone surrogate", { action: "/a\ud800" }],
  ["U+FFFE", { action: "/a\ufffe" }],
  ["an empty action", { action: "" }],
  ["a page size in the wrong case", { pageSize: "A4" }],
  ["an attribute in the wrong case", { pagesize: "a4" }],
  ["a flag as text", { storeMedia: "false", action: "/x" }],
  ["pages that nobody gets", { storeMedia: false }],
];

/** The recorded random cases are the first of this seed; the recorder tries many more with other seeds. */
export const RANDOM = { seed: 20_240_229, count: 300 };

/** The signed requests: the token, the URL, and the parameters of each provider. */
export const SIGNED = {
  authToken: "PSK_test",
  url: "https://fax.example.com/fax",
  signalwire: formsOf("6b0e5f4c-3f4e-4f0a-9d38-5a1d7c2b9e10", "0d1f7a52-8c4b-4b6e-a3f9-2e6c5d4b3a21", {
    Timestamp: "2026-11-24T10:00:00Z",
    MediaSid: "9c8b7a65-4d3e-4f2a-8b1c-0d9e8f7a6b54",
    MediaUrl: "https://files.signalwire.com/fax.pdf",
  }),
  twilio: formsOf(`FX${"0123456789abcdef".repeat(2)}`, `AC${"fedcba9876543210".repeat(2)}`, {
    MediaUrl: "https://media.twiliocdn.com/fax/fax.pdf",
  }),
};

/** Every parameter that `incoming()` and `callback()` of the offline provider send, so that none is random. */
function formsOf(FaxSid, AccountSid, media) {
  const incoming = { FaxSid, AccountSid, From: "+15017122661", To: "+15558675310", ApiVersion: "v1" };
  const received = { RemoteStationId: incoming.From, FaxStatus: "received", NumPages: "1" };
  return { incoming, callback: { ...incoming, ...received, ...media }, odd: { ...incoming, From: "é &=" } };
}

/** An endless sequence of attributes, the same for each seed. */
export function* randomAttributes(seed) {
  const random = createRandom(seed);
  for (;;) yield createAttributes(random);
}

/** mulberry32: small, and the same sequence on every machine for a seed. */
export function createRandom(seed) {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const PIECES = [
  ...["a", " ", "é", "😀", "&", "<", ">", '"', "'", "\t", "\n", "\r", "--", "]]>", "&amp;", "&#10;"],
  ...["%", "=", "?", "#", "$&", "\\"],
];

function createAttributes(random) {
  const pick = (...values) => values[random(values.length)];
  const text = () => Array.from({ length: random(12) }, () => pick(...PIECES)).join("");
  // No "/" directly after these: "//" begins a host, and random text is rarely a valid host. No white space at the end.
  const action = () => pick("/x", "https://example.com/", "http://a?", "?", "#", "./", "../x") + text() + ".";
  const keep = random(2) === 0;
  const pairs = [
    ["action", keep ? pick(action(), action(), null, undefined) : action()],
    ["method", keep ? pick("GET", "POST", null, undefined) : pick("POST", null, undefined)],
    ["mediaType", pick("application/pdf", "image/tiff", null, undefined)],
    ["pageSize", pick("letter", "legal", "a4", null, undefined)],
    ["storeMedia", keep ? pick(true, null, undefined) : false],
  ];
  // Any order (Fisher-Yates), and without any subset of the optional attributes.
  for (let i = pairs.length - 1; i > 0; i--) {
    const j = random(i + 1);
    [pairs[i], pairs[j]] = [pairs[j], pairs[i]];
  }
  return Object.fromEntries(
    pairs.filter(([name]) => (!keep && (name === "action" || name === "storeMedia")) || random(3) > 0),
  );
}

/** The random attributes that are recorded. */
export const RANDOM_ATTRIBUTES = [];
for (const attributes of randomAttributes(RANDOM.seed)) {
  if (RANDOM_ATTRIBUTES.push(attributes) === RANDOM.count) break;
}

/** The digest of all inputs, which recorded.json contains. */
export function inputsDigest() {
  const all = [ATTRIBUTES, ACTION_URL, ACTION, UNCHECKED, COMMENTS, COMMENT_ALONE, COMMENT_REFUSED, WRONG, SIGNED];
  const json = JSON.stringify([all, RANDOM_ATTRIBUTES], (_, value) => (value === undefined ? "(undefined)" : value));
  return createHash("sha256").update(json).digest("hex");
}
