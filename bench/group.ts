// A group of figures of `npm run bench`, and what it may use. Each group is a file in groups/ and a row in main.ts.
import type { ControlPlane } from '../test/env/control-plane.ts';
import type { Figure } from './figure.ts';

export interface Group {
  /** One word: `npm run bench -- accept`. */
  readonly name: string;
  /** What is asked, for the table's heading. */
  readonly title: string;
  /** Throws when something could not be measured. What it started has ended when it returns. */
  measure(bench: Bench): Promise<readonly Figure[]>;
}

export interface Bench {
  /** At least so many of each figure, but for those that say otherwise. */
  readonly repeats: number;
  /** Of the largest loads, from 0 to 1: less than 1 is for trying the benchmark out. */
  readonly size: number;
  /** A temporary folder of the group's own. */
  readonly folder: string;
  /** The bundled program, as the image has it. */
  readonly program: string;
  /** An etcd and an API server with kube-git's types, which all groups share. */
  cluster(): Promise<ControlPlane>;
  /** Run when the group ends, last first. */
  after(fn: () => unknown): void;
  /** A line of progress. */
  tell(line: string): void;
  readonly signal: AbortSignal;
}
