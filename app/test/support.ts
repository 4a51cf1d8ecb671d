import { readFileSync } from 'node:fs';
import { Risk } from '../src/risk';

const MODULE = new URL('../src/risk/keel_risk.wasm', import.meta.url);

/** The module's bytes, as `cargo xtask app` built them. */
export function moduleBytes(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(MODULE));
}

export function loadRisk(): Promise<Risk> {
  return Risk.load(moduleBytes());
}
