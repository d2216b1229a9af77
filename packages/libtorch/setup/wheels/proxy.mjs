// Requests through a proxy that the environment or pip's configuration names: Node.js 20 knows none, newer ones only when told.
import http from "node:http";
import https from "node:https";
import tls from "node:tls";
import { SetupError } from "../report.mjs";

/**
 * @param {URL} url of a request
 * @param {NodeJS.ProcessEnv} env
 * @param {string | undefined} [fallback] proxy where the environment names none, such as pip's
 * @returns {URL | undefined} the proxy that it goes through, as curl and pip decide it
 * @throws {SetupError} where that is no http or https address
 */
export function proxyFor(url, env, fallback) {
  const scheme = url.protocol.slice(0, -1);
  // Upper case is not read for http: a CGI program's HTTP_PROXY comes from its client.
  const names = scheme === "http" ? ["http_proxy"] : [`${scheme}_proxy`, `${scheme.toUpperCase()}_PROXY`];
  const name = [...names, "all_proxy", "ALL_PROXY"].find((candidate) => env[candidate]);
  const value = (name === undefined ? undefined : env[name]) || fallback;
  if (value === undefined || isExcepted(url, env.no_proxy || env.NO_PROXY || "")) return undefined;
  const text = value.includes("://") ? value : `http://${value}`;
  const proxy = URL.canParse(text) ? new URL(text) : undefined;
  if (proxy === undefined || !/^https?:$/.test(proxy.protocol)) {
    throw new SetupError(
      `${name ?? "pip's proxy"} must be the address of an HTTP proxy, such as http://proxy:3128, but is ${withoutPassword(value)}.`,
    );
  }
  return proxy;
}

/**
 * @param {URL} url
 * @param {string} list as in NO_PROXY: names that stand for what is below them too, addresses, with a port or without; `*` is all
 */
function isExcepted(url, list) {
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .some((entry) => {
      if (entry === "*") return true;
      const [, name = "", itsPort] = /^(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
      const domain = name.replace(/^\*?\./, "");
      return (
        (itsPort === undefined || itsPort === port) &&
        (url.hostname === domain || url.hostname.endsWith(`.${domain}`))
      );
    });
}

/** @param {string} value */
function withoutPassword(value) {
  return value.replace(/\/\/[^@/]*@/, "//");
}

/**
 * @param {URL} proxy
 * @returns {Record<string, string>}
 */
export function proxyAuthorization(proxy) {
  if (proxy.username === "") return {};
  const credentials = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(credentials).toString("base64")}` };
}

/** Connections to https servers through tunnels of a proxy. */
export class TunnelAgent extends https.Agent {
  /**
   * @param {URL} proxy
   * @param {https.AgentOptions} options
   */
  constructor(proxy, options) {
    super({ ...options, keepAlive: true });
    this.proxy = proxy;
  }

  /**
   * @override
   * @param {import("node:tls").ConnectionOptions} options
   * @param {(error: Error | null, socket?: import("node:stream").Duplex) => void} callback
   * @returns {undefined} the connection comes by the callback
   */
  createConnection(options, callback) {
    const { proxy } = this;
    const target = `${options.host}:${options.port}`;
    const request = (proxy.protocol === "https:" ? https : http).request({
      host: proxy.hostname.replace(/^\[|\]$/g, ""),
      port: proxy.port || (proxy.protocol === "https:" ? 443 : 80),
      method: "CONNECT",
      path: target,
      headers: { host: target, ...proxyAuthorization(proxy) },
      timeout: options.timeout,
      agent: false,
    });
    const fail = (/** @type {string} */ what) => callback(new ProxyError(`the proxy ${proxy.host} ${what}`));
    request.once("timeout", () => request.destroy(new Error("it was silent")));
    request.once("error", (error) => fail(`cannot be reached: ${error.message}`));
    request.once("connect", (response, socket) => {
      if (response.statusCode !== 200) {
        socket.destroy();
        const refusal =
          response.statusCode === 407 ? "wants a user name and password in its address" : "refuses";
        fail(`${refusal} (HTTP status ${response.statusCode})`);
        return;
      }
      const { host, port, path, ...others } = options;
      callback(null, tls.connect({ ...others, socket, servername: options.servername ?? options.host }));
    });
    request.end();
    return undefined;
  }
}

/** What a proxy, not the server, answers. */
export class ProxyError extends Error {}
