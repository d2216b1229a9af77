#include "promise.h"

#include "errors.h"

#include <exception>
#include <memory>
#include <system_error>

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

// On JavaScript's thread.
void settle(napi_env env, Job& job) {
  napi_value value = nullptr;
  if (!job.failure) {
    try {
      value = job.outcome(environmentOf(env));
    } catch (...) {
      job.failure = std::current_exception();
    }
  }
  if (job.failure) {
    napi_reject_deferred(env, job.deferred, rejection(env, job));
    return;
  }
  if (!value) napi_get_undefined(env, &value);
  napi_resolve_deferred(env, job.deferred, value);
}

void settleLater(napi_env env, napi_value, void*, void* data) {
  const std::unique_ptr<Job> job(static_cast<Job*>(data));
  if (env) settle(env, *job);  // unless the environment has ended meanwhile
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
  check(env, napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, nullptr, settleLater,
                                             &job->done));
  try {
    std::thread([job = job.get()] {
      const napi_threadsafe_function done = job->done;
      try {
        job->outcome = job->work();
      } catch (...) {
        job->failure = std::current_exception();
      }
      job->work = nullptr;
      if (napi_call_threadsafe_function(done, job, napi_tsfn_blocking) == napi_ok) {
        napi_release_threadsafe_function(done, napi_tsfn_release);
      } else {
        delete job;  // the environment ends, and `done` with it
      }
    }).detach();
  } catch (const std::system_error&) {  // the system gives no more threads
    napi_release_threadsafe_function(job->done, napi_tsfn_abort);
    throw;
  }
  job.release();  // the thread's; it cannot have settled it before, on this thread
  return promise;
}

napi_value resolved(Environment& environment, std::string operation, Outcome outcome) {
  Job job;
  job.operation = std::move(operation);
  job.outcome = std::move(outcome);
  napi_value promise;
  check(environment.env, napi_create_promise(environment.env, &job.deferred, &promise));
  settle(environment.env, job);
  return promise;
}

Outcome nothing() {
  return [](Environment&) -> napi_value { return nullptr; };
}

}  // namespace bridge
