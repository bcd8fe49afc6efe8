import node from "@astrojs/node";
import { defineConfig } from "astro/config";

export default defineConfig({
  adapter: node({ mode: "standalone" }),
  // A provider sends no Origin header. Without this line, every fax gets Astro's 403.
  security: { checkOrigin: false },
});
