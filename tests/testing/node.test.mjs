/** A user's own test, under node:test: run by node-test.test.ts as a process of its own. */
import assert from "node:assert/strict";
import test from "node:test";
import { receive, reject } from "twiml-fax";
import { createFaxProvider } from "twiml-fax/testing";
import { faxWebhook } from "twiml-fax/webhook";

const url = "https://fax.example.com/fax";
const authToken = "PSK_test";
const faxes = [];
const { fetch } = faxWebhook({
  authToken,
  publicUrl: url,
  onFax: (fax) => (fax.from === "" ? reject() : receive({ action: "/fax" })),
  onCallback: (callback) => faxes.push(callback),
  onRefused() {},
});
const provider = createFaxProvider({ url, authToken, fetch });

test("a fax is accepted, and its callback arrives", async () => {
  assert.equal((await provider.sendFax()).outcome, "received");
  assert.equal(faxes.length, 1);
});

test("a withheld number is rejected, a forgery refused", async () => {
  assert.equal((await provider.sendFax({ from: "" })).outcome, "rejected");
  const { error } = await createFaxProvider({ url, authToken: "guessed", fetch }).sendFax();
  assert.equal(error.code, 11217);
});

test("no test framework left its globals", () => {
  for (const name of ["describe", "expect", "jest", "vi"]) assert.equal(name in globalThis, false);
});
