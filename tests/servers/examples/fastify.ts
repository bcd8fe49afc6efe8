import Fastify from "fastify";
import { receive, reject } from "twiml-fax";
import { faxWebhook } from "twiml-fax/webhook";

const webhook = faxWebhook({
  authToken: process.env.FAX_AUTH_TOKEN,
  publicUrl: process.env.PUBLIC_URL,
  onFax: (fax) => (fax.from === "+15005550006" ? reject() : receive({ action: "fax" })),
  onCallback: (callback) => console.log(callback.faxSid, callback.faxStatus, callback.mediaUrl),
});

// Fastify has no limit of its own for a body that does not end.
const app = Fastify({ requestTimeout: 30_000 });
// The webhook reads these bodies itself, within its own limits.
const types = ["application/x-www-form-urlencoded", "multipart/form-data"];
app.addContentTypeParser(types, (_request, payload, done) => done(null, payload));
app.all("/fax", async ({ method, originalUrl, headers, body }, reply) => {
  const answer = await webhook.handle({ method, url: originalUrl, headers, body });
  return reply.code(answer.status).headers(answer.headers).send(answer.body);
});
await app.listen({ port: Number(process.env.PORT ?? 3000), host: "0.0.0.0" });
export const { server } = app;
