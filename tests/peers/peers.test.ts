/**
 * The documents of this library are byte for byte those of the public helper libraries. Their output is recorded in
 * recorded.json, which `npm run bench:record` writes.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FaxResponse, receive, type ReceiveAttributes, reject, toTwiml } from "../../src/index.js";
import { reread } from "../fuzz/reread.js";
import * as inputs from "./inputs.mjs";
import { recorded } from "./recorded.js";

const { twilio } = recorded.peers;
const peers = Object.entries(recorded.peers);

/** Every input with its recorded output. */
const cases = <Input, Output>(inputs: readonly Input[], outputs: readonly Output[]) =>
  inputs.map((input, i) => [input, outputs[i]] as const);

function expectAttributes(twiml: string, attributes: ReceiveAttributes = {}): void {
  const present = Object.entries(attributes).filter(([, value]) => value !== null && value !== undefined);
  expect(reread(twiml).verbs).toEqual([
    { name: "Receive", attributes: present.map(([name, value]) => [name, String(value)]) },
  ]);
}

describe("recorded.json", () => {
  it("recorded.json has the digest of inputs.mjs (if not: npm run bench:record)", () => {
    expect(recorded.inputs).toBe(inputs.inputsDigest());
  });

  it("recorded.json has the versions of the benchmark's libraries (if not: npm run bench:record)", () => {
    const manifest = readFileSync(join(import.meta.dirname, "../bench/package.json"), "utf8");
    expect(JSON.parse(manifest).devDependencies).toMatchObject(recorded.versions);
    expect(Object.keys(recorded.versions)).toEqual(Object.keys(recorded.peers));
  });

  it("recorded.json has an output for every input", () => {
    expect(recorded.random).toHaveLength(inputs.RANDOM.count);
    expect(twilio.comments).toHaveLength(inputs.COMMENTS.length);
    for (const [, peer] of peers) {
      expect(peer.attributes).toHaveLength(inputs.ATTRIBUTES.length);
      expect(peer.wrong).toHaveLength(inputs.WRONG.length);
    }
  });
});

describe.each(peers)("compared with %s", (_, peer) => {
  it("writes the same empty response", () => {
    expect(toTwiml()).toBe(peer.empty);
    expect(new FaxResponse().toString()).toBe(peer.empty);
  });

  it.each(cases(inputs.ATTRIBUTES, peer.attributes))(
    "writes the same document for receive(%j)",
    (attributes, theirs) => {
      const twiml = toTwiml(receive(attributes));
      expect(twiml).toBe(theirs);
      expect(new FaxResponse().receive(attributes).toString()).toBe(twiml);
      expectAttributes(twiml, attributes);
    },
  );

  it("writes the same document for a URL object", () => {
    expect(toTwiml(receive({ action: inputs.ACTION_URL }))).toBe(peer.url);
  });

  it("writes the same document for unchecked attributes", () => {
    expect(toTwiml(receive(inputs.ACTION, { unchecked: inputs.UNCHECKED }))).toBe(peer.unchecked);
  });

  it("writes the same document for reject()", () => {
    expect(toTwiml(reject())).toBe(peer.reject);
    expect(new FaxResponse().reject().toString()).toBe(peer.reject);
  });
});

it(`writes the same documents as both for ${inputs.RANDOM.count} random attributes`, () => {
  for (const [attributes, theirs] of cases(inputs.RANDOM_ATTRIBUTES, recorded.random)) {
    const twiml = toTwiml(receive(attributes));
    expect(twiml, JSON.stringify(attributes)).toBe(theirs);
    expectAttributes(twiml, attributes);
  }
});

describe("compared with twilio, comments", () => {
  it.each(cases(inputs.COMMENTS, twilio.comments))(
    "writes the same document for the comments %j",
    ([before, after], theirs) => {
      const ours = new FaxResponse();
      for (const text of before) ours.comment(text);
      ours.receive(inputs.ACTION);
      for (const text of after) ours.comment(text);
      expect(ours.toString()).toBe(theirs);
      expect(reread(ours.toString()).comments).toEqual([...before, ...after].map((text) => ` ${text} `));
    },
  );

  it("writes the same document for a single comment", () => {
    expect(new FaxResponse().comment(inputs.COMMENT_ALONE).toString()).toBe(twilio.commentAlone);
  });

  it("throws for -- in a comment, as twilio does", () => {
    expect(twilio.commentRefused).toEqual({ error: expect.any(String) });
    expect(() => new FaxResponse().comment(inputs.COMMENT_REFUSED)).toThrow(
      expect.objectContaining({ code: "invalid-text" }),
    );
  });
});

describe.each(peers)("compared with %s, which writes invalid documents", (_, peer) => {
  it.each(cases(inputs.WRONG, peer.wrong))("receive throws for %j", ([, attributes], theirs) => {
    expect(theirs).toEqual({ text: expect.stringMatching(/^<\?xml .*<Receive .*\/><\/Response>$/) });
    expect(() => receive(attributes)).toThrow(expect.objectContaining({ name: "TwimlError" }));
  });
});
