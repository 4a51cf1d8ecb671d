/** What the server of a local chain does on request: test tokens, and price scenarios. */
import type { Address } from '@solana/kit';

/** How long the server may think. */
const PATIENCE_MILLISECONDS = 10_000;

/** Something that prices can do. */
export interface Scenario {
  name: string;
  title: string;
  summary: string;
  /** How long it takes. */
  seconds: number;
}

export interface Scenarios {
  offered: readonly Scenario[];
  playing: { name: string; elapsed: number } | null;
}

async function ask<T>(method: string, path: string, body?: object): Promise<T> {
  const response = await fetch(path, {
    method,
    signal: AbortSignal.timeout(PATIENCE_MILLISECONDS),
    ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as T & { error?: string };
  if (answer.error !== undefined) {
    throw new Error(answer.error);
  }
  return answer;
}

/** Asks for test tokens. */
export async function giveTokens(address: Address): Promise<void> {
  await ask('POST', '/faucet', { address });
}

export function fetchScenarios(): Promise<Scenarios> {
  return ask('GET', '/scenarios');
}

export async function playScenario(name: string): Promise<void> {
  await ask('POST', `/scenarios/${name}`);
}

/** Ends the one that is playing. Prices stay where they are. */
export async function stopScenario(): Promise<void> {
  await ask('DELETE', '/scenarios');
}
