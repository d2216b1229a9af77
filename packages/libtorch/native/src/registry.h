#pragma once
// Things that JavaScript knows by a number: stores, process groups, reducers.
#include "errors.h"

#include <mutex>
#include <unordered_map>

namespace bridge {

// Never destroyed with the process: connections to others would be taken apart behind the driver's or libtorch's back.
template <typename T>
class Registry {
 public:
  explicit Registry(const char* what) : what_(what) {}

  double add(T value) {
    std::lock_guard<std::mutex> lock(mutex_);
    entries_.emplace(++last_, std::move(value));
    return last_;
  }

  // Throws ArgumentError where it was removed.
  T at(double id) {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) throw ArgumentError(std::string(what_) + " must be open, but was closed");
    return found->second;
  }

  // Its last reference may take a while to go: not under the lock.
  T remove(double id) {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return T();
    T value = std::move(found->second);
    entries_.erase(found);
    return value;
  }

 private:
  const char* what_;
  std::mutex mutex_;
  std::unordered_map<double, T> entries_;
  double last_ = 0;
};

}  // namespace bridge
