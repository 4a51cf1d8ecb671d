/** A chain of its own for a test, with the built app on it: `keel-localnet demo --serve`. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PATIENCE_MILLISECONDS = 60_000;

export interface LocalChain {
  url: string;
  rpc: string;
  /** The folder of the keys that the chain gives away, a file of numbers each. */
  keys: string;
  stop: () => Promise<void>;
  /** Another chain at the same addresses. */
  restart: () => Promise<void>;
  /** Another chain, of which only the app has the same address. */
  move: () => Promise<void>;
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

/** What a chain begins with. */
export interface Beginning {
  /** A scenario of this folder. */
  scenario?: string;
  /** What is replaced in it. */
  changes?: readonly [string, string][];
  /** Whether its prices have been played to the end; else they stand at the first ones. */
  isPlayed?: boolean;
}

/** Starts the chain, and waits until the app is served. */
export async function startChain({
  scenario = 'market.toml',
  changes = [],
  isPlayed = false,
}: Beginning): Promise<LocalChain> {
  const [app = 0, rpc = 0, ws = 0] = await freePorts(3);
  const keys = mkdtempSync(join(tmpdir(), 'keel-web-'));
  const changed = join(keys, 'scenario.toml');
  writeFileSync(changed, replaced(readFileSync(file(scenario), 'utf8'), changes));
  const flags = {
    '--program': variable('KEEL_SO'),
    '--mock-pool': variable('KEEL_MOCK_POOL_SO'),
    '--scenario': changed,
    '--app': file('../dist'),
    '--app-port': app.toString(),
    '--rpc-port': rpc.toString(),
    '--ws-port': ws.toString(),
    '--keys': keys,
    ...(isPlayed && { '--speed': '3600' }),
  };
  let chain = await spawnChain(Object.entries(flags).flat());
  const restart = async () => {
    await chain.stop();
    chain = await spawnChain(Object.entries(flags).flat());
  };
  return {
    url: `http://127.0.0.1:${app.toString()}`,
    get rpc() {
      return `http://127.0.0.1:${flags['--rpc-port']}`;
    },
    keys,
    stop: async () => {
      await chain.stop();
      rmSync(keys, { recursive: true });
    },
    restart,
    move: async () => {
      const [other = 0] = await freePorts(1);
      flags['--rpc-port'] = other.toString();
      await restart();
    },
  };
}

function replaced(text: string, changes: readonly [string, string][]): string {
  return changes.reduce((before, [from, to]) => {
    if (before.split(from).length !== 2) {
      throw new Error(`"${from}" does not stand in the scenario once`);
    }
    return before.replace(from, to);
  }, text);
}

async function spawnChain(flags: string[]): Promise<{ stop: () => Promise<void> }> {
  const chain = spawn(variable('KEEL_LOCALNET'), ['demo', '--serve', ...flags], {
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
  };
  const deadline = Date.now() + PATIENCE_MILLISECONDS;
  while (!said.includes('Stop it with Ctrl-C')) {
    if (chain.exitCode !== null || chain.pid === undefined || Date.now() > deadline) {
      await stop();
      throw new Error(`the chain did not start:\n${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { stop };
}
