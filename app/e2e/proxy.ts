/** A proxy between the app and the chain that can be cut, or made to say nothing. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Page } from 'playwright-core';
import type { LocalChain } from './chain';

export class Proxy {
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;
  private isSilent = false;
  private port = 0;

  private constructor(private readonly target: number) {}

  static async begin(chain: LocalChain): Promise<Proxy> {
    const proxy = new Proxy(Number(new URL(chain.rpc).port));
    await proxy.mend();
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port.toString()}`;
  }

  /** Nobody listens any more, and who was connected is not. */
  async cut(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    await new Promise<void>((resolve) => {
      if (server === undefined) {
        resolve();
      } else {
        server.close(() => {
          resolve();
        });
        this.drop();
      }
    });
  }

  /** Connections are accepted, and nothing is answered. */
  hang(): void {
    this.isSilent = true;
    this.drop();
  }

  /** Everything is forwarded: as at the beginning. */
  async mend(): Promise<void> {
    if (this.isSilent) {
      this.isSilent = false;
      this.drop();
    }
    if (this.server !== undefined) {
      return;
    }
    const server = createServer((outside) => {
      this.keep(outside);
      if (this.isSilent) {
        return;
      }
      const inside = connect(this.target, '127.0.0.1');
      this.keep(inside);
      outside.pipe(inside).pipe(outside);
      outside.once('close', () => inside.destroy());
      inside.once('close', () => outside.destroy());
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', resolve);
    });
    const address = server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
    this.server = server;
  }

  /** Lets a page talk to the chain by way of this. The page's policy names the chain's own address, and is put aside. */
  async stand(page: Page, chain: LocalChain): Promise<void> {
    const browser = await page.context().newCDPSession(page);
    await browser.send('Page.setBypassCSP', { enabled: true });
    await page.route('**/config.json', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replaceAll(chain.rpc, this.url) });
    });
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    // Whoever hangs up ends it.
    socket.on('error', () => socket.destroy());
  }

  private drop(): void {
    for (const socket of this.sockets) {
      socket.destroy();
    }
  }
}
