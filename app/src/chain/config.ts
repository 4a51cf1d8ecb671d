/** Which market on which chain the app shows: `/config.json`, from where the app is served. */
import { address, type Address } from '@solana/kit';

/** A listed asset. */
export interface AssetConfig {
  symbol: string;
  mint: Address;
  reserve: Address;
  /** The price account of each feed, in the order of the feeds. */
  priceAccounts: readonly Address[];
}

export interface Config {
  /** Whether this is a chain of tests: it has a faucet, and a key may be kept in the browser. */
  local: boolean;
  rpc: string;
  ws: string;
  /** Where a transaction can be looked at: a URL with `{signature}` in it. */
  explorer: string | undefined;
  /** Where the indexer answers, without a slash at the end; without one there is no history. */
  api: string | undefined;
  market: Address;
  lookupTable: Address;
  assets: readonly AssetConfig[];
}

/** A server that has not answered by then will not. */
const PATIENCE_MILLISECONDS = 5_000;

/** Fetches the configuration. */
export async function fetchConfig(): Promise<Config> {
  const response = await fetch('/config.json', { signal: AbortSignal.timeout(PATIENCE_MILLISECONDS) });
  if (!response.ok) {
    throw new Error(`the server has no /config.json (${response.status.toString()})`);
  }
  return readConfig(await response.json());
}

/** Checks a configuration. What is wrong is named. */
export function readConfig(json: unknown): Config {
  const at = object(json, 'the configuration');
  return {
    local: at['local'] === true,
    rpc: text(at, 'rpc'),
    ws: text(at, 'ws'),
    explorer: at['explorer'] === undefined ? undefined : template(text(at, 'explorer')),
    api: at['api'] === undefined ? undefined : text(at, 'api'),
    market: address(text(at, 'market')),
    lookupTable: address(text(at, 'lookupTable')),
    assets: list(at, 'assets').map((one) => {
      const asset = object(one, 'an asset');
      return {
        symbol: text(asset, 'symbol'),
        mint: address(text(asset, 'mint')),
        reserve: address(text(asset, 'reserve')),
        priceAccounts: list(asset, 'priceAccounts').map((account) => address(String(account))),
      };
    }),
  };
}

function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) {
    throw new TypeError(`${what} is no object`);
  }
  return value as Record<string, unknown>;
}

function text(from: Record<string, unknown>, name: string): string {
  const value = from[name];
  if (typeof value !== 'string') {
    throw new TypeError(`"${name}" of the configuration is no text`);
  }
  return value;
}

/** A link that a user follows: no script. */
function template(url: string): string {
  if (!/^https?:\/\//.test(url) || !url.includes('{signature}')) {
    throw new TypeError(`"explorer" of the configuration is no URL with {signature}: ${url}`);
  }
  return url;
}

function list(from: Record<string, unknown>, name: string): unknown[] {
  const value = from[name];
  if (!Array.isArray(value)) {
    throw new TypeError(`"${name}" of the configuration is no list`);
  }
  return value as unknown[];
}
