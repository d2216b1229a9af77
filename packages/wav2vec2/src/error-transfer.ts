import { BridgeError, TorchError } from "@wav2vec2/libtorch";
import { ConfigurationError, type ErrorCode, UserError } from "./errors.js";

/** An error as it goes from thread to thread: a structured clone would lose its class and its fields. */
export interface PlainError {
  kind: keyof typeof CLASSES;
  message: string;
  stack: string | undefined;
  code?: string | undefined;
  /** Of a TorchError. */
  operator?: string | undefined;
  reason?: string | undefined;
}

/** From the most special to the most general. */
const CLASSES = { ConfigurationError, UserError, TorchError, BridgeError, RangeError, TypeError, Error };

/** What another thread makes the error of with {@link reviveError}. */
export function plainError(error: unknown): PlainError {
  if (!(error instanceof Error)) return { kind: "Error", message: String(error), stack: undefined };
  const { message, stack } = error;
  const [kind] = Object.entries(CLASSES).find(([, Class]) => error instanceof Class)!;
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  const plain = { kind: kind as PlainError["kind"], message, stack, code };
  return error instanceof TorchError ? { ...plain, operator: error.operator, reason: error.reason } : plain;
}

/** The error again: of its class, with its code and its stack. */
export function reviveError({ kind, message, stack, code, operator = "", reason = "" }: PlainError): Error {
  const error = make(kind, message, operator, reason);
  Object.defineProperty(error, "message", { value: message, configurable: true, writable: true });
  if (stack !== undefined)
    Object.defineProperty(error, "stack", { value: stack, configurable: true, writable: true });
  if (code === undefined) return error;
  if (error instanceof UserError) error.code = code as ErrorCode; // it was one in the other thread
  return Object.assign(error, { code });
}

function make(kind: PlainError["kind"], message: string, operator: string, reason: string): Error {
  if (kind === "TorchError") return new TorchError(operator, reason);
  return new CLASSES[kind](message);
}
