import react from "@vitejs/plugin-react";
import { gzipSync } from "node:zlib";
import { defineConfig } from "vitest/config";
import type { Plugin } from "vite";
import { mockApi } from "./mock/server.ts";

// packed writes a .gz beside each text asset, so that the Go server sends it without compressing anew.
function packed(): Plugin {
  return {
    name: "packed",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        for (const [name, file] of Object.entries(bundle)) {
          if (!/^assets\/.*\.(js|css)$/.test(name)) continue;
          const body = file.type === "chunk" ? file.code : file.source;
          this.emitFile({ type: "asset", fileName: `${name}.gz`, source: gzipSync(body, { level: 9 }) });
        }
      },
    },
  };
}

const sidecard = process.env.SIDECARD_URL ?? "http://127.0.0.1:8080";

export default defineConfig(({ mode }) => ({
  html: { cspNonce: "__NONCE__" }, // the Go server puts a new one into each answer
  plugins: [react(), packed(), ...(mode === "mock" ? [mockApi()] : [])],
  server: {
    host: "127.0.0.1",
    proxy: mode === "mock" ? undefined : { "/api": sidecard, "/openapi.yaml": sidecard },
  },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    assetsInlineLimit: 0, // data: fonts and scripts are refused by the content security policy
    rolldownOptions: { input: { index: "index.html", docs: "docs.html" } },
  },
  test: {
    environment: "node", // a file that needs a browser asks for jsdom itself
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/test-setup.ts"],
    restoreMocks: true,
  },
}));
