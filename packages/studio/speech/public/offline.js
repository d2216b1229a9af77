// Keeps the page, the engine and the models for when there is no network. Names of files change with their contents but for the
// page itself and its list of models, which are looked for on the server first. What is answered lets the page share memory
// between threads, where the server does not say so itself.
const CACHE = "wav2vec2-speech-1";
const CHANGING = /\/(index\.html|models\.json|offline\.js|theme\.js)?$/;
const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
};

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin || !url.href.startsWith(registration.scope))
    return;
  event.respondWith(answer(event, CHANGING.test(url.pathname)));
});

addEventListener("message", ({ data }) => {
  if (data?.type === "keep") void forgetOthers(data.directories);
});

async function answer(event, isChanging) {
  const cache = await caches.open(CACHE);
  const kept = () => cache.match(event.request, { ignoreVary: true });
  if (!isChanging) {
    const found = await kept();
    if (found) return isolated(found);
  }
  try {
    const response = await fetch(event.request);
    // Files that a model does not have are none without a network either.
    const isAbsent = response.status === 404 && !isChanging;
    if (response.status !== 200 && !isAbsent) return isolated(response);
    const copy = response.clone();
    // A full disk is no reason to fail.
    event.waitUntil(cache.put(event.request, copy).catch(() => {}));
    return isolated(response);
  } catch (error) {
    const found = await kept();
    if (found) return isolated(found);
    throw error;
  }
}

function isolated(response) {
  if (response.type === "opaque" || response.status === 0) return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(ISOLATION)) headers.set(name, value);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

/** Models that the site has no more. */
async function forgetOthers(directories) {
  const cache = await caches.open(CACHE);
  for (const request of await cache.keys()) {
    const isModel = request.url.startsWith(`${registration.scope}models/`);
    if (isModel && !directories.some((directory) => request.url.startsWith(registration.scope + directory)))
      await cache.delete(request);
  }
}
