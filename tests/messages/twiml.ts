/** The calls that produce the messages of the section "twiml". */
import type { Messages } from "./types.js";

export const twiml: Messages = { scope: {}, calls: [] };
