/** A controller, for an application whose guards and interceptors need the request; the same on both adapters. */
import { All, Controller, type RawBodyRequest, Req, Res } from "@nestjs/common";
import type { HandleRequest } from "twiml-fax/webhook";
import { Faxes } from "./faxes.service.js";

/** The common part of Express's and Fastify's requests and replies. */
type Request = RawBodyRequest<Omit<HandleRequest, "url"> & { readonly originalUrl: string }>;
interface Reply {
  status(code: number): unknown;
  header(name: string, value: string | string[]): unknown;
  send(body: string): unknown;
}

@Controller("controller")
export class FaxController {
  constructor(private readonly faxes: Faxes) {}

  @All("fax")
  async fax(@Req() { method, originalUrl, headers, rawBody }: Request, @Res() reply: Reply) {
    const answer = await this.faxes.webhook.handle({ method, url: originalUrl, headers, body: rawBody });
    reply.status(answer.status);
    for (const [name, value] of Object.entries(answer.headers)) reply.header(name, value);
    reply.send(answer.body);
  }
}
