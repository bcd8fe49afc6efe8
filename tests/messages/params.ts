/** The calls that produce the messages of the section "params". */
import type { Messages } from "./types.js";

export const params: Messages = { scope: {}, calls: [] };
