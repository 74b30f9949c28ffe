// Who of several replicas leads. Used by the controller; lease.ts holds a Lease for it.

export interface Election {
  /** What keeps this process from standing at all, in words; nothing once it stands. */
  waitingFor(): readonly string[];
  /** Whether nobody else can be leader now. To be asked before each effect on the outside. */
  isFresh(): boolean;
  /** Stands until the signal aborts; calls `lead` for each term, whose signal aborts when the term is over. */
  run(signal: AbortSignal, lead: (term: AbortSignal) => Promise<void>): Promise<void>;
}

/** For a process that is the only one: it leads from the beginning to the end. */
export const unopposed: Election = {
  waitingFor: () => [],
  isFresh: () => true,
  run: (signal, lead) => lead(signal),
};
