import { expect, it } from 'vitest';
import { chainOf } from '../src/wallet/standard';

it('tells wallets which chain it is, by its genesis hash', () => {
  expect(chainOf('5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d')).toBe('solana:mainnet');
  expect(chainOf('EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG')).toBe('solana:devnet');
  expect(chainOf('4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY')).toBe('solana:testnet');
  expect(chainOf('11111111111111111111111111111111')).toBe('solana:localnet');
});
