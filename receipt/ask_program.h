// How a step of the receipt asks another program, in either form (lib/call): a function, so that a test can
// answer in its place.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "lib/call.h"

namespace postern {

using AskProgram =
    std::function<Result<Reply>(std::string_view program, const Request& request, int64_t deadline)>;

// Without a function the program itself.
inline Result<Reply> ask_program(const AskProgram& ask, std::string_view program, const Request& request,
                                 int64_t deadline) {
  return ask ? ask(program, request, deadline) : call_program(program, request, deadline);
}

}  // namespace postern
