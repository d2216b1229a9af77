import type { Context, MiddlewareHandler } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { bearerOf, SecretToken } from "../../http/token.js";

const COOKIE_SECONDS = 30 * 24 * 3600;
/** Guessing a token gets this much slower. */
const WRONG_TOKEN_MS = 300;

/** Asks for a token once, and keeps it as a cookie. */
export class TokenGate {
  readonly #secret: SecretToken;
  readonly #cookie: string;

  /** @param port cookies are of a host, whatever its ports: another dashboard's must not take this one's place */
  constructor(token: string, port: number) {
    this.#secret = new SecretToken(token);
    this.#cookie = `wav2vec2-dashboard-${port}`;
  }

  /** Lets through who has the cookie or sends the token as `Authorization: Bearer`. */
  middleware(): MiddlewareHandler {
    return async (context, next) => {
      const given = bearerOf(context.req.header("authorization")) ?? getCookie(context, this.#cookie);
      if (given !== undefined && this.#secret.is(given)) return next();
      return context.json(
        { error: "The dashboard's token must be given first. It stands where the dashboard was started." },
        401,
      );
    };
  }

  /** Gives the cookie to who knows the token. @returns whether it is right */
  async enter(context: Context, given: string): Promise<boolean> {
    if (!this.#secret.is(given)) {
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
}
