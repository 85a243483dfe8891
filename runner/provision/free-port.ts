/** Finds loopback ports. A port is only known to be free at this moment: whoever binds it must be ready to lose the race. */
import { createServer } from 'node:net';

/** A loopback port nobody listens on right now, chosen by the system. */
export function pickFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('the system gave no port'));
        else resolve(address.port);
      });
    });
  });
}
