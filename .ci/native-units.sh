#!/usr/bin/env bash
# The bridge a source at a time: set-up puts as many sources into a unit as the machine has cores for, so a source that
# leans on its neighbour's includes compiles on some machines only. What may not stand in one unit is found by set-up's
# own units, which are larger than those of machines with more cores. With a folder that holds another libtorch's include/
# and lib/ it is built against that one.
set -euo pipefail
cd "$(dirname "$0")/.."

# As set-up tells CMake, with NCCL where it builds that in; one option a line.
lines=$(node --input-type=module -e '
  import { readFileSync } from "node:fs";
  import { Bridge, cmakeOptions } from "./packages/libtorch/setup/bridge.mjs";
  import { findLibtorch } from "./packages/libtorch/setup/find-libtorch.mjs";
  import { places } from "./packages/libtorch/setup/places.mjs";
  const { description, headers } = new Bridge(places());
  const libtorch = process.argv[1]
    ? await findLibtorch(process.argv[1], { env: {}, home: "", note: console.error })
    : JSON.parse(readFileSync(description, "utf8"));
  console.log(cmakeOptions(libtorch, headers).join("\n"));
' "${1-}")
mapfile -t options <<<"$lines"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Read for errors alone: of the header that all begin with something is made, of the sources nothing.
cat >"$folder/read-only" <<'END'
#!/bin/sh
case " $* " in *" c++-header "*) exec "$@" ;; esac
exec "$@" -fsyntax-only
END
chmod +x "$folder/read-only"
cmake -S packages/libtorch/native -B "$folder/build" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS="-O0 -g0" \
  -DCMAKE_CXX_COMPILER_LAUNCHER="$folder/read-only" -DCMAKE_CXX_CREATE_SHARED_MODULE=true \
  "${options[@]}" -DCMAKE_UNITY_BUILD=OFF -DOWN_GLOO_DECLARATIONS=ON >"$folder/log" 2>&1 &&
  cmake --build "$folder/build" --parallel "$(nproc)" >>"$folder/log" 2>&1 || {
  grep -m 12 -A 4 -iE '\berror\b' "$folder/log" || tail -20 "$folder/log"
  echo "The bridge must build a source at a time, but does not. Include in each source what it uses."
  exit 1
}
echo "The bridge builds a source at a time."
