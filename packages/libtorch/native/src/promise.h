#pragma once
// Work that waits, such as for another process: on a thread of its own, behind a JavaScript promise.
#include "environment.h"

#include <functional>

namespace bridge {

// What a promise resolves with, made on JavaScript's thread.
using Outcome = std::function<napi_value(Environment&)>;

// Runs `work` on a thread of its own; what it throws rejects the promise with a TorchError of `operation`. Node's own
// thread pool has four threads for all files: waiting in it would stop them.
napi_value promised(Environment& environment, std::string operation, std::function<Outcome()> work);

// A promise of what is there already.
napi_value resolved(Environment& environment, std::string operation, Outcome outcome);

// Resolves with undefined.
Outcome nothing();

}  // namespace bridge
