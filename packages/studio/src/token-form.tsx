import { useState } from "preact/hooks";

/** Asks for the token that the dashboard was started with. */
export function TokenForm() {
  const [mistake, setMistake] = useState<string>();
  const enter = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const token = new FormData(event.currentTarget as HTMLFormElement).get("token");
    const answer = await fetch("/api/session", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token }),
    });
    if (answer.ok) location.reload();
    else setMistake(((await answer.json()) as { error: string }).error);
  };
  return (
    <main class="token">
      <h1>wav2vec2 dashboard</h1>
      <form onSubmit={enter}>
        <label for="token">Token</label>
        <p class="soft" id="token-help">
          It was printed where the dashboard was started.
        </p>
        <input
          id="token"
          name="token"
          type="password"
          autocomplete="current-password"
          required
          aria-describedby="token-help"
        />
        <button type="submit">Look</button>
        <p role="alert" class="mistake">
          {mistake}
        </p>
      </form>
    </main>
  );
}
