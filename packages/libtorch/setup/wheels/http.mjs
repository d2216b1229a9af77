// HTTP with what a package index needs: redirects, byte ranges, a proxy, a private certificate authority, retries.
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { rootCertificates } from "node:tls";
import { proxyAuthorization, proxyFor, TunnelAgent } from "./proxy.mjs";

/** @typedef {{ status: number, headers: http.IncomingHttpHeaders, body: http.IncomingMessage, url: URL }} Response */

const MAX_REDIRECTS = 5;

/** A server's answer that is not the one asked for, or none at all (status 0). */
export class HttpError extends Error {
  /**
   * @param {string} message
   * @param {number} status
   * @param {NodeJS.ErrnoException} [cause]
   */
  constructor(message, status, cause) {
    super(message, { cause });
    this.name = "HttpError";
    this.status = status;
    this.untrusted = /CERT|SIGNATURE|ISSUER/.test(cause?.code ?? "");
  }

  /** Whether asking again can help. */
  get transient() {
    if (this.untrusted) return false;
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/**
 * @param {URL | string} url
 * @returns {string} the address without user name and password, fit to be printed
 */
export function printable(url) {
  const copy = new URL(url);
  copy.username = "";
  copy.password = "";
  copy.hash = "";
  return copy.href;
}

export class HttpClient {
  /** @type {Map<string, https.Agent>} by the proxy */ #tunnels = new Map();

  /**
   * @param {{ certificateFile?: string | undefined, idleTimeoutMs?: number, env?: NodeJS.ProcessEnv, proxy?: string | undefined }} [options]
   *   env: which names proxies; proxy: the one where it names none
   */
  constructor({ certificateFile, idleTimeoutMs = 30_000, env = process.env, proxy } = {}) {
    this.idleTimeoutMs = idleTimeoutMs;
    this.env = env;
    this.proxy = proxy;
    // A given `ca` replaces Node's list, so it is left out where nobody names one.
    this.trust = certificateFile === undefined ? {} : { ca: authorities(certificateFile) };
    // Agents of one's own: Node's global ones may know proxies too, by other rules.
    this.agents = {
      http: new http.Agent({ keepAlive: true }),
      https: new https.Agent({ keepAlive: true, ...this.trust }),
    };
  }

  /**
   * Opens a GET request and follows redirects. The caller must read or destroy the body.
   * @param {URL} url
   * @param {{ headers?: Record<string, string>, timeoutMs?: number }} [options]
   *   timeoutMs: longest silence of the server, connecting included
   * @returns {Promise<Response>} any status but a redirect
   */
  async open(url, { headers = {}, timeoutMs = this.idleTimeoutMs } = {}) {
    let current = url;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const response = await this.#request(current, headers, timeoutMs);
      const location = response.headers.location;
      if (response.status < 300 || response.status > 399 || location === undefined) return response;
      response.body.destroy();
      const next = new URL(location, current);
      if (next.host === current.host && next.username === "") {
        next.username = current.username;
        next.password = current.password;
      }
      current = next;
    }
    throw new HttpError(`${printable(url)} redirects more than ${MAX_REDIRECTS} times.`, 310);
  }

  /**
   * @param {URL} url
   * @param {{ headers?: Record<string, string>, timeoutMs?: number }} [options]
   * @returns {Promise<{ text: string, headers: http.IncomingHttpHeaders, url: URL }>}
   * @throws {HttpError} where the status is not 200
   */
  async text(url, options = {}) {
    const response = await this.open(url, options);
    if (response.status !== 200) {
      response.body.destroy();
      throw new HttpError(`${printable(url)} answers with HTTP status ${response.status}.`, response.status);
    }
    const chunks = [];
    for await (const chunk of response.body) chunks.push(chunk);
    return { text: Buffer.concat(chunks).toString("utf8"), headers: response.headers, url: response.url };
  }

  /**
   * @param {URL} url
   * @param {Record<string, string>} headers
   * @param {number} timeout
   * @returns {http.ClientRequest}
   */
  #get(url, headers, timeout) {
    const proxy = proxyFor(url, this.env, this.proxy);
    if (url.protocol === "https:") {
      return https.get(url, { headers, timeout, agent: proxy ? this.#tunnel(proxy) : this.agents.https });
    }
    if (proxy === undefined) return http.get(url, { headers, timeout, agent: this.agents.http });
    const auth =
      url.username === ""
        ? {}
        : { auth: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` };
    return (proxy.protocol === "https:" ? https : http).get({
      ...auth,
      host: proxy.hostname.replace(/^\[|\]$/g, ""),
      port: proxy.port || (proxy.protocol === "https:" ? 443 : 80),
      path: printable(url),
      headers: { host: url.host, ...headers, ...proxyAuthorization(proxy) },
      timeout,
    });
  }

  /** @param {URL} proxy */
  #tunnel(proxy) {
    const agent = this.#tunnels.get(proxy.href) ?? new TunnelAgent(proxy, this.trust);
    this.#tunnels.set(proxy.href, agent);
    return agent;
  }

  /**
   * @param {URL} url
   * @param {Record<string, string>} headers
   * @param {number} timeoutMs
   * @returns {Promise<Response>}
   */
  #request(url, headers, timeoutMs) {
    return new Promise((resolve, reject) => {
      const secure = url.protocol === "https:";
      if (!secure && url.protocol !== "http:") {
        reject(new HttpError(`${printable(url)} must be an http or https address.`, 400));
        return;
      }
      const request = this.#get(url, headers, timeoutMs);
      request.once("timeout", () =>
        request.destroy(new HttpError(`${url.host} was silent for ${timeoutMs / 1000} s.`, 0)),
      );
      request.once("error", (/** @type {NodeJS.ErrnoException} */ error) => {
        // Where a name has several addresses, Node puts their errors into one without a message.
        const first = error instanceof AggregateError ? error.errors[0] : error;
        reject(
          first instanceof HttpError
            ? first
            : new HttpError(`${url.host} cannot be reached: ${first.message}.`, 0, first),
        );
      });
      request.once("response", (body) => {
        resolve({ status: body.statusCode ?? 0, headers: body.headers, body, url });
      });
    });
  }
}

/**
 * Node takes private authorities from NODE_EXTRA_CA_CERTS alone; pip's users name theirs to pip.
 * @param {string} file PEM bundle
 */
function authorities(file) {
  const extra = process.env.NODE_EXTRA_CA_CERTS;
  const bundles = extra === undefined || extra === file ? [file] : [file, extra];
  return [...rootCertificates, ...bundles.map((path) => readFileSync(path, "utf8"))];
}

/** What a connection that breaks while a body is read ends with. */
const BROKEN = new Set(["ECONNRESET", "ECONNABORTED", "EPIPE", "ETIMEDOUT", "ERR_STREAM_PREMATURE_CLOSE"]);

/** @param {unknown} error */
function isTransient(error) {
  if (error instanceof HttpError) return error.transient;
  return BROKEN.has(String(/** @type {NodeJS.ErrnoException} */ (error).code));
}

/**
 * Repeats what fails for a passing reason: broken connections, silence, HTTP 408, 429 and 5xx.
 * @template T
 * @param {() => Promise<T>} action
 * @param {{ attempts?: number, firstDelayMs?: number }} [options] the delay doubles each time
 * @returns {Promise<T>}
 */
export async function withRetries(action, { attempts = 5, firstDelayMs = 500 } = {}) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await action();
    } catch (error) {
      if (attempt === attempts || !isTransient(error)) throw error;
      await sleep(firstDelayMs * 2 ** (attempt - 1));
    }
  }
}
