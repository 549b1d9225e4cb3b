// Result<T>: a value or a Failure. Mail knows two failures, temporary and permanent; they are told apart
// by type of failure and never by text. An unknown error is temporary.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace postern {

enum class Kind { temporary, permanent };

struct Failure {
  Kind kind = Kind::temporary;
  std::string status = "4.3.0";  // enhanced status, RFC 3463
  std::string text;              // "open queue/tmp/1: No space left on device"
  int exit_code = 0;             // of the queue interface, 0 when the caller has to choose
  bool shortage = false;         // of memory or descriptors: it may go better in a moment
  bool damaged = false;          // what was read is surely broken, rather than not readable now

  [[nodiscard]] bool permanent() const { return kind == Kind::permanent; }
};

inline Failure temporary(std::string text, int exit_code = 0, std::string status = "4.3.0") {
  return Failure{Kind::temporary, std::move(status), std::move(text), exit_code};
}

inline Failure permanent(std::string text, int exit_code = 0, std::string status = "5.0.0") {
  return Failure{Kind::permanent, std::move(status), std::move(text), exit_code};
}

// "DO-THIS: WHY" with the text of errno; temporary, as every fault of our own machine is.
Failure os_failure(std::string doing, int error_number, int exit_code = 0);

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}            // NOLINT: return value; reads as intended
  Result(Failure failure) : value_(std::move(failure)) {}  // NOLINT
  [[nodiscard]] bool ok() const { return value_.index() == 0; }
  explicit operator bool() const { return ok(); }
  [[nodiscard]] T& value() { return std::get<0>(value_); }
  [[nodiscard]] const T& value() const { return std::get<0>(value_); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  [[nodiscard]] const Failure& failure() const { return std::get<1>(value_); }

 private:
  std::variant<T, Failure> value_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Failure failure) : failure_(std::move(failure)) {}  // NOLINT
  [[nodiscard]] bool ok() const { return !failure_.has_value(); }
  explicit operator bool() const { return ok(); }
  [[nodiscard]] const Failure& failure() const { return *failure_; }

 private:
  std::optional<Failure> failure_;
};

}  // namespace postern
