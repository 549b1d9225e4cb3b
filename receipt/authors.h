// What a message says of who wrote and sent it: the fields that people see.
#pragma once

#include <string>
#include <vector>

namespace postern {

struct Authors {
  std::vector<std::string> from;    // the value of each From: field, unfolded
  std::vector<std::string> sender;  // of each Sender: field
  // There may be authors that only some readers see: a field was too long to be kept; or the header has a
  // control character, at a bare CR some begin another field; or the name of a field holds what no name does;
  // or the first line is a folded one, a field to some.
  bool hidden = false;
};

}  // namespace postern
