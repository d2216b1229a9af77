import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import type { Context, MiddlewareHandler } from "hono";
import { getCookie, setCookie } from "hono/cookie";

const COOKIE_SECONDS = 30 * 24 * 3600;
/** Guessing a token gets this much slower. */
const WRONG_TOKEN_MS = 300;

const HEADERS: Readonly<Record<string, string>> = {
  // Scripts, styles and everything else from this server alone, and no inline ones.
  "Content-Security-Policy":
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
};

/** A token that nobody guesses. */
export function makeToken(): string {
  return randomBytes(18).toString("base64url");
}

/** What every answer carries. */
export function securityHeaders(): MiddlewareHandler {
  return async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(HEADERS)) context.res.headers.set(name, value);
  };
}

/**
 * Refuses requests that a page of another site has had its visitor's browser send here by pointing its own name at this
 * machine (DNS rebinding): they bear that name. Tunnels change the port, so any will do.
 */
export function localHostOnly(): MiddlewareHandler {
  return async (context, next) => {
    if (isLocalName(context.req.header("host") ?? "")) return next();
    return context.text(
      "The Host of a request must be localhost, as no token is asked for here. Start the dashboard with --token to reach it by other names.\n",
      403,
    );
  };
}

/** Whether a Host header names this machine's loopback. */
function isLocalName(host: string): boolean {
  const name = host.replace(/:\d+$/, "").toLowerCase();
  return isLoopback(name.replace(/^\[(.*)\]$/, "$1"));
}

/** Whether an address or name is reached from this machine alone. */
export function isLoopback(host: string): boolean {
  if (host === "localhost" || host.endsWith(".localhost")) return true;
  const mapped = host.replace(/^::ffff:/i, "");
  return host === "::1" || (isIP(mapped) === 4 && mapped.startsWith("127."));
}

/** Asks for a token once, and keeps it as a cookie. */
export class TokenGate {
  readonly #digest: Buffer;
  readonly #cookie: string;

  /** @param port cookies are of a host, whatever its ports: another dashboard's must not take this one's place */
  constructor(token: string, port: number) {
    this.#digest = digestOf(token);
    this.#cookie = `wav2vec2-dashboard-${port}`;
  }

  /** Lets through who has the cookie or sends the token as `Authorization: Bearer`. */
  middleware(): MiddlewareHandler {
    return async (context, next) => {
      const bearer = /^Bearer (.+)$/.exec(context.req.header("authorization") ?? "")?.[1];
      const given = bearer ?? getCookie(context, this.#cookie);
      if (given !== undefined && this.#isRight(given)) return next();
      return context.json(
        { error: "The dashboard's token must be given first. It stands where the dashboard was started." },
        401,
      );
    };
  }

  /** Gives the cookie to who knows the token. @returns whether it is right */
  async enter(context: Context, given: string): Promise<boolean> {
    if (!this.#isRight(given)) {
      await new Promise((done) => setTimeout(done, WRONG_TOKEN_MS));
      return false;
    }
    setCookie(context, this.#cookie, given, {
      httpOnly: true,
      sameSite: "Strict",
      path: "/",
      maxAge: COOKIE_SECONDS,
    });
    return true;
  }

  /** Takes the same time for every token. */
  #isRight(given: string): boolean {
    return timingSafeEqual(digestOf(given), this.#digest);
  }
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
