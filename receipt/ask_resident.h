// How a step of the receipt asks another program, in either form (lib/call): a function, so that a test can
// answer in its place.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "lib/call.h"

namespace postern {

using AskResident = std::function<Result<Reply>(std::string_view program, const Request& request,
                                                int64_t deadline_milliseconds)>;

inline AskResident ask_by_call() {
  return [](std::string_view program, const Request& request, int64_t deadline_milliseconds) {
    return call_program(program, request, deadline_milliseconds);
  };
}

}  // namespace postern
