/** Starts the application with the adapter in the variable ADAPTER. */
import { NestFactory } from "@nestjs/core";
import { ExpressAdapter } from "@nestjs/platform-express";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import { AppModule } from "./app.module.js";
import { Faxes } from "./faxes.service.js";

// Fastify has no time limit for a request body.
const adapter =
  process.env.ADAPTER === "fastify" ? new FastifyAdapter({ requestTimeout: 30_000 }) : new ExpressAdapter();
// rawBody is only for the controller: Nest's parsers change what was signed.
const app = await NestFactory.create(AppModule, adapter, { rawBody: true });
const { webhook } = app.get(Faxes);
// Before Nest's parsers, which listen() adds: the webhook reads the body itself, within its own limits.
app.use("/fax", webhook.node); // NestJS on Express or Fastify, before listen()
await app.listen(Number(process.env.PORT ?? 3000), process.env.HOST ?? "0.0.0.0");
