// The words of other programs (the scheduler, the kubelet, the Job controller, a container), fit to stand in a sentence of ours.
import { oneLine } from '../text.ts';

/** Characters that are shown: in a cluster of many nodes the scheduler has much to say. */
const wordsLimit = 500;

/** One line without a full stop at its end; empty where nothing was said. */
export function words(text: string): string {
  return oneLine(text, wordsLimit).replace(/\.$/, '');
}

/** The words after a colon, to be put behind a statement; empty where nothing was said. */
export function saying(text: string): string {
  const said = words(text);
  return said === '' ? '' : `: ${said}`;
}
