/** Finds accounts of the program by what stands in them. */
import {
  getBase58Decoder,
  getBase64Encoder,
  type Address,
  type Base58EncodedBytes,
  type FixedSizeCodec,
  type GetProgramAccountsApi,
  type Rpc,
} from '@solana/kit';
import { KEEL_PROGRAM_ADDRESS } from '../generated';
import type { RawAccount } from '../risk';

/** Where an address stands in an account's data: where the data differs when the address does. */
export function offsetOf<From, To extends From>(codec: FixedSizeCodec<From, To>, field: keyof From): bigint {
  const empty = codec.decode(new Uint8Array(codec.fixedSize));
  const before = codec.encode(empty);
  const after = codec.encode({ ...empty, [field]: KEEL_PROGRAM_ADDRESS });
  return BigInt(after.findIndex((byte, i) => byte !== before[i]));
}

/** The accounts of one kind, which its codec tells, in whose fields these addresses stand. */
export async function findAccounts<From, To extends From>(
  rpc: Rpc<GetProgramAccountsApi>,
  codec: FixedSizeCodec<From, To>,
  fields: Partial<Record<keyof From, Address>>,
): Promise<RawAccount[]> {
  const filter = (offset: bigint, bytes: string) => ({
    memcmp: { offset, bytes: bytes as Base58EncodedBytes, encoding: 'base58' as const },
  });
  // Whatever is encoded begins with the discriminator.
  const kind = codec.encode(codec.decode(new Uint8Array(codec.fixedSize))).slice(0, 8);
  const found = await rpc
    .getProgramAccounts(KEEL_PROGRAM_ADDRESS, {
      commitment: 'confirmed',
      encoding: 'base64',
      filters: [
        filter(0n, getBase58Decoder().decode(kind)),
        ...(Object.entries(fields) as [keyof From, Address][]).map(([field, address]) =>
          filter(offsetOf(codec, field), address),
        ),
      ],
    })
    .send();
  return found.map(({ pubkey, account }) => ({
    address: pubkey,
    owner: account.owner,
    data: getBase64Encoder().encode(account.data[0]),
  }));
}
