import formbody from "@fastify/formbody";
import Fastify from "fastify";
import { webhook } from "./fax.mjs";

// Fastify has no limit of its own for a body that does not end, and its close() waits for open connections.
const app = Fastify({ requestTimeout: 30_000, keepAliveTimeout: 5_000 });
app.register(formbody); // for routes of yours
app.register(async (scope) => {
  // Here the webhook reads the bodies itself, within its own limits.
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
  scope.all("/fax", async ({ method, originalUrl, headers, body }, reply) => {
    const answer = await webhook.handle({ method, url: originalUrl, headers, body });
    return reply.code(answer.status).headers(answer.headers).send(answer.body);
  });
});
await app.listen({ port: Number(process.env.PORT ?? 3000), host: "0.0.0.0" });
// Node exits once the last handler has finished.
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => app.close());
