// What a person has to put right before tests or demo can start: shown as it is, without a stack trace.

export class SetupError extends Error {
  override readonly name = 'SetupError';
}
