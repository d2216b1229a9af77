import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** A token that nobody guesses. */
export function makeToken(): string {
  return randomBytes(18).toString("base64url");
}

/** The token of an `Authorization: Bearer` header. */
export function bearerOf(header: string | undefined): string | undefined {
  return /^Bearer +(.+)$/i.exec(header ?? "")?.[1];
}

/** A token that others must know. */
export class SecretToken {
  readonly #digest: Buffer;

  constructor(token: string) {
    this.#digest = digestOf(token);
  }

  /** Takes the same time for every token. */
  is(given: string): boolean {
    return timingSafeEqual(digestOf(given), this.#digest);
  }
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
