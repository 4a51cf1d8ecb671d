/** The vaults that a wallet has to do with: its own, those it is delegate of, and those that are offered to it. */
import {
  fetchEncodedAccounts,
  type Address,
  type GetMultipleAccountsApi,
  type GetProgramAccountsApi,
  type Rpc,
} from '@solana/kit';
import { findVaultPda, getVaultCodec, getVaultDecoder, type Vault } from '../generated';
import type { RawAccount } from '../risk';
import { findAccounts } from './find';

/** How many numbers are tried at once for a new vault. */
const BATCH = 16;

export interface VaultEntry {
  raw: RawAccount;
  vault: Vault;
  as: 'owner' | 'delegate' | 'offered';
}

/** What a wallet has to do with a vault; nothing, perhaps. */
export function relationOf(vault: Vault, wallet: Address): VaultEntry['as'] | undefined {
  if (vault.owner === wallet) {
    return 'owner';
  }
  if (vault.delegate === wallet) {
    return 'delegate';
  }
  return vault.offeredTo === wallet ? 'offered' : undefined;
}

/** All of them: own ones first, by their numbers. */
export async function fetchVaults(
  rpc: Rpc<GetProgramAccountsApi>,
  market: Address,
  wallet: Address,
): Promise<VaultEntry[]> {
  const kinds = [
    ['owner', 'owner'],
    ['delegate', 'delegate'],
    ['offeredTo', 'offered'],
  ] as const;
  const found = await Promise.all(
    kinds.map(async ([field, as]) => {
      const accounts = await findAccounts(rpc, getVaultCodec(), { market, [field]: wallet });
      return accounts.map((raw): VaultEntry => ({ raw, vault: getVaultDecoder().decode(raw.data), as }));
    }),
  );
  return found.flatMap((entries) => entries.sort((a, b) => a.vault.index - b.vault.index));
}

/** The lowest number under which the wallet never opened a vault that there still is, whoever owns it now. */
export async function freeIndex(rpc: Rpc<GetMultipleAccountsApi>, market: Address, owner: Address): Promise<number> {
  for (let first = 0; ; first += BATCH) {
    const indices = Array.from({ length: BATCH }, (_, i) => first + i);
    const addresses = await Promise.all(
      indices.map(async (index) => (await findVaultPda({ market, owner, index }))[0]),
    );
    const accounts = await fetchEncodedAccounts(rpc, addresses, { commitment: 'confirmed' });
    const free = accounts.findIndex(({ exists }) => !exists);
    if (free >= 0) {
      return first + free;
    }
  }
}
