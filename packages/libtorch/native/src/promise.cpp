#include "promise.h"

#include "errors.h"

#include <exception>
#include <memory>

namespace bridge {

namespace {

struct Job {
  std::string operation;
  std::function<Outcome()> work;
  Outcome outcome;
  std::exception_ptr failure;
  napi_deferred deferred = nullptr;
  napi_threadsafe_function done = nullptr;
};

// The error that JavaScript would have seen had the call not been asynchronous.
napi_value rejection(napi_env env, const Job& job) {
  try {
    std::rethrow_exception(job.failure);
  } catch (...) {
    throwCurrent(env, job.operation, "");
  }
  napi_value error = nullptr;
  napi_get_and_clear_last_exception(env, &error);
  return error;
}

void settle(napi_env env, napi_value, void*, void* data) {
  const std::unique_ptr<Job> job(static_cast<Job*>(data));
  if (!env) return;  // the environment has ended meanwhile
  napi_value value = nullptr;
  if (!job->failure) {
    try {
      value = job->outcome(environmentOf(env));
    } catch (...) {
      job->failure = std::current_exception();
    }
  }
  if (job->failure) {
    napi_reject_deferred(env, job->deferred, rejection(env, *job));
    return;
  }
  if (!value) napi_get_undefined(env, &value);
  napi_resolve_deferred(env, job->deferred, value);
}

}  // namespace

napi_value promised(Environment& environment, std::string operation, std::function<Outcome()> work) {
  napi_env env = environment.env;
  auto job = std::make_unique<Job>();
  job->operation = std::move(operation);
  job->work = std::move(work);
  napi_value promise, name;
  check(env, napi_create_promise(env, &job->deferred, &promise));
  check(env, napi_create_string_utf8(env, job->operation.c_str(), NAPI_AUTO_LENGTH, &name));
  check(env, napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, nullptr, settle,
                                             &job->done));
  std::thread([job = job.release()] {
    const napi_threadsafe_function done = job->done;
    try {
      job->outcome = job->work();
    } catch (...) {
      job->failure = std::current_exception();
    }
    job->work = nullptr;
    if (napi_call_threadsafe_function(done, job, napi_tsfn_blocking) != napi_ok) delete job;
    napi_release_threadsafe_function(done, napi_tsfn_release);
  }).detach();
  return promise;
}

Outcome nothing() {
  return [](Environment&) -> napi_value { return nullptr; };
}

}  // namespace bridge
