/**
 * Byte for byte what the public helper libraries write, for every document that they and this library both write. What
 * they wrote is recorded: `npm run bench:record` asks them anew.
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

/** Every input with what was recorded for it. */
const cases = <Input, Output>(inputs: readonly Input[], outputs: readonly Output[]) =>
  inputs.map((input, i) => [input, outputs[i]] as const);

function expectAttributes(twiml: string, attributes: ReceiveAttributes = {}): void {
  const present = Object.entries(attributes).filter(([, value]) => value !== null && value !== undefined);
  expect(reread(twiml).verbs).toEqual([
    { name: "Receive", attributes: present.map(([name, value]) => [name, String(value)]) },
  ]);
}

describe("what is recorded", () => {
  it("belongs to these inputs (else: npm run bench:record)", () => {
    expect(recorded.inputs).toBe(inputs.inputsDigest());
  });

  it("is of the versions that the benchmark installs (else: npm run bench:record)", () => {
    const manifest = readFileSync(join(import.meta.dirname, "../bench/package.json"), "utf8");
    expect(JSON.parse(manifest).devDependencies).toMatchObject(recorded.versions);
    expect(Object.keys(recorded.versions)).toEqual(Object.keys(recorded.peers));
  });

  it("has an output for every input", () => {
    expect(recorded.random).toHaveLength(inputs.RANDOM.count);
    expect(twilio.comments).toHaveLength(inputs.COMMENTS.length);
    for (const [, peer] of peers) {
      expect(peer.attributes).toHaveLength(inputs.ATTRIBUTES.length);
      expect(peer.wrong).toHaveLength(inputs.WRONG.length);
    }
  });
});

describe.each(peers)("%s writes the same bytes", (_, peer) => {
  it("for the empty response", () => {
    expect(toTwiml()).toBe(peer.empty);
    expect(new FaxResponse().toString()).toBe(peer.empty);
  });

  it.each(cases(inputs.ATTRIBUTES, peer.attributes))("for receive(%j)", (attributes, theirs) => {
    const twiml = toTwiml(receive(attributes));
    expect(twiml).toBe(theirs);
    expect(new FaxResponse().receive(attributes).toString()).toBe(twiml);
    expectAttributes(twiml, attributes);
  });

  it("for the text of a URL object", () => {
    expect(toTwiml(receive({ action: inputs.ACTION_URL }))).toBe(peer.url);
  });

  it("for attributes that this library does not know", () => {
    expect(toTwiml(receive(inputs.ACTION, { unchecked: inputs.UNCHECKED }))).toBe(peer.unchecked);
  });

  it("for a Reject", () => {
    expect(toTwiml(reject())).toBe(peer.reject);
    expect(new FaxResponse().reject().toString()).toBe(peer.reject);
  });
});

it(`both write the same bytes for ${inputs.RANDOM.count} random attributes`, () => {
  for (const [attributes, theirs] of cases(inputs.RANDOM_ATTRIBUTES, recorded.random)) {
    const twiml = toTwiml(receive(attributes));
    expect(twiml, JSON.stringify(attributes)).toBe(theirs);
    expectAttributes(twiml, attributes);
  }
});

describe("twilio writes the same bytes", () => {
  it.each(cases(inputs.COMMENTS, twilio.comments))("for the comments %j around the verb", ([before, after], theirs) => {
    const ours = new FaxResponse();
    for (const text of before) ours.comment(text);
    ours.receive(inputs.ACTION);
    for (const text of after) ours.comment(text);
    expect(ours.toString()).toBe(theirs);
    expect(reread(ours.toString()).comments).toEqual([...before, ...after].map((text) => ` ${text} `));
  });

  it("for a comment alone", () => {
    expect(new FaxResponse().comment(inputs.COMMENT_ALONE).toString()).toBe(twilio.commentAlone);
  });

  it("refuses -- in a comment, as twilio does", () => {
    expect(twilio.commentRefused).toEqual({ error: expect.any(String) });
    expect(() => new FaxResponse().comment(inputs.COMMENT_REFUSED)).toThrow('a comment cannot hold "--"');
  });
});

describe.each(peers)("what %s changes in silence or writes wrongly is refused here", (_, peer) => {
  it.each(cases(inputs.WRONG, peer.wrong))("%s", ([, attributes], theirs) => {
    expect(theirs).toEqual({ text: expect.stringMatching(/^<\?xml .*<Receive .*\/><\/Response>$/) });
    expect(() => receive(attributes)).toThrow(expect.objectContaining({ name: "TwimlError" }));
  });
});
