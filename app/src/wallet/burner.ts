/** A key in the browser's storage, for chains of tests only: whoever can run a script on this page has it. */
import {
  createKeyPairSignerFromPrivateKeyBytes,
  getTransactionDecoder,
  getTransactionEncoder,
  partiallySignTransaction,
} from '@solana/kit';
import { UnsignedError, type Connector, type Wallet } from '.';

const STORED = 'keel.burner';
const KEY_BYTES = 32;

export const burner: Connector = { name: 'Burner wallet', connect };

const REPLACED = 'The key of the burner wallet is another one now. Connect again.';

async function connect(): Promise<Wallet> {
  const signer = await createKeyPairSignerFromPrivateKeyBytes(secret());
  // Another tab may have replaced or removed it.
  const stored = localStorage.getItem(STORED);
  const isMine = () => localStorage.getItem(STORED) === stored;
  return {
    name: burner.name,
    address: signer.address,
    async sign(transaction) {
      if (!isMine()) {
        throw new UnsignedError(REPLACED);
      }
      const decoded = getTransactionDecoder().decode(transaction);
      return new Uint8Array(getTransactionEncoder().encode(await partiallySignTransaction([signer.keyPair], decoded)));
    },
    onChange(changed) {
      const look = () => {
        if (!isMine()) {
          changed(undefined, REPLACED);
        }
      };
      window.addEventListener('storage', look);
      return () => {
        window.removeEventListener('storage', look);
      };
    },
  };
}

function secret(): Uint8Array {
  const stored = localStorage.getItem(STORED);
  const bytes = stored?.split(',').map(Number);
  if (bytes?.length === KEY_BYTES && bytes.every((byte) => Number.isInteger(byte) && byte >= 0 && byte < 256)) {
    return new Uint8Array(bytes);
  }
  const fresh = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  localStorage.setItem(STORED, fresh.join(','));
  return fresh;
}
