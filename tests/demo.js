/**
 * `npm run demo`: the server of the README's first example, and a provider that sends it faxes, on this machine.
 * `PORT=3000 npm run demo` keeps serving, and says what to type next.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseTwiml } from "twiml-fax";
import { createFaxProvider } from "twiml-fax/testing";
import { freePort } from "./free-port.mjs";

const { PORT } = process.env;
if (PORT !== undefined && !(/^\d{1,5}$/.test(PORT) && Number(PORT) > 0 && Number(PORT) <= 65535)) {
  console.error(`PORT must be a number from 1 to 65535, not ${JSON.stringify(PORT.slice(0, 20))}.`);
  process.exit(2);
}
const authToken = "PSK_demo";

// Where a provider would keep the pages.
const pages = onePage();
const store = createServer((_, res) => void res.end(pages)).listen(0, "127.0.0.1");
await once(store, "listening");
const host = `127.0.0.1:${store.address().port}`;

const port = PORT ?? (await freePort());
const url = `http://127.0.0.1:${port}/fax`;
const folder = mkdtempSync(join(tmpdir(), "twiml-fax-demo-"));
const server = startExample();
const lines = createInterface({ input: server.stdout });
await firstLine("waiting for faxes");

const provider = createFaxProvider({ url, authToken });
const forger = createFaxProvider({ url, authToken: "guessed" });

const sending = provider.sendFax({ pages, mediaUrl: `http://${host}/1` });
const saved = firstLine("saved ");
const { faxSid } = await tell("A fax that is accepted", "received", sending);
const file = join(folder, (await saved).slice("saved ".length));
if (!file.includes(faxSid) || !readFileSync(file).equals(pages)) throw new Error(`Other pages were saved in ${file}`);
await tell("A fax that is rejected", "rejected", provider.sendFax({ from: "+15005550006" }));
await tell("A fax that fails on its way", "failed", provider.sendFax({ outcome: "failed" }));
await tell("A forged request", "error", forger.sendFax());
readWrongDocument();

console.log(`\nAll is as it must be. The pages of the first fax: ${file}`);
if (PORT !== undefined) console.log(`\nServing ${url}. In another terminal:\n\n${[...commands()].join("\n")}\n`);
else {
  store.close();
  server.kill();
}

/** The example as it stands in the README, as a process of its own. */
function startExample() {
  const example = fileURLToPath(new URL("../docs/examples/server.mjs", import.meta.url));
  const { PUBLIC_URL: _, ...env } = process.env;
  const hosts = PORT === undefined ? host : `${host},127.0.0.1:8127`;
  Object.assign(env, { FAX_AUTH_TOKEN: authToken, PORT: String(port), MEDIA_HOSTS: hosts });
  const child = spawn(process.execPath, [example], { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] });
  child.once("exit", (code) => {
    if (code === null) return;
    console.error(`The example's server has ended, with code ${code}.`);
    process.exit(1);
  });
  process.once("exit", () => child.kill());
  return child;
}

/** The server's first line that begins like this. */
function firstLine(start) {
  return new Promise((resolve) => lines.on("line", (line) => line.startsWith(start) && resolve(line)));
}

async function tell(title, expected, sending) {
  console.log(`\n${title}`);
  const transcript = await sending;
  for (const { request, response, error, ms } of transcript.exchanges) {
    console.log(`  ${request.method} ${request.url}`);
    console.log(`    x-signalwire-signature: ${request.headers["x-signalwire-signature"]}`);
    for (const [name, value] of Object.entries(request.params)) console.log(`    ${name}=${value}`);
    if (response) console.log(`  ${response.status} after ${ms} ms\n    ${response.body}`);
    if (error) console.log(`  error ${error.code}: ${error.message}`);
  }
  console.log(`  outcome: ${transcript.outcome}`);
  if (transcript.outcome !== expected) throw new Error(`${title}: ${transcript.outcome} instead of ${expected}`);
  return transcript;
}

function readWrongDocument() {
  const twiml = '<Response>\n  <Receive action="/fax" pagesize="a4"/>\n</Response>';
  console.log(`\nA wrong document\n  ${twiml.replaceAll("\n", "\n  ")}`);
  try {
    parseTwiml(twiml);
  } catch (error) {
    console.log(`  ${error.message}\n  In the provider's log: error ${error.providerError}`);
    if (error.code === "unknown-attribute") return;
  }
  throw new Error("The wrong document was not refused.");
}

function* commands() {
  const send = `npx twiml-fax send ${url} --token ${authToken}`;
  yield `  ${send} --pages ${file}`;
  yield `  ${send} --from +15005550006   # rejected`;
  yield `  ${send} --fail`;
  yield `  npx twiml-fax send ${url} --token guessed   # forged`;
}

/** PDF 1.4: one page that says what it is. */
function onePage() {
  const text = "BT /F1 24 Tf 72 700 Td (A fax, from npm run demo) Tj ET";
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
    `<< /Length ${text.length} >>\nstream\n${text}\nendstream`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
  ];
  let pdf = "%PDF-1.4\n";
  let table = "0000000000 65535 f \n";
  for (const [i, object] of objects.entries()) {
    table += `${String(pdf.length).padStart(10, "0")} 00000 n \n`;
    pdf += `${i + 1} 0 obj\n${object}\nendobj\n`;
  }
  const size = objects.length + 1;
  const trailer = `trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${pdf.length}\n%%EOF\n`;
  return new TextEncoder().encode(`${pdf}xref\n0 ${size}\n${table}${trailer}`);
}
