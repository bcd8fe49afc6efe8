import adapter from "@sveltejs/adapter-node";
import { sveltekit } from "@sveltejs/kit/vite";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [
    sveltekit({
      adapter: adapter(),
      // A provider sends no Origin header. Without this line, SvelteKit responds to every fax with 403.
      csrf: { trustedOrigins: ["*"] },
    }),
  ],
});
