// Finding the .qmail file of an address in the current directory, the user's home, as dot-qmail(5) has it:
// .qmail DASH EXT, then .qmail DASH PREFIX "default" for each PREFIX of EXT that ends with '-', the longest
// first.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lib/result.h"

namespace postern {

struct DotQmailFile {
  std::string name;  // ".qmail-lists-default"; empty: there is none
  std::string text;
  bool forward_only = false;           // its owner's x bit is set
  std::optional<std::string> matched;  // what "default" stands for
};

// EXT as it stands in a file name: lower-case, dots are colons, so it never leads out of the home.
std::string safe_extension(std::string_view ext);

// No file, and an address with an extension: permanent, 5.1.1. A file that everybody may write or that cannot
// be read: temporary.
Result<DotQmailFile> find_dot_qmail(std::string_view dash, std::string_view ext);

// The sender of what is forwarded: `sender`, or, where .qmail DASH EXT "-owner" is there, LOCAL-owner@DOMAIN,
// or, where "-owner-default" is too, LOCAL-owner-@DOMAIN-@[], which stands for an address of its own for each
// recipient. A bounce stays one.
Result<std::string> forward_sender(std::string_view sender, std::string_view local, std::string_view dash,
                                   std::string_view ext, std::string_view domain);

}  // namespace postern
