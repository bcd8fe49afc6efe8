/** The `TwimlError` that a call throws, with the checks that apply to all of them. */
import { expect } from "vitest";
import { TwimlError } from "../src/index.js";

/** Returns the error. Fails if the call throws nothing, another error, or a message that is not safe in a log. */
export function catchTwimlError(call: () => unknown): TwimlError {
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    expect(error).toBeInstanceOf(TwimlError);
    const { name, message, verb = "", attribute = "" } = error as TwimlError;
    expect(name).toBe("TwimlError");
    // One line of ASCII, so that a terminal interprets nothing in it.
    expect(message).toMatch(/^[\x20-\x7e…]{1,400}$/);
    expect(Math.max(verb.length, attribute.length)).toBeLessThanOrEqual(64);
    return error as TwimlError;
  }
  return expect.fail(`nothing was thrown; returned ${JSON.stringify(result)?.slice(0, 200)}`);
}
