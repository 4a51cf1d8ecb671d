/** Wallets that are installed in the browser, by the Wallet Standard. */
import { getWallets } from '@wallet-standard/app';
import type { Wallet as Installed, WalletAccount } from '@wallet-standard/base';
import { address } from '@solana/kit';
import type { Connector } from '.';

const CONNECT = 'standard:connect';
const SIGN = 'solana:signTransaction';

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

/** The installed wallets that can sign for Solana. */
export function installed(local: boolean): readonly Connector[] {
  const chain = local ? 'solana:localnet' : 'solana:mainnet';
  return getWallets()
    .get()
    .filter((wallet) => CONNECT in wallet.features && SIGN in wallet.features)
    .map((wallet) => ({ name: wallet.name, connect: () => connect(wallet, chain) }));
}

async function connect(wallet: Installed, chain: string) {
  // The standard declares features by name only; that both are there was seen.
  const { accounts } = await (wallet.features[CONNECT] as ConnectFeature).connect();
  const account = accounts[0];
  if (account === undefined) {
    throw new Error(`${wallet.name} gave access to no account`);
  }
  const { signTransaction } = wallet.features[SIGN] as SignFeature;
  return {
    name: wallet.name,
    address: address(account.address),
    async sign(transaction: Uint8Array) {
      const [signed] = await signTransaction({ account, transaction, chain });
      if (signed === undefined) {
        throw new Error(`${wallet.name} signed nothing`);
      }
      return signed.signedTransaction;
    },
  };
}
