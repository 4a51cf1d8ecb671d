/** Queues changes as governance does, and lets their notice pass. */
import {
  appendTransactionMessageInstructions,
  createKeyPairSignerFromBytes,
  createSolanaRpc,
  createTransactionMessage,
  generateKeyPairSigner,
  getBase64EncodedWireTransaction,
  pipe,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
  type Address,
  type Instruction,
  type KeyPairSigner,
} from '@solana/kit';
import { getCreateAccountInstruction } from '@solana-program/system';
import { getInitializeMint2Instruction, getMintSize, TOKEN_PROGRAM_ADDRESS } from '@solana-program/token';
import { readFileSync } from 'node:fs';
import { fetchChanges } from '../src/chain/changes';
import type { AssetConfig, Config } from '../src/chain/config';
import {
  fetchMarket,
  fetchPendingChange,
  fetchReserve,
  findPendingPda,
  getPendingChangeEncoder,
  getQueueChangeInstruction,
  getSetPauseInstruction,
  type Role,
  type ChangeArgs,
  type PendingChange,
} from '../src/generated';
import type { LocalChain } from './chain';

const MINT_DECIMALS = 6;

export class Governance {
  private readonly rpc;

  private constructor(
    private readonly chain: LocalChain,
    private readonly config: Config,
    private readonly authority: KeyPairSigner,
  ) {
    this.rpc = createSolanaRpc(chain.rpc);
  }

  static async of(chain: LocalChain): Promise<Governance> {
    const config = (await (await fetch(`${chain.url}/config.json`)).json()) as Config;
    const key = JSON.parse(readFileSync(`${chain.keys}/authority.json`, 'utf8')) as number[];
    return new Governance(chain, config, await createKeyPairSignerFromBytes(new Uint8Array(key)));
  }

  /** Queues the listing of a new mint, with the terms of an asset that is listed already. Returns the mint. */
  async list(like: string): Promise<Address> {
    const { config } = (await fetchReserve(this.rpc, this.asset(like).reserve)).data;
    const mint = await generateKeyPairSigner();
    const space = BigInt(getMintSize());
    const lamports = await this.rpc.getMinimumBalanceForRentExemption(space).send();
    const { address: mintAuthority } = this.authority;
    await this.send([
      getCreateAccountInstruction({
        payer: this.authority,
        newAccount: mint,
        lamports,
        space,
        programAddress: TOKEN_PROGRAM_ADDRESS,
      }),
      getInitializeMint2Instruction({ mint: mint.address, decimals: MINT_DECIMALS, mintAuthority }),
    ]);
    const limits = { ...config.limits, depositCap: 0n, borrowCap: 0n, swapCap: 0n };
    await this.queue(mint.address, { __kind: 'List', config: { ...config, limits } });
    return mint.address;
  }

  /** Queues a payment of insurance, in native units. */
  async payInsurance(symbol: string, amount: bigint, to: Address): Promise<void> {
    await this.queue(this.asset(symbol).reserve, { __kind: 'WithdrawInsurance', amount, to });
  }

  /** Queues the offer of a role. */
  async offer(role: Role, to: Address): Promise<void> {
    await this.queue(this.config.market, { __kind: 'Role', role, to });
  }

  /** Pauses what the bits say, or ends the pause with none. */
  async pause(bits: number, seconds: number): Promise<void> {
    await this.send([getSetPauseInstruction({ signer: this.authority, market: this.config.market, bits, seconds })]);
  }

  /** What the app knows of an asset. */
  asset(symbol: string): AssetConfig {
    const asset = this.config.assets.find((one) => one.symbol === symbol);
    if (asset === undefined) {
      throw new Error(`there is no asset ${symbol}`);
    }
    return asset;
  }

  private async queue(target: Address, change: ChangeArgs): Promise<void> {
    const { market } = this.config;
    const nonce = (await fetchMarket(this.rpc, market)).data.nextChange;
    const [pending] = await findPendingPda({ market, nonce });
    const accounts = { payer: this.authority, governance: this.authority, market, target, pending };
    await this.send([getQueueChangeInstruction({ ...accounts, nonce, change })]);
    const { data } = await fetchPendingChange(this.rpc, pending, { commitment: 'processed' });
    await this.write(pending, { ...data, earliest: data.queuedAt });
  }

  /** Lets the queued change of a kind expire. */
  async expire(kind: ChangeArgs['__kind']): Promise<void> {
    const changes = await fetchChanges(this.rpc, this.config.market);
    const found = changes.find(({ change }) => change.__kind === kind);
    if (found === undefined) {
      throw new Error(`no change of the kind ${kind} is queued`);
    }
    await this.write(found.raw.address, { ...found.pending, latest: found.pending.earliest - 1n });
  }

  /** Writes a queued change's account, as only a chain for tests lets one. */
  private async write(address: Address, pending: PendingChange): Promise<void> {
    const data = Buffer.from(getPendingChangeEncoder().encode(pending)).toString('hex');
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'surfnet_setAccount', params: [address, { data }] });
    await fetch(this.chain.rpc, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  }

  private async send(instructions: Instruction[]): Promise<void> {
    const { value: lifetime } = await this.rpc.getLatestBlockhash().send();
    const message = pipe(
      createTransactionMessage({ version: 0 }),
      (m) => setTransactionMessageFeePayerSigner(this.authority, m),
      (m) => setTransactionMessageLifetimeUsingBlockhash(lifetime, m),
      (m) => appendTransactionMessageInstructions(instructions, m),
    );
    const wire = getBase64EncodedWireTransaction(await signTransactionMessageWithSigners(message));
    const signature = await this.rpc.sendTransaction(wire, { encoding: 'base64' }).send();
    for (;;) {
      const [status] = (await this.rpc.getSignatureStatuses([signature]).send()).value;
      if (status?.err != null) {
        throw new Error(JSON.stringify(status.err));
      }
      if (status?.confirmationStatus != null) {
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
