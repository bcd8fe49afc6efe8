/** `npm run demo`: a fax webhook on this machine, and a provider that calls it. With PORT=3000 it keeps serving. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { receive, reject } from "twiml-fax";
import { faxWebhook, signRequest } from "twiml-fax/webhook";

const { PORT } = process.env;
// A token and a URL of your own are for a provider of your own, who calls the server that keeps serving.
const authToken = (PORT && process.env.FAX_AUTH_TOKEN) || "demo-token";
const publicUrl = (PORT && process.env.PUBLIC_URL) || undefined;
const color = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code, text) => (color ? `\x1b[${code}m${text}\x1b[0m` : text);
const title = (text) => console.log(`\n${paint(1, text)}`);
const line = (label, value) => console.log(`  ${paint(2, label.padEnd(9))} ${value}`);
const seen = (value) => line("parsed", JSON.stringify({ ...value, params: undefined }));

const webhook = faxWebhook({
  authToken,
  publicUrl,
  onFax(fax) {
    seen(fax);
    return fax.from === "+15005550006" ? reject() : receive({ action: "/fax", pageSize: "a4" });
  },
  onCallback: seen,
  onRefused(refusal) {
    line("refused", `${refusal.status} ${refusal.reason}`);
    for (const issue of refusal.error?.issues ?? []) line("", issue.message);
    for (const url of refusal.urls ?? []) line("tried", url);
  },
});

const server = createServer((req, res) => {
  if (PORT) title(`${req.method} ${req.url}`);
  webhook.node(req, res);
});
server.on("error", (error) => {
  console.error(`The demo cannot listen on port ${PORT ?? 0}: ${error.message}`);
  process.exit(1);
});
if (PORT && !(/^\d{1,5}$/.test(PORT) && Number(PORT) < 65536)) {
  console.error(`PORT must be a number from 0 to 65535, not ${JSON.stringify(PORT.slice(0, 20))}.`);
  process.exit(1);
}
await new Promise((resolve) => server.listen(Number(PORT ?? 0), "127.0.0.1", resolve));
const url = `http://127.0.0.1:${server.address().port}/fax`;

const incoming = {
  FaxSid: "FX0123456789abcdef0123456789abcdef",
  AccountSid: "AC0123456789abcdef0123456789abcdef",
  From: "+15017122661",
  To: "+15558675310",
  ApiVersion: "v1",
};

if (PORT) {
  const signed = publicUrl ? publicUrl.replace(/\/+$/, "") + "/fax" : url;
  const signature = signRequest({ authToken, url: signed, params: incoming });
  const data = Object.entries(incoming).map(([name, value]) => `--data-urlencode '${name}=${value}'`);
  console.log(`Serving on ${url} (stop with Ctrl+C). In another terminal:\n`);
  console.log(`curl -i ${url} \\\n  -H 'X-Twilio-Signature: ${signature}' \\\n  ${data.join(" \\\n  ")}\n`);
  console.log("For a real provider, point a tunnel here and set FAX_AUTH_TOKEN and PUBLIC_URL (the tunnel's origin).");
} else {
  /** Sends a form as a provider does, prints both sides, and holds the answer against what must come. */
  async function send(name, params, expected, token = authToken) {
    title(name);
    const body = new URLSearchParams(params);
    const form = decodeURIComponent(body);
    line("request", `POST /fax ${form.length > 100 ? form.slice(0, 100) + "…" : form}`);
    const headers = { "x-twilio-signature": signRequest({ authToken: token, url, params: body }) };
    const response = await fetch(url, { method: "POST", body, headers });
    const text = await response.text();
    line("answer", `${response.status} ${response.headers.get("content-type")}`);
    line("", paint(36, text));
    assert.deepEqual([response.status, text.replace(/^<\?xml.*?\?>/, "")], expected);
  }

  const callback = {
    ...incoming,
    FaxStatus: "received",
    NumPages: "2",
    MediaUrl: "https://files.example.com/fax.pdf",
    RemoteStationId: "Dr. Grey",
  };
  const { FaxSid, ...malformed } = { ...incoming, faxsid: incoming.FaxSid };
  try {
    await send("A fax comes in", incoming, [200, '<Response><Receive action="/fax" pageSize="a4"/></Response>']);
    await send("Its pages are in: the callback to action", callback, [200, "<Response/>"]);
    await send("A fax from a caller we refuse", { ...incoming, From: "+15005550006" }, [
      200,
      "<Response><Reject/></Response>",
    ]);
    await send("A malformed request", malformed, [400, "invalid-parameters"]);
    await send("A forged request", incoming, [403, "forbidden"], "guessed");
    console.log(`\n${paint(32, "All five answers are as they must be.")}`);
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  }
  server.closeAllConnections();
  server.close();
}
