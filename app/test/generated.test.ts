import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import {
  getKeelErrorMessage,
  getMovedEncoder,
  KEEL_ERROR__UNHEALTHY,
  KEEL_PROGRAM_ADDRESS,
  Flow,
} from '../src/generated';
import { decodeKeelEvent } from '../src/generated/events';

interface Idl {
  address: string;
  events: { name: string; discriminator: number[] }[];
}

const idl = JSON.parse(readFileSync(new URL('../../idl/keel.json', import.meta.url), 'utf8')) as Idl;

it('is of the program that the IDL describes', () => {
  expect(KEEL_PROGRAM_ADDRESS).toBe(idl.address);
});

it('tells all events apart', () => {
  expect(idl.events.length).toBeGreaterThan(15);
  for (const { name, discriminator } of idl.events) {
    const event = decodeKeelEvent(new Uint8Array([...discriminator, ...new Uint8Array(512)]));
    expect(event?.name).toBe(name);
  }
  expect(decodeKeelEvent(new Uint8Array(100))).toBeUndefined();
  expect(decodeKeelEvent(new Uint8Array())).toBeUndefined();
});

it('reads what an event says', () => {
  const data = {
    flow: Flow.Borrow,
    vault: KEEL_PROGRAM_ADDRESS,
    reserve: KEEL_PROGRAM_ADDRESS,
    amount: 2n ** 64n - 1n,
    shares: 2n ** 127n + 1n,
  };
  const discriminator = idl.events.find((event) => event.name === 'Moved')?.discriminator ?? [];
  const bytes = new Uint8Array([...discriminator, ...getMovedEncoder().encode(data)]);
  expect(decodeKeelEvent(bytes)).toEqual({ name: 'Moved', data });
});

it('says why the program refuses', () => {
  expect(KEEL_ERROR__UNHEALTHY).toBe(6016);
  expect(getKeelErrorMessage(KEEL_ERROR__UNHEALTHY)).toContain('health factor would be under 1');
});
