import { HttpClient, RequestError } from "./http-request.js";
import type { HubEnvironment } from "./hub-environment.js";

/** Requests to one Hub with its token, which no other host gets to see. */
export class HubClient extends HttpClient {
  constructor(
    readonly environment: HubEnvironment,
    signal?: AbortSignal,
  ) {
    super(signal);
  }

  /**
   * A `fetch` for JSON, to give to `@huggingface/hub`. That package refuses tokens that do not begin with `hf_` and
   * has neither time limits nor cancellation, so all of that is here.
   */
  readonly fetchJson: typeof fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const { lookupTimeout } = this.environment;
    const timeout = AbortSignal.timeout(lookupTimeout);
    const response = await this.request(url, { ...init, signal: timeout });
    const text = await response.text().catch((error: unknown) => {
      throw this.failure(url, error);
    });
    try {
      JSON.parse(text);
    } catch (error) {
      // The login page of a hotel's network, for example.
      throw new RequestError(`${url} answered with something else than JSON`, undefined, undefined, {
        cause: error,
      });
    }
    return new Response(text, { headers: response.headers });
  };

  override async request(url: string, init: RequestInit & { signal: AbortSignal }): Promise<Response> {
    const { endpoint, token } = this.environment;
    const headers = new Headers(init.headers);
    // Where the Hub redirects to another host, fetch leaves this header out (https://fetch.spec.whatwg.org, section
    // HTTP-redirect fetch). `@huggingface/hub` itself would send it to CloudFront.
    if (token !== undefined && new URL(url).origin === new URL(endpoint).origin) {
      headers.set("authorization", `Bearer ${token}`);
    }
    return await super.request(url, { ...init, headers });
  }
}
