/** What a sink is given of the run around it. */
export interface SinkContext {
  /** When what is being told happened in training, in milliseconds since 1970. */
  now(): number;
  /** Says that the sink is at work, where a single thing takes long: at its end a run waits only for those that are. */
  working(): void;
  /** Says something to the person who trains. */
  note(text: string): void;
  /** Ends the run as Ctrl+C does: a checkpoint is saved. @param reason a whole sentence */
  stop(reason: string): void;
}
