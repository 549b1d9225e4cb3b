// What postern-qcheck finds, and what becomes of it: a line each, "PATH: WHAT; REMEDY".
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "lib/result.h"

namespace postern {

class Findings {
 public:
  // Without `repair` nothing is mended, only said.
  explicit Findings(bool repair) : repair_(repair) {}

  // `remedy` is an order, "move it to damaged/"; `mend` carries it out.
  void add(std::string_view path, std::string_view what, std::string_view remedy,
           const std::function<Result<void>()>& mend);
  // What is not the spool's, and so is left alone; no damage.
  void remark(std::string_view path, std::string_view what);
  // Something that could not be looked at; it may be whole.
  void unknown(const Failure& failure);

  [[nodiscard]] bool repair() const { return repair_; }
  [[nodiscard]] size_t found() const { return found_; }
  // 0 nothing is wrong any more, 100 damage is left, 111 something could not be checked.
  [[nodiscard]] int exit_code() const { return unknown_ > 0 ? 111 : left_ > 0 ? 100 : 0; }

 private:
  bool repair_;
  size_t found_ = 0;
  size_t left_ = 0;
  size_t unknown_ = 0;
};

}  // namespace postern
