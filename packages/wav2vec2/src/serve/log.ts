export type LogLevel = "info" | "warn" | "error";

/** Writes what happened: an event's name with what belongs to it. */
export type Log = (level: LogLevel, event: string, fields?: Readonly<Record<string, unknown>>) => void;

/** Lines of JSON, one an event. */
export function jsonLog(write: (line: string) => void): Log {
  return (level, event, fields = {}) => {
    write(`${JSON.stringify({ time: new Date().toISOString(), level, event, ...fields })}\n`);
  };
}

/** An error as a log's fields. */
export function errorFields(error: unknown): { error: string; stack?: string | undefined } {
  return error instanceof Error ? { error: error.message, stack: error.stack } : { error: String(error) };
}
