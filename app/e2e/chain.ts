/** A chain of its own for a test, with the built app on it: `keel-localnet demo --serve`. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PATIENCE_MILLISECONDS = 60_000;

export interface LocalChain {
  url: string;
  rpc: string;
  stop: () => Promise<void>;
}

/** What `cargo xtask test` names in the environment. */
export function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) {
    throw new Error(`${name} is not set: run \`cargo xtask test\`, or see docs/developers/web-app.md`);
  }
  return value;
}

function file(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

/** Ports that nobody uses at the moment. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer();
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => {
            resolve(server);
          });
        }),
    ),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Starts the chain with a scenario of this folder, and waits until the app is served. */
export async function startChain(scenario: string): Promise<LocalChain> {
  const [app = 0, rpc = 0, ws = 0] = await freePorts(3);
  const keys = mkdtempSync(join(tmpdir(), 'keel-web-'));
  const flags = {
    '--program': variable('KEEL_SO'),
    '--mock-pool': variable('KEEL_MOCK_POOL_SO'),
    '--scenario': file(scenario),
    '--app': file('../dist'),
    '--app-port': app.toString(),
    '--rpc-port': rpc.toString(),
    '--ws-port': ws.toString(),
    '--keys': keys,
    // The scenario is over at once; from then on the chain's clock is the wall's.
    '--speed': '3600',
  };
  const chain = spawn(variable('KEEL_LOCALNET'), ['demo', '--serve', ...Object.entries(flags).flat()], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  chain.stderr.on('data', (text: Buffer) => {
    said += text.toString();
  });
  const stopped = new Promise<void>((resolve) => {
    chain.once('exit', () => {
      resolve();
    });
    chain.once('error', (error) => {
      said += error.message;
      resolve();
    });
  });
  const stop = async () => {
    chain.kill('SIGTERM');
    await stopped;
    rmSync(keys, { recursive: true });
  };
  const url = `http://127.0.0.1:${app.toString()}`;
  const deadline = Date.now() + PATIENCE_MILLISECONDS;
  while (!said.includes('The scenario is over')) {
    if (chain.exitCode !== null || chain.pid === undefined || Date.now() > deadline) {
      await stop();
      throw new Error(`the chain did not start:\n${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { url, rpc: `http://127.0.0.1:${rpc.toString()}`, stop };
}
