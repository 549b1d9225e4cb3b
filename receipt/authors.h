// What a message says of who wrote and sent it: the fields that people see.
#pragma once

#include <string>
#include <vector>

namespace postern {

struct Authors {
  std::vector<std::string> from;    // the value of each From: field, unfolded
  std::vector<std::string> sender;  // of each Sender: field
  bool hidden = false;  // a field was too long to be kept; or the header has a bare CR, at which some readers
                        // begin another field; or its first line is a folded one, a field to some of them
};

}  // namespace postern
