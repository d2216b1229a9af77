import { isIP } from "node:net";
import type { Handler, MiddlewareHandler } from "hono";

/** Scripts, styles and everything else from this server alone, and no inline ones. */
export const OWN_CONTENT =
  "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy": OWN_CONTENT,
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
};

/** What every answer carries that has none of its own. */
export function securityHeaders(): MiddlewareHandler {
  return async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(HEADERS))
      if (!context.res.headers.has(name)) context.res.headers.set(name, value);
  };
}

/**
 * Refuses requests that a page of another site has had its visitor's browser send here by pointing its own name at this
 * machine (DNS rebinding): they bear that name. Tunnels change the port, so any will do.
 *
 * @param refuse answers such a request
 */
export function localHostOnly(refuse: Handler): MiddlewareHandler {
  return (context, next) => (isLocalName(context.req.header("host") ?? "") ? next() : refuse(context, next));
}

/** Whether a Host header names this machine's loopback. */
export function isLocalName(host: string): boolean {
  const name = host.replace(/:\d+$/, "").toLowerCase();
  return isLoopback(name.replace(/^\[(.*)\]$/, "$1"));
}

/** Whether an address or name is reached from this machine alone. */
export function isLoopback(host: string): boolean {
  if (host === "localhost" || host.endsWith(".localhost")) return true;
  const mapped = host.replace(/^::ffff:/i, "");
  return host === "::1" || (isIP(mapped) === 4 && mapped.startsWith("127."));
}
