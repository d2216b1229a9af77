import { HttpClient, RequestError } from "../../../files/hub/http-request.js";

const TIMEOUT_MS = 60_000;
/** An upload may take so long for each byte: 50 kB/s. */
const UPLOAD_MS_A_BYTE = 0.02;
const LONGEST_DETAIL = 500;

/** A request to a service that brought no answer, or not the one that was asked for. */
export class ServiceError extends RequestError {
  constructor(
    message: string,
    status?: number,
    code?: string,
    /** The service asks to wait so long. */
    readonly waitSeconds?: number,
    options?: ErrorOptions,
  ) {
    super(message, status, code, options);
  }

  /** Whether the service does not let this user in. */
  get forbids(): boolean {
    return this.status === 401 || this.status === 403;
  }
}

/** Requests to a service that speaks JSON. */
export class ServiceClient extends HttpClient {
  /**
   * @param base address without a slash at its end
   * @param headers of every request, such as those of a login
   */
  constructor(
    readonly base: string,
    private readonly headers: Readonly<Record<string, string>> = {},
    private readonly timeoutMs = TIMEOUT_MS,
  ) {
    super();
  }

  /**
   * @param path with its query
   * @param body becomes JSON; without one the request is a GET
   * @throws RequestError
   */
  async json<Answer>(path: string, body?: unknown): Promise<Answer> {
    const text = await this.#send(path, {
      signal: AbortSignal.timeout(this.timeoutMs),
      ...(body !== undefined && {
        method: "POST",
        body: typeof body === "string" ? body : JSON.stringify(body),
        headers: { "content-type": "application/json" },
      }),
    });
    try {
      return JSON.parse(text) as Answer;
    } catch (error) {
      // The page of a proxy, or an answer that was cut off.
      throw new ServiceError(
        `${this.base}${path} answered with something else than JSON`,
        undefined,
        undefined,
        undefined,
        {
          cause: error,
        },
      );
    }
  }

  /** @throws RequestError */
  async put(path: string, body: Blob): Promise<void> {
    await this.#send(path, {
      method: "PUT",
      body,
      headers: { "content-type": "application/octet-stream" },
      signal: AbortSignal.timeout(Math.ceil(this.timeoutMs + body.size * UPLOAD_MS_A_BYTE)),
    });
  }

  async #send(path: string, init: RequestInit): Promise<string> {
    const url = this.base + path;
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, { ...init, headers: { ...this.headers, ...init.headers } });
      text = await response.text();
    } catch (error) {
      throw this.failure(url, error);
    }
    if (response.ok) return text;
    const { code, message } = detailOf(text);
    throw new ServiceError(
      `${url.replace(/\?.*/, "")} answered ${response.status}${message ? `: ${message}` : ""}`,
      response.status,
      code,
      Number(response.headers.get("retry-after")) || undefined,
    );
  }
}

/** What a service says of a request that it refuses. */
function detailOf(text: string): { code?: string; message: string } {
  try {
    const { error_code: code, message, error } = JSON.parse(text) as Record<string, unknown>;
    return {
      ...(typeof code === "string" && { code }),
      message: String(message ?? error ?? "").slice(0, LONGEST_DETAIL),
    };
  } catch {
    return { message: text.startsWith("<") ? "" : text.slice(0, LONGEST_DETAIL).trim() };
  }
}
