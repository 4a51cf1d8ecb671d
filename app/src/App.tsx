import { createSolanaRpc } from '@solana/kit';
import { useEffect, useState } from 'react';
import { fractionToPercent } from './fixed';
import { findMarketPda } from './generated';
import { isRefused, Risk } from './risk';
import moduleUrl from './risk/keel_risk.wasm?url';
import { fetchSnapshot } from './snapshot';

/** Where `cargo xtask demo --serve` listens. */
const LOCAL_CHAIN = 'http://127.0.0.1:8899';

/** What the chain at hand says about the first market, as text. */
async function utilization(): Promise<string> {
  const risk = await Risk.load(fetch(moduleUrl));
  const [market] = await findMarketPda({ id: 0 });
  const snapshot = await fetchSnapshot(createSolanaRpc(LOCAL_CHAIN), market);
  if (snapshot === undefined) {
    return `There is no market on the chain at ${LOCAL_CHAIN}.`;
  }
  const moment = { now: BigInt(Math.floor(Date.now() / 1000)), lastRestartSlot: 0n };
  const reserves = risk.reserves(snapshot, moment);
  if (isRefused(reserves)) {
    return `The program refuses with error ${reserves.refused.toString()}.`;
  }
  return reserves.map((reserve) => `${fractionToPercent(reserve.utilization, 2)} % lent`).join(', ');
}

export function App() {
  const [text, setText] = useState('Loading…');
  useEffect(() => {
    utilization().then(setText, (error: unknown) => {
      setText(`No answer from ${LOCAL_CHAIN}: start one with "cargo xtask demo --serve". (${String(error)})`);
    });
  }, []);
  return <main>{text}</main>;
}
