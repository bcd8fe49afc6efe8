import assert from "node:assert/strict";
import { test } from "vitest";
import { receive, reject } from "twiml-fax";
import { createFaxProvider } from "twiml-fax/testing";
import { deduplicate, faxWebhook, fetchMedia } from "twiml-fax/webhook";

const url = "https://fax.example.com/fax";
const saved = new Map();
const webhook = faxWebhook({
  authToken: "PSK_test",
  publicUrl: url,
  onFax: (fax) => (fax.from === "" ? reject() : receive()),
  onCallback: deduplicate(async (callback) => {
    if (callback.faxStatus !== "received") return;
    saved.set(callback.faxSid, await fetchMedia(callback, { fetch: provider.mediaFetch }));
  }),
  onRefused: () => {},
});
const provider = createFaxProvider({ url, authToken: "PSK_test", fetch: webhook.fetch });

test("saves the pages once, even if the callback is repeated", async () => {
  const { outcome, faxSid, exchanges } = await provider.sendFax();
  assert.equal(outcome, "received");
  assert.equal(saved.get(faxSid).name, `${faxSid}.pdf`);
  await provider.resend(exchanges[1]);
  assert.equal(saved.size, 1);
});

test("rejects a withheld number, accepts a failed fax, and refuses an invalid signature", async () => {
  assert.equal((await provider.sendFax({ from: "" })).outcome, "rejected");
  assert.equal((await provider.sendFax({ outcome: "failed" })).outcome, "failed");
  const forger = createFaxProvider({ url, authToken: "wrong", fetch: webhook.fetch });
  assert.equal((await forger.sendFax()).exchanges[0].response?.status, 403);
});
