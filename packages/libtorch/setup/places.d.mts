/** The addon that set-up builds; `LIBTORCH_BRIDGE` names another one. */
export function bridgePath(env?: NodeJS.ProcessEnv, folder?: string): string;
/**
 * The user's home directory; `/`, as containers have it, where neither `HOME` nor the system knows one: what belongs there is
 * then not found, and may not be written.
 */
export function homeDirectory(): string;
/** `$WAV2VEC2_CACHE`, `$XDG_CACHE_HOME/wav2vec2` or `~/.cache/wav2vec2`. */
export function defaultCache(env?: NodeJS.ProcessEnv): string;
/** The checkout that this package lies in, which has a set-up of its own; undefined for an installed one. */
export function checkoutOf(folder?: string): string | undefined;
/** The command of set-up as it works where the user is; `libtorch` is what it is to take, such as `cuda`. */
export function setupCommand(libtorch?: string, from?: string, folder?: string): string;
