/** The parsers as Standard Schemas, in validators of frameworks: https://standardschema.dev */
import { sValidator } from "@hono/standard-validator";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { initTRPC } from "@trpc/server";
import { Hono } from "hono";
import { describe, expect, expectTypeOf, it } from "vitest";
import { type FaxCallback, type FaxRequest, parseFax, parseFaxCallback, parseFaxRequest } from "../../src/index.js";

const INCOMING = { FaxSid: "FX1", AccountSid: "AC1", From: "", To: "+15558675310", ApiVersion: "v1" };

describe("the parsers as Standard Schemas", () => {
  it("the parsers are assignable to StandardSchemaV1, which infers their output", () => {
    const schemas: StandardSchemaV1[] = [parseFax, parseFaxCallback, parseFaxRequest];
    expect(schemas.map((schema) => schema["~standard"].version)).toEqual([1, 1, 1]);
    expectTypeOf<StandardSchemaV1.InferOutput<typeof parseFax>>().toEqualTypeOf<FaxRequest | FaxCallback>();
    expectTypeOf<StandardSchemaV1.InferOutput<typeof parseFaxCallback>>().toEqualTypeOf<FaxCallback>();
  });

  it("Hono's sValidator accepts parseFax", async () => {
    const app = new Hono().post("/fax", sValidator("form", parseFax), (c) => {
      const fax = c.req.valid("form");
      return c.text(fax.kind === "callback" ? fax.faxStatus : fax.faxSid);
    });
    const post = (body: object) => app.request("/fax", { method: "POST", body: new URLSearchParams({ ...body }) });
    expect(await (await post(INCOMING)).text()).toBe("FX1");
    expect(await (await post({ ...INCOMING, FaxStatus: "received" })).text()).toBe("received");
    const refused = await post({ ...INCOMING, To: "" });
    expect([refused.status, await refused.json()]).toMatchObject([400, { error: [{ message: "To is empty." }] }]);
  });

  it("tRPC's input accepts parseFaxRequest", async () => {
    const t = initTRPC.create();
    const router = t.router({ fax: t.procedure.input(parseFaxRequest).mutation(({ input }) => input.faxSid) });
    const caller = t.createCallerFactory(router)({});
    expect(await caller.fax(INCOMING)).toBe("FX1");
    await expect(caller.fax({ ...INCOMING, FaxSid: "a b" })).rejects.toMatchObject({ code: "BAD_REQUEST" });
  });
});
