import type { IncomingHttpHeaders } from "node:http";
import { isLocalName } from "../http/access.js";
import { bearerOf, SecretToken } from "../http/token.js";
import { ApiError } from "./api-error.js";

export interface AccessOptions {
  /** What clients must know. */
  token: string | undefined;
  /** Whether only this machine's own names are answered to: where no token is asked for. */
  localOnly: boolean;
  /** Origins of pages of other sites that may use the server; `*` for all. */
  corsOrigins: readonly string[];
}

/** Who may use the server. */
export class AccessRules {
  readonly #secret: SecretToken | undefined;

  constructor(readonly options: AccessOptions) {
    this.#secret = options.token === undefined ? undefined : new SecretToken(options.token);
  }

  /** Whether a page of this origin may read answers. */
  allowsOrigin(origin: string): boolean {
    const { corsOrigins } = this.options;
    return corsOrigins.includes("*") || corsOrigins.includes(origin);
  }

  /**
   * Refuses what a page of another site has had its visitor's browser send: under its own name (DNS rebinding), or from its own
   * origin.
   *
   * @throws ApiError 403
   */
  requirePlace({ host = "", origin }: Pick<IncomingHttpHeaders, "host" | "origin">): void {
    if (this.options.localOnly && !isLocalName(host))
      throw new ApiError(
        403,
        "The Host of a request must be localhost, as no token is asked for here. Start the server with a token to reach it by other names.",
        { type: "permission_error", code: "wrong_host" },
      );
    if (origin === undefined || this.allowsOrigin(origin) || isSameHost(origin, host)) return;
    throw new ApiError(
      403,
      `The origin of a page must be this server's own, but is ${JSON.stringify(origin.slice(0, 200))}. Start the server with --cors ${origin.slice(0, 200)} to let it in.`,
      { type: "permission_error", code: "wrong_origin" },
    );
  }

  /**
   * @param query of a WebSocket's address: browsers can send it no headers
   * @param protocols of a WebSocket, of which OpenAI's clients make one of the token
   * @throws ApiError 401
   */
  requireToken(
    headers: IncomingHttpHeaders,
    query?: URLSearchParams,
    protocols: readonly string[] = [],
  ): void {
    if (this.#secret === undefined) return;
    const apiKey = headers["x-api-key"] ?? headers["api-key"];
    const protocol = protocols.find((name) => name.startsWith(TOKEN_PROTOCOL));
    const given =
      bearerOf(headers.authorization) ??
      (typeof apiKey === "string" ? apiKey : undefined) ??
      protocol?.slice(TOKEN_PROTOCOL.length) ??
      query?.get("token") ??
      query?.get("api_key");
    if (given !== undefined && given !== null && this.#secret.is(given)) return;
    throw new ApiError(
      401,
      given === undefined || given === null
        ? "The token must be given as Authorization: Bearer TOKEN, but is missing."
        : "The token must be the server's, but is another.",
      { type: "authentication_error", code: "invalid_api_key" },
    );
  }
}

/** Of OpenAI's clients in browsers: `openai-insecure-api-key.TOKEN`. */
const TOKEN_PROTOCOL = "openai-insecure-api-key.";

function isSameHost(origin: string, host: string): boolean {
  try {
    return new URL(origin).host === host.toLowerCase().replace(/:(80|443)$/, "");
  } catch {
    return false; // "null", of a page without an origin
  }
}
