import type { EngineChoice, ModelState } from "./recognizer-client.js";
import type { Site } from "./site.js";

interface Props {
  site: Site;
  names: [string, string | undefined];
  states: readonly ModelState[];
  engine: EngineChoice;
  hotwords: string;
  languageModel: File | undefined;
  /** Why it cannot be used. */
  languageProblem: string | undefined;
  onLanguageModel(file: File | undefined): void;
  onNames(names: [string, string | undefined]): void;
  onEngine(engine: EngineChoice): void;
  onHotwords(words: string): void;
}

/** Which model is used and how far it is; the rarer choices are folded away. */
export function ModelBar({
  site,
  names,
  states,
  engine,
  hotwords,
  languageModel,
  languageProblem,
  onLanguageModel,
  onNames,
  onEngine,
  onHotwords,
}: Props) {
  const [first, second] = names;
  const others = site.models.filter(({ name }) => name !== first);
  return (
    <section class="model-bar" aria-label="Model">
      {site.models.length > 1 && (
        <label>
          Model
          <select value={first} onChange={(event) => onNames([event.currentTarget.value, undefined])}>
            {site.models.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      )}
      {others.length > 0 && (
        <label>
          Compare with
          <select
            value={second ?? ""}
            onChange={(event) => onNames([first, event.currentTarget.value || undefined])}
          >
            <option value="">nothing</option>
            {others.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      )}
      <div class="states">
        {states.map((state, i) => (
          <StateNote key={names[i]} name={names[i]!} state={state} />
        ))}
      </div>
      <details>
        <summary>Options</summary>
        <div class="options">
          <label>
            Names and words to listen for
            <input
              type="text"
              value={hotwords}
              placeholder="SYDNEY, KUBERNETES"
              onInput={(event) => onHotwords(event.currentTarget.value)}
            />
          </label>
          <label>
            Language model
            <input
              type="file"
              accept=".arpa,.gz,.lm"
              onChange={(event) => onLanguageModel(event.currentTarget.files?.[0])}
            />
          </label>
          <label>
            Runs on
            <select value={engine} onChange={(event) => onEngine(event.currentTarget.value as EngineChoice)}>
              <option value="auto">what is faster</option>
              <option value="wasm">the processor</option>
              {site.webgpu && <option value="webgpu">the GPU</option>}
            </select>
          </label>
        </div>
        {languageProblem !== undefined ? (
          <p class="gone notice" role="alert">
            {languageProblem}
          </p>
        ) : (
          <p class="soft" role="status">
            {languageModel && `${languageModel.name} helps with recordings from now on.`}
          </p>
        )}
      </details>
    </section>
  );
}

function StateNote({ name, state }: { name: string; state: ModelState }) {
  if (state.is === "failed")
    return (
      <p class="gone notice" role="alert">
        {state.message}
      </p>
    );
  if (state.is !== "ready") {
    const [loaded, total] = state.is === "loading" ? [state.loaded, state.total] : [0, 1];
    const isWhole = loaded >= total;
    return (
      <p class="loading">
        <progress aria-label={`Loading ${name}`} max={total} value={loaded} />
        <span class="soft">{isWhole ? "Starting" : `${megabytes(loaded)} of ${megabytes(total)} MB`}</span>
      </p>
    );
  }
  const threads = state.threads === 1 ? "one thread" : `${state.threads} threads`;
  return (
    <p class="soft" role="status">
      <span class="badge finished">Ready</span> {name}, on {state.engine === "webgpu" ? "the GPU" : threads}
      {state.instead !== undefined && `, not on the GPU: ${state.instead}`}
    </p>
  );
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
