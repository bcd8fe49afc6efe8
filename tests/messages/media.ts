/** The calls that produce the messages of the section "media". */
import type { Messages } from "./types.js";

export const media: Messages = { scope: {}, calls: [] };
