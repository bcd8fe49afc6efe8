/** The calls that produce the messages of the section "testing". */
import type { Messages } from "./types.js";

export const testing: Messages = { scope: {}, calls: [] };
