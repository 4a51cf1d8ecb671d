/** Wallets that are installed in the browser, by the Wallet Standard. */
import { getWallets } from '@wallet-standard/app';
import type { Wallet as Installed, WalletAccount } from '@wallet-standard/base';
import { address } from '@solana/kit';
import { sentence } from '../chain/errors';
import { UnsignedError, type Connector, type Wallet } from '.';

const CONNECT = 'standard:connect';
const SIGN = 'solana:signTransaction';
const EVENTS = 'standard:events';
/** What wallets say when their user refuses, after EIP-1193. */
const REJECTED = 4001;

interface ConnectFeature {
  connect: () => Promise<{ accounts: readonly WalletAccount[] }>;
}

interface SignFeature {
  signTransaction: (input: {
    account: WalletAccount;
    transaction: Uint8Array;
    chain: string;
  }) => Promise<readonly { signedTransaction: Uint8Array }[]>;
}

interface EventsFeature {
  on: (event: 'change', changed: (change: { accounts?: readonly WalletAccount[] }) => void) => () => void;
}

/** Calls back when wallets come or go. Returns how to stop that. */
export function onInstalled(changed: () => void): () => void {
  const wallets = getWallets();
  const stops = [wallets.on('register', changed), wallets.on('unregister', changed)];
  return () => {
    stops.forEach((stop) => {
      stop();
    });
  };
}

/** Clusters by their genesis hashes, as the Wallet Standard calls them. A wallet simulates on the one that it is told. */
const CLUSTERS: Readonly<Record<string, string>> = {
  '5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d': 'solana:mainnet',
  EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG: 'solana:devnet',
  '4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY': 'solana:testnet',
};

/** What wallets call the chain with this genesis hash: one that nobody knows is a local one. */
export function chainOf(genesis: string): string {
  return CLUSTERS[genesis] ?? 'solana:localnet';
}

/** The installed wallets that can sign for Solana. */
export function installed(genesis: string): readonly Connector[] {
  const chain = chainOf(genesis);
  return getWallets()
    .get()
    .filter((wallet) => CONNECT in wallet.features && SIGN in wallet.features)
    .map((wallet) => ({ name: wallet.name, connect: () => connect(wallet, chain) }));
}

async function connect(wallet: Installed, chain: string): Promise<Wallet> {
  // The standard declares features by name only; that both are there was seen.
  const { accounts } = await (wallet.features[CONNECT] as ConnectFeature).connect();
  const account = accounts[0];
  if (account === undefined) {
    throw new Error(`${wallet.name} gave access to no account`);
  }
  return withAccount(wallet, chain, account);
}

function withAccount(wallet: Installed, chain: string, account: WalletAccount): Wallet {
  const { signTransaction } = wallet.features[SIGN] as SignFeature;
  return {
    name: wallet.name,
    address: address(account.address),
    async sign(transaction) {
      let signed;
      try {
        [signed] = await signTransaction({ account, transaction, chain });
      } catch (error) {
        throw new UnsignedError(whyUnsigned(wallet.name, error));
      }
      if (signed === undefined) {
        throw new UnsignedError(`${wallet.name} signed nothing.`);
      }
      return signed.signedTransaction;
    },
    onChange(changed) {
      const events = wallet.features[EVENTS] as EventsFeature | undefined;
      const stop = events?.on('change', ({ accounts }) => {
        const [first] = accounts ?? [];
        if (accounts === undefined || accounts.some((one) => one.address === account.address)) {
          return;
        }
        if (first === undefined) {
          changed(undefined, `${wallet.name} is locked or has disconnected. Connect it to go on.`);
        } else {
          changed(withAccount(wallet, chain, first), `${wallet.name} has changed to another account.`);
        }
      });
      return () => stop?.();
    },
  };
}

function whyUnsigned(name: string, error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const isRefusal = typeof error === 'object' && error !== null && 'code' in error && error.code === REJECTED;
  // Not all have that number.
  return isRefusal || /reject|denied|declin|cancel/i.test(text)
    ? `You refused in ${name}.`
    : sentence(`${name} did not sign: ${text}`);
}
