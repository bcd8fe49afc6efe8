/**
 * `npm run demo`: starts the first example of the README and sends faxes to it, on this machine.
 * With `PORT=3000 npm run demo` the server keeps running, and the demo prints commands to try.
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
  console.error(`PORT must be a number from 1 to 65535, but is ${JSON.stringify(PORT.slice(0, 20))}.`);
  process.exit(2);
}
const authToken = "PSK_demo";

// The provider's storage of the pages.
const pages = createPdf("A fax from npm run demo");
const storage = createServer((_, res) => void res.end(pages)).listen(0, "127.0.0.1");
await once(storage, "listening");
const storageHost = `127.0.0.1:${storage.address().port}`;

const port = PORT ?? (await freePort());
const url = `http://127.0.0.1:${port}/fax`;
const folder = mkdtempSync(join(tmpdir(), "twiml-fax-demo-"));
const server = startExample();
const lines = createInterface({ input: server.stdout });
await readLine("waiting for faxes");

const provider = createFaxProvider({ url, authToken });
const attacker = createFaxProvider({ url, authToken: "guessed" });

const saved = readLine("saved ");
const fax = { pages, mediaUrl: `http://${storageHost}/1` };
const { faxSid } = await print("An accepted fax", "received", provider.sendFax(fax));
const file = join(folder, (await saved).slice("saved ".length));
if (!file.includes(faxSid) || !readFileSync(file).equals(pages)) throw new Error(`${file} has other pages.`);
await print("A rejected fax", "rejected", provider.sendFax({ from: "+15005550006" }));
await print("A failed fax", "failed", provider.sendFax({ outcome: "failed" }));
await print("A forged request", "error", attacker.sendFax());
parseInvalidTwiml();

console.log(`\nAll results are as expected. The pages of the first fax are in ${file}`);
if (PORT !== undefined) console.log(`\nThe server is running at ${url}. Try in another terminal:\n\n${commands()}\n`);
else {
  storage.close();
  server.kill();
}

/** Runs the README's example in its own process. */
function startExample() {
  const example = fileURLToPath(new URL("../docs/examples/server.mjs", import.meta.url));
  const { PUBLIC_URL: _, ...env } = process.env;
  const hosts = PORT === undefined ? storageHost : `${storageHost},127.0.0.1:8127`;
  Object.assign(env, { FAX_AUTH_TOKEN: authToken, PORT: String(port), MEDIA_HOSTS: hosts });
  const child = spawn(process.execPath, [example], { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] });
  child.once("exit", (code) => {
    if (code === null || code === 0) return;
    console.error(`The server exited with code ${code}.`);
    process.exit(1);
  });
  process.once("exit", () => child.kill());
  return child;
}

/** The next line of the server that begins with `start`. */
function readLine(start) {
  return new Promise((resolve) => lines.on("line", (line) => line.startsWith(start) && resolve(line)));
}

/** Prints the requests and responses of a fax. */
async function print(title, expected, sending) {
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
  if (transcript.outcome !== expected) throw new Error(`${title}: expected ${expected}, got ${transcript.outcome}`);
  return transcript;
}

function parseInvalidTwiml() {
  const twiml = '<Response>\n  <Receive action="/fax" pagesize="a4"/>\n</Response>';
  console.log(`\nAn invalid document\n  ${twiml.replaceAll("\n", "\n  ")}`);
  try {
    parseTwiml(twiml);
  } catch (error) {
    console.log(`  ${error.message}\n  The provider logs error ${error.providerError}.`);
    if (error.code === "unknown-attribute") return;
  }
  throw new Error("parseTwiml did not throw for an unknown attribute.");
}

function commands() {
  const send = `  npx twiml-fax send ${url} --token`;
  return [
    `${send} ${authToken} --pages ${file}`,
    `${send} ${authToken} --from +15005550006   # rejected`,
    `${send} ${authToken} --fail`,
    `${send} guessed   # forged`,
  ].join("\n");
}

/** A PDF 1.4 file with one page of text. */
function createPdf(text) {
  const content = `BT /F1 24 Tf 72 700 Td (${text}) Tj ET`;
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
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
