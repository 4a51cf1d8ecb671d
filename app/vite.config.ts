import react from '@vitejs/plugin-react';
import type { ProxyOptions } from 'vite';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [react()],
  build: { target: 'es2022' },
  server: {
    // The chain's addresses and its faucet, from a running `cargo xtask demo -- --serve`.
    proxy: Object.fromEntries(
      ['/config.json', '/faucet'].map((path) => [
        path,
        {
          target: 'http://127.0.0.1:8080',
          changeOrigin: true,
          // The faucet gives to its own pages only, and takes a request without an origin for none of another's.
          configure: (proxy) => {
            proxy.on('proxyReq', (request) => {
              request.removeHeader('origin');
            });
          },
        } satisfies ProxyOptions,
      ]),
    ),
  },
  test: { include: ['test/**/*.test.ts'], testTimeout: 300_000 },
});
