import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { serve, temporaryFolder } from "../fixtures.mjs";
import { HttpClient } from "./http.mjs";
import { proxyFor } from "./proxy.mjs";

/**
 * A proxy that tunnels and forwards, whatever name it is asked for, to one server here.
 * @param {number} port of that server
 * @param {{ user?: string }} [options] user: `name:password` that it wants
 */
async function startProxy(port, { user } = {}) {
  /** @type {string[]} */
  const asked = [];
  const wanted = user && `Basic ${Buffer.from(user).toString("base64")}`;
  const server = http.createServer((request, response) => {
    asked.push(`GET ${request.url}`);
    const { "proxy-authorization": given, ...headers } = request.headers;
    if (given !== wanted) return void response.writeHead(407).end();
    const path = new URL(request.url ?? "").pathname;
    http.get({ port, path, headers }, (answer) => answer.pipe(response));
  });
  server.on("connect", (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    if (request.headers["proxy-authorization"] !== wanted) {
      socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
      return;
    }
    const through = net.connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      socket.pipe(through).pipe(socket);
    });
    for (const end of [socket, through]) end.on("error", () => through.destroy());
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = /** @type {net.AddressInfo} */ (server.address());
  return { host: `127.0.0.1:${address.port}`, asked };
}

/** @returns {Promise<{ port: number, certificateFile: string }>} an https server for index.example, and whom it is trusted by */
async function startSecureServer() {
  const folder = temporaryFolder();
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=index.example", "-addext", "subjectAltName=DNS:index.example"];
  const make = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", cert];
  execFileSync("openssl", [...make, ...subject], { stdio: "ignore" });
  const server = https.createServer(
    { key: readFileSync(key), cert: readFileSync(cert) },
    (request, response) => response.end(`secure ${request.url} of ${request.headers.host}`),
  );
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: /** @type {net.AddressInfo} */ (server.address()).port, certificateFile: cert };
}

test("https goes through a tunnel, http is asked of the proxy, NO_PROXY goes straight there", async () => {
  const { port, certificateFile } = await startSecureServer();
  const secure = await startProxy(port);
  const client = new HttpClient({ certificateFile, env: { HTTPS_PROXY: `http://${secure.host}` } });
  for (const path of ["/one", "/two"]) {
    expect((await client.text(new URL(`https://index.example${path}`))).text).toBe(
      `secure ${path} of index.example`,
    );
  }
  // The second request uses the first one's connection.
  expect(secure.asked).toEqual(["CONNECT index.example:443"]);

  const plain = await serve((request, response) =>
    response.end(`plain ${request.url} of ${request.headers.host}`),
  );
  const proxy = await startProxy(Number(plain.port));
  const env = { http_proxy: proxy.host, NO_PROXY: "localhost, 127.0.0.1" };
  const url = new URL("http://user:secret@index.example/simple/");
  expect((await new HttpClient({ env }).text(url)).text).toBe("plain /simple/ of index.example");
  expect(proxy.asked).toEqual(["GET http://index.example/simple/"]);
  expect((await new HttpClient({ env }).text(plain)).text).toContain("plain / of 127.0.0.1");
  expect(proxy.asked.length).toBe(1);
});

test("a proxy with a password, one that refuses, and one that is not there", async () => {
  const { port, certificateFile } = await startSecureServer();
  const proxy = await startProxy(port, { user: "me:p@ss" });
  const url = new URL("https://index.example/");
  const ask = (/** @type {string} */ address) =>
    new HttpClient({ certificateFile, env: {}, proxy: address }).text(url);
  expect((await ask(`http://me:p%40ss@${proxy.host}`)).text).toBe("secure / of index.example");
  await expect(ask(`http://${proxy.host}`)).rejects.toThrow(
    `index.example cannot be reached: the proxy ${proxy.host} wants a user name and password in its address (HTTP status 407).`,
  );
  await expect(ask("http://127.0.0.1:9")).rejects.toThrow(/the proxy 127\.0\.0\.1:9 cannot be reached/);
});

test("which proxy: as curl and pip decide", () => {
  const of = (
    /** @type {string} */ url,
    /** @type {NodeJS.ProcessEnv} */ env,
    /** @type {string} */ pip = "",
  ) => proxyFor(new URL(url), env, pip || undefined)?.host;
  const https = "https://files.example/a";
  expect(of(https, {})).toBeUndefined();
  expect(of(https, { HTTPS_PROXY: "http://a:1" })).toBe("a:1");
  expect(of(https, { https_proxy: "b:2", HTTPS_PROXY: "http://a:1" })).toBe("b:2");
  expect(of(https, { HTTP_PROXY: "http://a:1", http_proxy: "http://a:1" })).toBeUndefined();
  expect(of("http://x.example/", { HTTP_PROXY: "http://a:1" })).toBeUndefined();
  expect(of(https, { ALL_PROXY: "http://c:3" }, "http://d:4")).toBe("c:3");
  expect(of(https, {}, "http://d:4")).toBe("d:4");
  const except = (/** @type {string} */ list) => of(https, { HTTPS_PROXY: "http://a:1", no_proxy: list });
  for (const list of ["*", "files.example", ".example", "*.example", "x,files.example:443", "EXAMPLE"])
    expect(except(list)).toBeUndefined();
  for (const list of ["", "les.example", "files.example:8443", "example.com"])
    expect(except(list)).toBe("a:1");
  expect(() => of(https, { HTTPS_PROXY: "socks5://me:secret@s:1080" })).toThrow(
    "HTTPS_PROXY must be the address of an HTTP proxy, such as http://proxy:3128, but is socks5://s:1080.",
  );
});
