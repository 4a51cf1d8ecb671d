import react from '@vitejs/plugin-react';
import type { ProxyOptions } from 'vite';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [react()],
  build: { target: 'es2022' },
  server: {
    // What the server of a running `cargo xtask demo -- --serve` answers beside the app's files.
    proxy: Object.fromEntries(
      ['/config.json', '/api', '/faucet', '/scenarios'].map((path) => [
        path,
        {
          target: 'http://127.0.0.1:8080',
          changeOrigin: true,
          // It does things for its own pages only, and takes a request without an origin for none of another's.
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
