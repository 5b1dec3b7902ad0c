// The built page is committed, so its files keep their names, and a build twice gives the same bytes.
import { defineConfig } from "vite";

export default defineConfig({
  base: "./", // the service may stand under any path
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    target: "es2022",
    outDir: "../src/scrubjay/serve/web",
    emptyOutDir: true,
    modulePreload: false, // its script would be inline
    rollupOptions: {
      output: { entryFileNames: "page.js", assetFileNames: "page.[ext]" },
    },
  },
  server: { proxy: { "/v1": "http://127.0.0.1:8600", "/metrics": "http://127.0.0.1:8600" } },
});
