// Waits for the signal that ends the program. SIGTERM comes from Kubernetes, whose load balancers go on sending for a
// moment; SIGINT from a person, who wants it at once. A second signal ends without waiting for anything.
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';

/** How long deliveries are still taken after SIGTERM: endpoints and load balancers take a few seconds to follow. */
const lameDuckMs = 5_000;

/** Everything after the signal has this long: less than the 20 s that install gives a pod before it is killed. */
const endLimitMs = 15_000;

/** Resolves when it is time to close. `onLeaving` is called at the signal itself, so that readiness can say so. */
export async function untilStopped(options: {
  readonly clock: Clock;
  readonly log: Log;
  readonly onLeaving: () => void;
}): Promise<void> {
  const { clock, log, onLeaving } = options;
  const signal = await nextSignal();
  log.info({ signal }, 'stopping');
  onLeaving();
  void nextSignal().then(() => process.exit(1));
  setTimeout(() => {
    log.error({}, 'did not stop in time');
    process.exit(1);
  }, endLimitMs).unref();
  if (signal === 'SIGTERM') await clock.sleep(lameDuckMs);
}

function nextSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
}
